"""What spaces agree on, as a space of its own: the use case."""

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, replace

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment import Alignment
from consilience_server.app.alignment_query import at_size, check_spec
from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.cache_key import cache_key
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.consensus_query import ConsensusQuery, ConsensusReport, check_consensus, consensus_warnings
from consilience_server.app.deduplication import Deduplication, near_duplicates_told
from consilience_server.app.derived_space import DerivedSpaces
from consilience_server.app.item_groups import ItemGroups, with_attributes
from consilience_server.app.joined_scores import JoinedScores
from consilience_server.app.joins import Join, join
from consilience_server.app.measurement import measurement
from consilience_server.app.pinned_versions import pin_versions
from consilience_server.app.ports import SpaceRecord, SpaceSpec
from consilience_server.app.reports import AlignmentReport, SpaceUse
from consilience_server.app.result_cache import ResultCache
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.tables import Tables
from consilience_server.core.mutual_knn import chance
from consilience_server.core.similarity import Similarity
from consilience_server.engine.consensus_configurations import Configurations
from consilience_server.engine.consensus_coordinates import ConsensusCoordinates, ConsensusEngine, consensus_bytes
from consilience_server.engine.protocol import ENGINE_VERSION
from consilience_server.engine.snapshot import Snapshot

_USUAL_ROUNDS = 40
"""Of generalised Procrustes among noisy spaces."""

_SLOWER = 5.0
"""Decompositions run at a fraction of the rate of scans."""


class Consensus:
    """Brings M spaces together over their common items, and measures each against the others."""

    def __init__(
        self, alignment: Alignment, snapshots: Snapshots, tables: Tables, results: ResultCache, pool: ComputePool, derived: DerivedSpaces
    ) -> None:
        self._alignment = alignment
        self._limits = alignment.limits
        self._scores = JoinedScores(tables, pool, alignment.limits.threads)
        self._deduplication = Deduplication(tables, pool)
        self._snapshots = snapshots
        self._results = results
        self._pool = pool
        self._derived = derived

    async def consensus(self, call: Call, query: ConsensusQuery, request_id: str, encode: Callable[[ConsensusReport], bytes]) -> bytes:
        """The consensus, encoded; with a name it is kept as a space of vectors under squared L2 first, and the answer is not cached.

        Args:
            call: the caller.
            query: what is asked.
            request_id: the same again finds the space that it made.
            encode: of the answer.

        Raises:
            InvalidArgument: what `check_consensus` refuses; InvalidName, SpaceExists: the name.
            SpaceNotFound, VersionExpired, NoCommonItems, InvalidK, TooFewItems, ConstantFeatures, MemoryBudget, Overloaded.
        """
        check_spec(query.spec, self._limits)
        check_consensus(query)
        # The name of the upload; a caller who gives none cannot repeat it.
        request_id = request_id or secrets.token_hex(16)
        if query.name:
            await self._derived.check_new(call, query.name, request_id)
        fields = [f"spaces[{at}]" for at in range(len(query.spaces))]
        pinned = await pin_versions(self._snapshots, query.spaces, fields)
        queries = [SpaceQuery(each.name, use.version) for each, use in zip(query.spaces, pinned, strict=True)]

        async def compute(work: Call) -> bytes:
            async with AsyncExitStack() as held:
                snapshots = [
                    await held.enter_async_context(self._snapshots.hold(work, each.name, each.version, field=field, kernels=True))
                    for each, field in zip(queries, fields, strict=True)
                ]
                report = await self._report(work, query, pinned, snapshots)
            if query.name:
                report = replace(report, record=await self._keep(work, query, report, request_id))
            return await self._pool.run(work, "encode", lambda: encode(report))

        if query.name:
            return await compute(call)
        return await self._results.serve(call, cache_key("consensus", asdict(replace(query, spaces=())), pinned), compute)

    async def estimate_seconds(self, query: ConsensusQuery) -> float:
        """Of the alignments, each table counted twice (of a space, and of the consensus without it), and of the decompositions.

        What will be refused is 0.
        """
        check_consensus(query)
        alignments = await self._alignment.estimate_seconds(query.spaces, query.spec)
        records = [await self._snapshots.record(space.name, field="spaces") for space in query.spaces]
        n = min(record.item_count for record in records)
        widths = [record.width for record in records]
        if query.method == "procrustes":
            widths = [min(width, n) for width in widths]
        columns = sum(widths)
        side = columns if query.method == "procrustes" else min(n, columns)
        flops = 2.0 * n * columns * side + (len(records) + 1) * (10.0 * side**3 + 2.0 * n * columns * query.rank)
        if query.method == "procrustes":
            flops += 10.0 * n**3 * sum(record.width >= n for record in records)
            widest = max(widths)
            flops += (len(records) + 1) * _USUAL_ROUNDS * (2.0 * columns**2 * widest + 20.0 * columns * widest**2)
        return 2.0 * alignments + _SLOWER * flops / self._limits.flops_per_second if alignments else 0.0

    async def _report(self, call: Call, query: ConsensusQuery, uses: Sequence[SpaceUse], snapshots: Sequence[Snapshot]) -> ConsensusReport:
        joined = await asyncio.to_thread(join, snapshots, "spaces")
        common, threshold = joined.n, query.spec.deduplicate
        if threshold:
            # Near-duplicates in any of the spaces leave all of them, or each alignment would be of other items.
            joined = await self._deduplication.apart(call.part(0.0, 0.1), snapshots, joined, threshold)
        configurations = await self._pool.run(call, "load", lambda: _configurations(snapshots, joined))
        spec = at_size(replace(query.spec, deduplicate=0.0), joined.n, self._limits)
        query = replace(query, spec=spec)
        joined, groups = await with_attributes(self._snapshots, call, snapshots, joined, spec)
        agreement = await self._scores.agreement_of_items(call.part(0.1 if threshold else 0.0, 0.2), snapshots, joined, spec)
        widths = [joined.n if snapshot.kernel is not None else snapshot.dim for snapshot in snapshots]
        copies = sum(8 * joined.n * width for width in widths)
        with self._pool.holding(call, copies):
            nbytes = consensus_bytes(joined.n, widths, query.method, query.rank)
            part = call.part(0.2, 0.4)
            engine = await self._pool.run(
                part, "statistics", lambda: ConsensusEngine(configurations, query.method, part.control), nbytes=nbytes
            )
            reports = []
            for at in range(len(snapshots)):
                step = call.part(0.4 + 0.5 * at / len(snapshots), 0.4 + 0.5 * (at + 1) / len(snapshots))
                reports.append(await self._left_out(step, query, engine, snapshots, joined, groups, at, nbytes))
            everyone, control = list(range(len(snapshots))), call.control
            found = await self._pool.run(call, "statistics", lambda: engine.of(everyone, query.rank, control), nbytes=nbytes)
        order = np.lexsort((np.arange(joined.n), agreement))
        extremes = min(query.extremes, joined.n)
        return ConsensusReport(
            query=query,
            spaces=tuple(uses),
            n=joined.n,
            k=spec.ks[0],
            coordinates=found,
            ids=joined.ids,
            leave_one_out=tuple(reports),
            agreement=agreement,
            chance=chance(spec.ks[0], joined.n),
            least=order[:extremes],
            most=np.lexsort((np.arange(joined.n), -agreement))[:extremes],
            warnings=(*consensus_warnings(query, reports, found), *near_duplicates_told(common, joined.n, threshold)),
            measurement=await asyncio.to_thread(measurement, spec, snapshots, joined, common, threshold),
            kernel_rules=tuple("" if snapshot.kernel is None else snapshot.kernel.kernel_rule for snapshot in snapshots),
            engine=ENGINE_VERSION,
        )

    async def _left_out(
        self,
        call: Call,
        query: ConsensusQuery,
        engine: ConsensusEngine,
        snapshots: Sequence[Snapshot],
        joined: Join,
        groups: ItemGroups | None,
        at: int,
        nbytes: int,
    ) -> AlignmentReport:
        """The alignment of one space with the consensus of the others."""
        others = [other for other in range(len(snapshots)) if other != at]
        found = await self._pool.run(call, "statistics", lambda: engine.of(others, query.rank, call.control), nbytes=nbytes)
        pair = replace(joined, rows=(joined.rows[at], np.arange(joined.n)))
        consensus = _snapshot(found, [snapshots[other] for other in others], joined, query)
        return await self._alignment.report(call, (snapshots[at], consensus), pair, query.spec, groups)

    async def _keep(self, call: Call, query: ConsensusQuery, report: ConsensusReport, request_id: str) -> SpaceRecord:
        sources = " ".join(f"{use.name.removeprefix('spaces/')}@{use.version}" for use in report.spaces)
        vectors = report.coordinates.vectors
        spec = SpaceSpec(query.name, vectors.shape[1], Similarity.SQUARED_L2, model=f"consensus {query.method} of {sources}")
        return await self._derived.keep(call, spec, report.ids, vectors, request_id)


def _configurations(snapshots: Sequence[Snapshot], joined: Join) -> Configurations:
    arrays = [_of_items(snapshot, rows) for snapshot, rows in zip(snapshots, joined.rows, strict=True)]
    unit = [snapshot.kernel is None and snapshot.similarity is Similarity.COSINE for snapshot in snapshots]
    return Configurations([snapshot.name for snapshot in snapshots], arrays, unit, [snapshot.kernel for snapshot in snapshots])


def _of_items(snapshot: Snapshot, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Some rows of vectors, or of a kernel with their columns."""
    if len(rows) == snapshot.n:
        return snapshot.vectors
    return snapshot.vectors[rows] if snapshot.kernel is None else snapshot.vectors[np.ix_(rows, rows)]


def _snapshot(found: ConsensusCoordinates, sources: Sequence[Snapshot], joined: Join, query: ConsensusQuery) -> Snapshot:
    """The consensus as alignments read spaces; its uid is a digest of what it was made from, so that its table is found again."""
    digest = hashlib.blake2b(digest_size=16)
    made = [query.method, str(query.rank), joined.digest, *(f"{each.uid}@{each.version}" for each in sources)]
    digest.update("\n".join(made).encode())
    return Snapshot("", f"consensus-{digest.hexdigest()}", 0, Similarity.SQUARED_L2, joined.ids, found.vectors)
