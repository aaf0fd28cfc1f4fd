"""Alignment of spaces over their common items: the use cases of AlignmentService."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict

from consilience_server.app.alignment_query import check_spec, estimated_seconds, in_numbers, too_few
from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec, ControlQuery, GroupQuery, SpaceQuery
from consilience_server.app.array_alignment import ArrayAlignment
from consilience_server.app.cache_key import cache_key
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.controls import all_spaces, check_controls, spaces_asked
from consilience_server.app.deduplication import Deduplication
from consilience_server.app.given_space import check_given
from consilience_server.app.joined_scores import JoinedScores
from consilience_server.app.joins import join
from consilience_server.app.layered_alignment import LayeredAlignment
from consilience_server.app.matrix_alignment import MatrixAlignment
from consilience_server.app.pair_reports import PairReports
from consilience_server.app.pinned_versions import pin_versions
from consilience_server.app.reports import AlignmentReport
from consilience_server.app.result_cache import ResultCache
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.tables import Tables


class Alignment:
    """Measures how far spaces agree; learns nothing. Answers are cached by what they were computed from.

    Attributes:
        align_arrays: of arrays that are stored nowhere, `ArrayAlignment.align`.
        align_matrix: of all pairs of many spaces, `MatrixAlignment.align`.
        layers: the spaces of a side, `LayeredAlignment.layers`.
        report: of two snapshots over a join, not cached, `PairReports.report`.
        apart: the common items without near-duplicates, `PairReports.apart`.
    """

    def __init__(self, snapshots: Snapshots, tables: Tables, results: ResultCache, pool: ComputePool, limits: AlignmentLimits) -> None:
        scores, deduplication = JoinedScores(tables, pool, limits.threads), Deduplication(tables, pool)
        self._pairs = PairReports(snapshots, scores, deduplication, pool, limits)
        self._layered = LayeredAlignment(snapshots, scores, deduplication, results, pool, limits)
        self.align_arrays = ArrayAlignment(self._pairs, self._layered, pool, limits).align
        self.align_matrix = MatrixAlignment(snapshots, scores, self._pairs, results, pool, limits).align
        self.layers = self._layered.layers
        self.report = self._pairs.report
        self.apart = self._pairs.apart
        self._snapshots = snapshots
        self._results = results
        self._pool = pool
        self._limits = limits

    @property
    def limits(self) -> AlignmentLimits:
        """What one alignment may ask."""
        return self._limits

    async def align(
        self,
        call: Call,
        x: SpaceQuery | GroupQuery,
        y: SpaceQuery | GroupQuery,
        spec: AlignmentSpec,
        encode: Callable[[AlignmentReport], bytes],
        controls: Sequence[ControlQuery] = (),
        given: SpaceQuery | None = None,
    ) -> bytes:
        """The alignment of two spaces, encoded; with controls, over the items common to all. Groups are compared layer by layer.

        With a `given` space, of what it does not explain of them (`core/partial.py`).

        Raises:
            SpaceNotFound, VersionExpired, NoCommonItems, InvalidK, TooFewItems, ConstantFeatures, MemoryBudget, Overloaded.
        """
        check_spec(spec, self._limits)
        check_controls(x, y, controls)
        if given is not None:
            check_given(x, y, given, spec)
        asked, fields = spaces_asked(x, y, controls, given)
        if not all_spaces(asked):
            return await self._layered.align(call, x, y, spec, encode, controls, given)
        pinned = await pin_versions(self._snapshots, asked, fields)
        key = cache_key(
            "align", {**asdict(spec), "controls": [control.in_place_of for control in controls], "given": given is not None}, pinned
        )
        queries = [SpaceQuery(query.name, use.version) for query, use in zip(asked, pinned, strict=True)]

        async def compute(work: Call) -> bytes:
            async with AsyncExitStack() as held:
                snapshots = [
                    await held.enter_async_context(self._snapshots.hold(work, query.name, query.version, field=field, kernels=True))
                    for query, field in zip(queries, fields, strict=True)
                ]
                joined = await asyncio.to_thread(join, snapshots)
                sides = [control.in_place_of for control in controls]
                if given is None:
                    report = await self._pairs.report(work, snapshots, joined, spec, sides=sides)
                else:
                    report = await self._pairs.report_beyond(work, snapshots, joined, spec, sides)
                return await self._pool.run(work, "encode", lambda: encode(report))

        return await self._results.serve(call, key, compute)

    async def estimate_seconds(self, spaces: Sequence[SpaceQuery], spec: AlignmentSpec, fields: Sequence[str] = ()) -> float:
        """See `estimated_seconds`; `fields` name the spaces in refusals.

        What will be refused for its size is 0, so that it is refused in the call and no operation is begun for it.
        """
        check_spec(spec, self._limits)
        named = zip(spaces, fields or ["spaces"] * len(spaces), strict=True)
        records = [await self._snapshots.record(query.name, field=field) for query, field in named]
        items = [record.item_count for record in records]
        spec = in_numbers(spec, min(items))
        # An older version may have more items than the newest, whose number is the one known here.
        newest = all(query.version in (0, record.version) for query, record in zip(spaces, records, strict=True))
        if newest and too_few(min(items), spec):
            return 0.0
        return estimated_seconds(items, [record.width for record in records], spec, self._limits)

    async def estimate_align(
        self,
        x: SpaceQuery | GroupQuery,
        y: SpaceQuery | GroupQuery,
        spec: AlignmentSpec,
        controls: Sequence[ControlQuery] = (),
        given: SpaceQuery | None = None,
    ) -> float:
        """`estimate_seconds` of `align` with these arguments."""
        asked, fields = spaces_asked(x, y, controls, given)
        if all_spaces(asked):
            return await self.estimate_seconds(asked, spec, fields)
        return await self._layered.estimate_seconds(asked, fields, spec)
