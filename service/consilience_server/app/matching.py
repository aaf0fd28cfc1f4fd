"""Matches: the nearest items of a gallery for each query, within a space or through a bridge."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TypeVar

import numpy as np

from consilience_server.app.approximate_matching import ApproximateMatching
from consilience_server.app.assignment import assign, check_assignment
from consilience_server.app.attribute_filter import AttributeFilters
from consilience_server.app.cache_key import cache_key
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.derived_vectors import DerivedVectors
from consilience_server.app.gallery_filter import GalleryPart, check_part, find_in_part, gallery_part, part_bytes
from consilience_server.app.gallery_search import Found, Search
from consilience_server.app.item_terms import TermSource
from consilience_server.app.kernel_matching import find_in_kernel, kernel_match_bytes
from consilience_server.app.match_cost import match_seconds
from consilience_server.app.match_probability import MatchProbabilities, as_if_new
from consilience_server.app.match_query import MatchLimits, MatchQuery, check_match
from consilience_server.app.match_route import MatchRoute, check_same, match_route
from consilience_server.app.match_search import MatchSearches
from consilience_server.app.mixed_sources import SourceMarks
from consilience_server.app.mutual_matching import MutualMatching
from consilience_server.app.pairs_query import MutualPairsQuery, check_pairs
from consilience_server.app.ports import Metrics
from consilience_server.app.query_batching import QueryBatches
from consilience_server.app.reports import MatchReport, PairBlock, PairsSummary
from consilience_server.app.result_cache import ResultCache
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.spaces import rows_of
from consilience_server.app.tables import Tables
from consilience_server.core.errors import InvalidK
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.engine.choose_index import ApproximateIndexes
from consilience_server.engine.precomputed_neighbours import BACKEND as PRECOMPUTED
from consilience_server.engine.protocol import ENGINE_VERSION, NeighbourEngine
from consilience_server.engine.snapshot import Snapshot

__all__ = ["MatchLimits", "MatchQuery", "Matching", "MutualPairsQuery"]

T = TypeVar("T")

_HASH_INLINE_BYTES = 1 << 20
"""Queries up to this size are hashed on the event loop (a millisecond); larger ones in a thread."""

_INLINE_MATCHES = 512
"""Matches up to this number are encoded on the event loop: a thread would take longer to start."""


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
        terms = TermSource(derived, tables, engine, metrics)
        self._searches = MatchSearches(derived, terms, pool)
        self._probabilities = MatchProbabilities(derived, pool, engine, metrics)
        self._attributes = AttributeFilters(snapshots, derived)
        self._marks = SourceMarks(snapshots, derived)
        self._approximate = ApproximateMatching(derived, pool, engine, indexes, metrics)
        self._mutual = MutualMatching(snapshots, derived, terms, pool, engine, metrics)

    async def match(self, call: Call, query: MatchQuery, encode: Callable[[MatchReport], bytes]) -> bytes:
        """The k best of each query, encoded.

        Through a bridge, queries and gallery meet in the centred target space under cosine (`bridges/apply.py`); within a space, raw under
        the space's similarity. Equal scores go by gallery row.

        Raises:
            InvalidArgument, ShapeMismatch, DimensionMismatch, NotFinite, ZeroVector: the queries.
            InvalidK, UnknownMethod, MessageTooLarge: what is asked of them.
            InvalidAttribute: items of several sources are searched together (`app/mixed_sources.py`).
            SpaceNotFound, BridgeNotFound, ItemNotFound, VersionExpired, WrongSpace: where.
            DeviceMissing: the index that is named needs a GPU.
            MemoryBudget, Overloaded.
        """
        check_match(query, self._limits)
        self._approximate.require(query.index)
        route = await match_route(call, query, self._snapshots, self._derived)
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

    def mutual_pairs(self, call: Call, query: MutualPairsQuery, write: Callable[[PairBlock], T]) -> AsyncGenerator[T, None]:
        """The pairs of two spaces in blocks; see `MutualMatching.blocks`."""
        check_pairs(query, self._limits)
        return self._mutual.blocks(call, query, write)

    async def find_mutual_pairs(self, call: Call, query: MutualPairsQuery) -> tuple[PairsSummary, str]:
        """How many pairs there are and a token that tells them; see `MutualMatching.find`."""
        check_pairs(query, self._limits)
        return await self._mutual.find(call, query)

    async def estimate_pairs_seconds(self, call: Call, query: MutualPairsQuery) -> float:
        """A rough estimate of mutual pairs; see `MutualMatching.estimate_flops`."""
        check_pairs(query, self._limits)
        return await self._mutual.estimate_flops(call, query) / self._limits.flops_per_second

    async def estimate_seconds(self, call: Call, query: MatchQuery) -> float:
        """A rough estimate of a match from scratch: the scans at the machine's usual rate, the bank's map and term among them."""
        check_match(query, self._limits)
        self._approximate.require(query.index)
        route = await match_route(call, query, self._snapshots, self._derived)
        return await match_seconds(query, route, self._snapshots, self._approximate, self._limits)

    async def _key(self, query: MatchQuery, route: MatchRoute) -> str:
        parameters = {
            "bridge": (route.artefact.uid, self._derived.runtime) if route.artefact else None,
            "ids": None if query.vectors is not None else list(query.ids),
            "shape": None if query.vectors is None else list(query.vectors.shape),
            "k": query.k,
            "correction": query.corrected.parameters,
            "index": (query.index.name, query.index.effort) if query.index else None,
            "gallery_ids": sorted(set(query.gallery_ids)) if query.gallery_ids is not None else None,
            "exclude_ids": sorted(set(query.exclude_ids)),
            "filter": query.filter,
            "probability": query.probability,
            "one_to_one": query.one_to_one,
        }
        uses = [route.gallery] + ([route.source] if route.source else [])
        if query.vectors is None:
            return cache_key("match", parameters, uses)
        # The bits as they lie; float32 little-endian, row by row.
        content = np.ascontiguousarray(query.vectors).data.cast("B")
        if content.nbytes <= _HASH_INLINE_BYTES:
            return cache_key("match", parameters, uses, content)
        return await asyncio.to_thread(cache_key, "match", parameters, uses, content)

    async def _report(self, call: Call, query: MatchQuery, route: MatchRoute) -> MatchReport:
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
            check_same(route.gallery, gallery.uid, route.field)
            if gallery.kernel is not None:
                return _report_of(query, route, gallery, await self._found_in_kernel(scan, query, gallery, gallery.kernel), gallery.n)
            if not (query.filtered or query.one_to_one):
                await self._marks.refuse(call, gallery, None, route.field)
            source = None
            if route.artefact is None:
                search = await self._searches.within(prepare, query, gallery)
            else:
                if route.source is not None:
                    source = await held.enter_async_context(
                        self._snapshots.hold(call, route.source_name, route.source.version, field="bridge", version_field="bridge")
                    )
                    check_same(route.source, source.uid, route.field)
                search = await self._searches.through(prepare, query, route.artefact, gallery, source)
            _check_size(query, search.candidates, gallery)
            items = gallery.n
            if query.index is not None:
                probe = await self._searches.probe(prepare, query, route, search, source)
                found = await self._approximate.find(scan, search, query.k, query.index, route.index_subject(query.corrected), probe)
            elif query.one_to_one:
                found, items = await self._assigned(scan, query, search, gallery)
            elif query.filtered:
                found, items = await self._found_in_part(scan, query, search, gallery)
            else:
                found = await self._batches.find(scan, search, query.k)
            report = _report_of(query, route, gallery, found, items)
            if not query.probability or route.artefact is None or source is None:
                return report
            model, why = await self._probabilities.calibration(call, query, route.artefact, search, source, gallery)
            if model is None:
                return replace(report, warnings=(*report.warnings, f"no probabilities: {why}"))
            scores = report.scores if query.vectors is not None else as_if_new(report.scores, query.correction)
            return replace(report, calibration=model, probabilities=model.probabilities(scores))

    async def _found_in_kernel(self, call: Call, query: MatchQuery, space: Snapshot, kind: KernelKind) -> Found:
        rows = await asyncio.to_thread(rows_of, space.ids, query.ids, space.name.removeprefix("spaces/"), "ids.ids")
        _check_size(query, space.n - 1, space)
        corrected = query.corrected
        found = await self._pool.run(
            call,
            "scan",
            lambda: find_in_kernel(space.vectors, kind, rows, query.k, corrected, call.control),
            nbytes=kernel_match_bytes(len(rows), space.n, query.k, corrected.k if corrected.has_neighbourhoods else query.k),
        )
        self._metrics.batch(PRECOMPUTED, len(rows))
        return found

    async def _assigned(self, call: Call, query: MatchQuery, search: Search, gallery: Snapshot) -> tuple[Found, int]:
        """An item for every query, none twice, and the number of items that could be given."""
        part = await self._part(call, query, gallery)
        check_assignment(query, part)
        found = await self._pool.run(
            call,
            "scan",
            lambda: assign(search, part, self._engine, self._metrics, call.control),
            nbytes=part_bytes(part, search, len(part.rows), self._engine) + 32 * query.count * len(part.rows),
        )
        return found, len(part.rows)

    async def _part(self, call: Call, query: MatchQuery, gallery: Snapshot) -> GalleryPart:
        fulfilled = await self._attributes.fulfilled(call, gallery, query.filter) if query.filter else None
        part = await asyncio.to_thread(gallery_part, gallery, query.gallery_ids, query.exclude_ids, fulfilled)
        await self._marks.refuse(call, gallery, part.rows, "filter" if query.filter else "gallery_ids")
        return part

    async def _found_in_part(self, call: Call, query: MatchQuery, search: Search, gallery: Snapshot) -> tuple[Found, int]:
        """What was found, and the size of the part."""
        part = await self._part(call, query, gallery)
        check_part(part, search, query.k)
        found = await self._pool.run(
            call,
            "scan",
            lambda: find_in_part(search, part, query.k, self._engine, self._metrics, call.control),
            nbytes=part_bytes(part, search, query.k, self._engine),
        )
        return found, len(part.rows)


def _report_of(query: MatchQuery, route: MatchRoute, gallery: Snapshot, found: Found, items: int) -> MatchReport:
    return MatchReport(
        ids=gallery.ids[found.rows.ravel()].tolist(),
        similarities=found.similarities,
        scores=found.scores,
        correction=query.correction,
        correction_k=query.correction_k if query.corrected.has_neighbourhoods else 0,
        beta=query.beta if query.correction == "inverted_softmax" else 0.0,
        gallery=route.gallery,
        bridge=query.bridge,
        bridge_uid=route.artefact.uid if route.artefact else "",
        certificate=found.certificate,
        engine=ENGINE_VERSION,
        source=route.source if route.artefact else None,
        index=query.index,
        recall=found.recall,
        gallery_items=items,
        warnings=route.moved,
        one_to_one=query.one_to_one,
    )


def _check_size(query: MatchQuery, candidates: int, gallery: Snapshot) -> None:
    for k, field in ((query.k, "k"), (query.correction_k if query.corrected.has_neighbourhoods else 1, "correction_k")):
        if k > candidates:
            raise InvalidK(
                f"{field} is {k}, but space {gallery.name.removeprefix('spaces/')!r} has {candidates:,} items to match with, so it may be "
                f"at most {candidates}",
                field=field,
                k=k,
                limit=candidates,
            )
