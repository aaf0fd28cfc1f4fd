"""Matches: the nearest items of a gallery for each query, within a space or through a bridge."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.approximate_matching import ApproximateMatching, Probe, own_probe_rows, probe_rows
from consilience_server.app.bridge_spaces import check_uid
from consilience_server.app.cache_key import cache_key
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.csls_terms import CslsTerms, Side
from consilience_server.app.derived_vectors import DerivedVectors
from consilience_server.app.gallery_filter import check_part, find_in_part, gallery_part, part_bytes
from consilience_server.app.gallery_search import Found, Search
from consilience_server.app.kernel_matching import check_kernel_query, find_in_kernel, kernel_match_bytes
from consilience_server.app.match_query import MatchLimits, MatchQuery, MutualPairsQuery, check_correction, check_match
from consilience_server.app.mutual_matching import MutualMatching
from consilience_server.app.ports import Metrics, SpaceRecord
from consilience_server.app.query_batching import QueryBatches
from consilience_server.app.reports import MatchReport, MutualPairs, SpaceUse
from consilience_server.app.result_cache import ResultCache
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.spaces import rows_of
from consilience_server.app.tables import Tables
from consilience_server.app.validation import check_vectors, check_width
from consilience_server.bridges.apply import ReadyMap, map_vectors
from consilience_server.bridges.artefact import BridgeArtefact
from consilience_server.core.control import Control
from consilience_server.core.errors import InvalidK, VersionExpired
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.similarity import Similarity
from consilience_server.engine.choose_index import ApproximateIndexes
from consilience_server.engine.precomputed_neighbours import BACKEND as PRECOMPUTED
from consilience_server.engine.protocol import ENGINE_VERSION, NeighbourEngine
from consilience_server.engine.snapshot import Snapshot

__all__ = ["MatchLimits", "MatchQuery", "Matching", "MutualPairsQuery"]

_HASH_INLINE_BYTES = 1 << 20
"""Queries up to this size are hashed on the event loop (a millisecond); larger ones in a thread."""


_INLINE_MATCHES = 512
"""Matches up to this number are encoded on the event loop: a thread would take longer to start."""

_INLINE_VALUES = 1 << 14
"""Likewise for the check of query vectors with up to this many values."""


@dataclass(frozen=True)
class _Route:
    """Where a query goes: versions pinned, bridge read.

    `source` is the space whose items are needed (ids or bank); within a space it is the gallery itself, None where nothing is needed.
    """

    artefact: BridgeArtefact | None
    gallery_name: str
    gallery: SpaceUse
    source_name: str
    source: SpaceUse | None

    @property
    def field(self) -> str:
        """Of the request: what named the spaces."""
        return "space" if self.artefact is None else "bridge"

    @property
    def subject(self) -> tuple[str, ...]:
        """Names the gallery as it is searched."""
        return (self.artefact.uid if self.artefact else "", self.gallery.uid, str(self.gallery.version))

    @property
    def gallery_version_field(self) -> str:
        """Of the request: what pins the gallery's version."""
        return "space.version" if self.artefact is None else "gallery_version"


class Matching:
    """The use cases of MatchService; answers are cached by what they were computed from.

    They are exact relative to the mapped query, unless an approximate index was named.
    """

    def __init__(
        self,
        *,
        snapshots: Snapshots,
        tables: Tables,
        derived: DerivedVectors,
        pool: ComputePool,
        engine: NeighbourEngine,
        indexes: ApproximateIndexes,
        results: ResultCache,
        metrics: Metrics,
        limits: MatchLimits,
        batches: QueryBatches,
    ) -> None:
        self._snapshots = snapshots
        self._derived = derived
        self._pool = pool
        self._engine = engine
        self._results = results
        self._metrics = metrics
        self._limits = limits
        self._batches = batches
        self._terms = CslsTerms(derived, tables, engine, metrics)
        self._approximate = ApproximateMatching(derived, pool, engine, indexes, metrics)
        self._mutual = MutualMatching(snapshots, derived, self._terms, pool, engine, metrics)

    async def match(self, call: Call, query: MatchQuery, encode: Callable[[MatchReport], bytes]) -> bytes:
        """The k best of each query, encoded.

        Through a bridge, queries and gallery meet in the centred target space under cosine (`bridges/apply.py`); within a space, raw under
        the space's similarity. Equal scores go by gallery row.

        Raises:
            InvalidArgument, ShapeMismatch, DimensionMismatch, NotFinite, ZeroVector: the queries.
            InvalidK, UnknownMethod, MessageTooLarge: what is asked of them.
            SpaceNotFound, BridgeNotFound, ItemNotFound, VersionExpired, WrongSpace: where.
            DeviceMissing: the index that is named needs a GPU.
            MemoryBudget, Overloaded.
        """
        check_match(query, self._limits)
        self._approximate.require(query.index)
        route = await self._route(call, query)
        key = await self._key(query, route)

        async def compute(work: Call) -> bytes:
            report = await self._report(work, query, route)
            if len(report.ids) <= _INLINE_MATCHES:
                started = time.perf_counter()
                encoded = encode(report)
                work.spent("encode", time.perf_counter() - started)
                self._metrics.stage("encode", work.operation, time.perf_counter() - started)
                return encoded
            return await self._pool.run(work, "encode", lambda: encode(report))

        return await self._results.serve(call, key, compute)

    async def mutual_pairs(self, call: Call, query: MutualPairsQuery) -> MutualPairs:
        """The pairs of two spaces that are each other's nearest; see `MutualMatching.pairs`."""
        check_correction(query.correction, query.correction_k, self._limits)
        return await self._mutual.pairs(call, query)

    async def estimate_seconds(self, call: Call, query: MatchQuery) -> float:
        """A rough estimate of a match from scratch: the scans at the machine's usual rate, the bank's map and term among them."""
        check_match(query, self._limits)
        self._approximate.require(query.index)
        route = await self._route(call, query)
        gallery = await self._snapshots.record(route.gallery_name, field=route.field)
        if query.index is not None:
            size, rate = (gallery.item_count, gallery.spec.dim), self._limits.flops_per_second
            return self._approximate.estimate_seconds(query.index, route.subject, *size, rate)
        scan = 2.0 * gallery.item_count * gallery.spec.dim
        work = scan * query.count
        if query.correction == "csls" and route.source is not None:
            bank = await self._snapshots.record(route.source_name, field=route.field)
            work += scan * (query.count + bank.item_count)
            if route.artefact is not None:
                work += 8.0 * bank.item_count * bank.spec.dim * gallery.spec.dim
        return work / self._limits.flops_per_second

    async def _route(self, call: Call, query: MatchQuery) -> _Route:
        """Read the bridge, pin the versions, refuse what does not fit together."""
        call.remaining()
        if query.space is not None:
            record = await self._snapshots.record(query.space.name, field="space")
            if record.spec.kernel is not None:
                check_kernel_query(query, query.space.name)
            _check_columns(query, record, f"space {query.space.name!r}")
            use = _pinned(record, query.space.version, "space.version")
            return _Route(None, query.space.name, use, query.space.name, use)
        artefact = await self._derived.bridge(call, query.bridge)
        records = {}
        for side, name in (("source", artefact.source_name), ("target", artefact.target_name)):
            records[side] = await self._snapshots.record(name, field="bridge")
            check_uid(artefact, side, records[side].uid)
        _check_columns(query, records["source"], f"the source space {artefact.source_name!r} of bridge {query.bridge!r}")
        needed = query.vectors is None or query.correction != "none" or query.index is not None
        return _Route(
            artefact,
            artefact.target_name,
            _pinned(records["target"], query.gallery_version, "gallery_version"),
            artefact.source_name,
            _pinned(records["source"], 0, "bridge") if needed else None,
        )

    @staticmethod
    async def _key(query: MatchQuery, route: _Route) -> str:
        corrected = query.correction != "none"
        parameters = {
            "bridge": route.artefact.uid if route.artefact else None,
            "ids": None if query.vectors is not None else list(query.ids),
            "shape": None if query.vectors is None else list(query.vectors.shape),
            "k": query.k,
            "correction": query.correction,
            "correction_k": query.correction_k if corrected else None,
            "index": (query.index.name, query.index.effort) if query.index else None,
            "gallery_ids": sorted(set(query.gallery_ids)) if query.gallery_ids is not None else None,
            "exclude_ids": sorted(set(query.exclude_ids)),
        }
        uses = [route.gallery] + ([route.source] if route.source else [])
        if query.vectors is None:
            return cache_key("match", parameters, uses)
        # The bits as they lie; float32 little-endian, row by row.
        content = np.ascontiguousarray(query.vectors).data.cast("B")
        if content.nbytes <= _HASH_INLINE_BYTES:
            return cache_key("match", parameters, uses, content)
        return await asyncio.to_thread(cache_key, "match", parameters, uses, content)

    async def _report(self, call: Call, query: MatchQuery, route: _Route) -> MatchReport:
        prepare, scan = call.part(0.0, 0.7), call.part(0.7, 1.0)
        async with AsyncExitStack() as held:
            gallery = await held.enter_async_context(
                self._snapshots.hold(
                    call,
                    route.gallery_name,
                    route.gallery.version,
                    field=route.field,
                    version_field=route.gallery_version_field,
                    kernels=route.artefact is None,
                )
            )
            _check_same(gallery, route.gallery, route.field)
            if gallery.kernel is not None:
                return _report_of(query, route, gallery, await self._found_in_kernel(scan, query, gallery, gallery.kernel), gallery.n)
            source = None
            if route.artefact is None:
                search = await self._within(prepare, query, gallery)
            else:
                if route.source is not None:
                    source = await held.enter_async_context(
                        self._snapshots.hold(call, route.source_name, route.source.version, field="bridge", version_field="bridge")
                    )
                    _check_same(source, route.source, route.field)
                search = await self._through(prepare, query, route.artefact, gallery, source)
            _check_size(query, search.candidates, gallery)
            items = gallery.n
            if query.index is not None:
                probe = await self._probe(prepare, query, route, search, source)
                found = await self._approximate.find(scan, search, query.k, query.index, route.subject, probe)
            elif query.filtered:
                found, items = await self._found_in_part(scan, query, search, gallery)
            else:
                found = await self._batches.find(scan, search, query.k, query.correction_k)
            return _report_of(query, route, gallery, found, items)

    async def _found_in_kernel(self, call: Call, query: MatchQuery, space: Snapshot, kind: KernelKind) -> Found:
        rows = await asyncio.to_thread(rows_of, space.ids, query.ids, space.name.removeprefix("spaces/"), "ids.ids")
        _check_size(query, space.n - 1, space)
        corrected = query.correction == "csls"
        found = await self._pool.run(
            call,
            "scan",
            lambda: find_in_kernel(space.vectors, kind, rows, query.k, query.correction_k, call.control, corrected=corrected),
            nbytes=kernel_match_bytes(len(rows), space.n, query.k, query.correction_k if corrected else query.k),
        )
        self._metrics.batch(PRECOMPUTED, len(rows))
        return found

    async def _found_in_part(self, call: Call, query: MatchQuery, search: Search, gallery: Snapshot) -> tuple[Found, int]:
        """What was found, and the size of the part."""
        part = await asyncio.to_thread(gallery_part, gallery, query.gallery_ids, query.exclude_ids)
        check_part(part, search, query.k)
        found = await self._pool.run(
            call,
            "scan",
            lambda: find_in_part(search, part, query.k, query.correction_k, self._engine, self._metrics, call.control),
            nbytes=part_bytes(part, search, query.k, query.correction_k, self._engine),
        )
        return found, len(part.rows)

    async def _probe(self, call: Call, query: MatchQuery, route: _Route, search: Search, source: Snapshot | None) -> Probe:
        """Items of the bridge's source space, mapped; within a space its own that the index lacks, which do not match themselves."""
        if route.artefact is not None and source is not None and source.n:
            ready, rows = await self._derived.ready_map(call, route.artefact), probe_rows(source.n)

            def mapped(control: Control) -> tuple[NDArray[np.float32], NDArray[np.int64] | None]:
                return map_vectors(ready, source.vectors[rows], control, source.ids[rows]), None

            return Probe(("source", source.uid, str(source.version)), mapped)
        own = own_probe_rows(len(search.gallery))
        alone = query.k < len(search.gallery)
        return Probe(("own", str(alone)), lambda _: (search.gallery[own], own if alone else None))

    async def _within(self, call: Call, query: MatchQuery, space: Snapshot) -> Search:
        """Raw queries in the space itself; items asked by id are not their own matches."""
        exclude = None
        if query.vectors is None:
            exclude = await asyncio.to_thread(rows_of, space.ids, query.ids, space.name.removeprefix("spaces/"), "ids.ids")
            queries = space.vectors[exclude]
        else:
            queries = np.ascontiguousarray(query.vectors)
            if queries.size <= _INLINE_VALUES:
                check_vectors(queries, space.similarity, None, "vectors")
            else:
                await asyncio.to_thread(check_vectors, queries, space.similarity, None, "vectors")
        term = await self._terms.within(call, space, query.correction_k) if query.correction == "csls" else None
        return Search(queries, space.vectors, space.similarity, exclude, term)

    async def _through(self, call: Call, query: MatchQuery, artefact: BridgeArtefact, target: Snapshot, source: Snapshot | None) -> Search:
        """Mapped queries in the centred target space."""
        first = call.part(0.0, 0.2)
        ready = await self._derived.ready_map(first, artefact)
        queries = await self._mapped_queries(first, query, ready, source)
        gallery = await self._derived.gallery(first, artefact, target)
        term = None
        if query.correction == "csls" and source is not None:
            bank = Side(source.uid, source.version, await self._derived.bank(call.part(0.2, 0.5), artefact, source))
            searched = Side(target.uid, target.version, gallery)
            term = await self._terms.across(call.part(0.5, 1.0), searched, bank, Similarity.COSINE, artefact.uid, query.correction_k)
        return Search(queries, gallery, Similarity.COSINE, None, term)

    async def _mapped_queries(self, call: Call, query: MatchQuery, ready: ReadyMap, source: Snapshot | None) -> NDArray[np.float32]:
        def compute() -> NDArray[np.float32]:
            if query.vectors is not None:
                vectors, ids = query.vectors, None
                # A map needs a direction, whatever the similarity of the source space.
                check_vectors(vectors, Similarity.COSINE, field="vectors")
            elif source is not None:
                rows = rows_of(source.ids, query.ids, source.name.removeprefix("spaces/"), "ids.ids")
                vectors, ids = source.vectors[rows], source.ids[rows]
            return map_vectors(ready, vectors, call.control, ids)

        return await self._pool.run(call, "load", compute, nbytes=8 * query.count * (ready.source_dim + ready.width))


def _report_of(query: MatchQuery, route: _Route, gallery: Snapshot, found: Found, items: int) -> MatchReport:
    return MatchReport(
        ids=gallery.ids[found.rows.ravel()].tolist(),
        similarities=found.similarities,
        scores=found.scores,
        correction=query.correction,
        gallery=route.gallery,
        bridge=query.bridge,
        bridge_uid=route.artefact.uid if route.artefact else "",
        certificate=found.certificate,
        engine=ENGINE_VERSION,
        source=route.source if route.artefact else None,
        index=query.index,
        recall=found.recall,
        gallery_items=items,
    )


def _check_columns(query: MatchQuery, record: SpaceRecord, what: str) -> None:
    if query.vectors is not None:
        check_width(query.vectors.shape[1], record.spec.dim, what, "vectors")


def _pinned(record: SpaceRecord, version: int, field: str) -> SpaceUse:
    if version > record.version:
        raise VersionExpired(f"space {record.spec.name!r} has no version {version}; the newest is {record.version}", field=field)
    return SpaceUse(f"spaces/{record.spec.name}", record.uid, version or record.version)


def _check_same(snapshot: Snapshot, use: SpaceUse, field: str) -> None:
    if snapshot.uid != use.uid:
        raise VersionExpired(f"{use.name} was deleted and made anew meanwhile; ask again", field=field)


def _check_size(query: MatchQuery, candidates: int, gallery: Snapshot) -> None:
    for k, field in ((query.k, "k"), (query.correction_k if query.correction == "csls" else 1, "correction_k")):
        if k > candidates:
            raise InvalidK(
                f"{field} is {k}, but {gallery.name} has {candidates:,} items to match with, so it may be at most {candidates}",
                field=field,
                k=k,
                limit=candidates,
            )
