"""Alignment of spaces over their common items: the use cases of AlignmentService."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, replace

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment_query import at_size, check_spec, estimated_seconds, in_numbers, too_few
from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec, ControlQuery, GroupQuery, Side, SpaceQuery
from consilience_server.app.array_layers import ArrayLayers, check_array, cut_layers
from consilience_server.app.arrays_beside import NOTHING_BESIDE, ArraysBeside, snapshots_beside
from consilience_server.app.cache_key import cache_key
from consilience_server.app.call import Call
from consilience_server.app.cautions import matrix_cautions, report_cautions
from consilience_server.app.compute import ComputePool
from consilience_server.app.content_ids import content_ids
from consilience_server.app.controls import check_controls, control_fields, control_report
from consilience_server.app.deduplication import Deduplication
from consilience_server.app.given_space import beyond_given, check_beyond, check_given
from consilience_server.app.item_groups import ItemGroups, numbered, read_groups, with_folds, with_same, with_strata, within_of
from consilience_server.app.item_sample import check_sample, sampled, sampled_items
from consilience_server.app.joined_scores import JoinedScores
from consilience_server.app.joins import Join, join
from consilience_server.app.layered_alignment import LayeredAlignment
from consilience_server.app.layered_scores import LayeredComparison
from consilience_server.app.matrix_scores import MatrixScores
from consilience_server.app.matrix_statistics import matrix_statistics
from consilience_server.app.metric_families.registry import FAMILY_OF
from consilience_server.app.pairwise_answer import matrix_bandwidths, pair_bandwidths, rdm_options
from consilience_server.app.pinned_versions import pin_versions
from consilience_server.app.reports import AlignmentMatrix, AlignmentReport, ItemPolicy, SpaceUse
from consilience_server.app.result_cache import ResultCache
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.tables import Tables, item_digest
from consilience_server.core.errors import InvalidArgument, InvalidK, NotServed, ShapeMismatch
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.score import Score
from consilience_server.core.similarity import Similarity
from consilience_server.engine.protocol import ENGINE_VERSION
from consilience_server.engine.snapshot import Snapshot


class Alignment:
    """Measures how far spaces agree; learns nothing. Answers are cached by what they were computed from."""

    def __init__(self, snapshots: Snapshots, tables: Tables, results: ResultCache, pool: ComputePool, limits: AlignmentLimits) -> None:
        self._snapshots = snapshots
        self._scores = JoinedScores(tables, pool, limits.threads)
        self._matrices = MatrixScores(self._scores, results)
        self._layered = LayeredAlignment(
            snapshots, LayeredComparison(self._scores, pool, limits), Deduplication(tables, pool), results, pool, limits
        )
        self._deduplication = Deduplication(tables, pool)
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
        """The alignment of two spaces, encoded; with controls, over the items common to all. A group is compared layer by layer.

        With a `given` space, of what it does not explain of them (`core/partial.py`).

        Raises:
            SpaceNotFound, VersionExpired, NoCommonItems, InvalidK, TooFewItems, ConstantFeatures, MemoryBudget, Overloaded.
        """
        if isinstance(x, GroupQuery) or isinstance(y, GroupQuery):
            if controls or given is not None:
                field = "controls" if controls else "given"
                raise InvalidArgument(f"{field} stands beside single spaces; name one layer of a group as the side", field=field)
            return await self._layered.align(call, x, y, spec, encode)
        check_spec(spec, self._limits)
        check_controls(x, y, controls)
        asked, fields = [x, y, *(control.space for control in controls)], control_fields(controls)
        if given is not None:
            check_given(x, y, given, spec)
            asked, fields = [*asked, given], [*fields, "given"]
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
                    report = await self._report(work, snapshots, joined, spec, sides=sides)
                else:
                    report = await self._report_beyond(work, snapshots, joined, spec, sides)
                return await self._pool.run(work, "encode", lambda: encode(report))

        return await self._results.serve(call, key, compute)

    async def align_arrays(
        self,
        call: Call,
        x: NDArray[np.float32],
        y: NDArray[np.float32],
        similarity: Similarity,
        spec: AlignmentSpec,
        groups: NDArray[np.integer] | None = None,
        kernels: tuple[KernelKind | None, KernelKind | None] = (None, None),
        layers: tuple[ArrayLayers | None, ArrayLayers | None] = (None, None),
        folds: NDArray[np.int64] | None = None,
        beside: ArraysBeside = NOTHING_BESIDE,
    ) -> AlignmentReport:
        """The alignment of two arrays whose row i is the same item; nothing is stored and nothing cached.

        Items are named by their content, so the answer does not depend on the order of the rows. Random pairings stay within `groups`, one
        number an item, where they are given. A side that is a kernel is its matrix. A side with `layers` holds them one beside the other.
        Rows of equal `folds` stay in one fold of a cross-validation. Arrays `beside` them are controls, and one beyond which they are
        aligned.
        """
        check_spec(spec, self._limits)
        _check_arrays(spec, len(x), len(y))
        if layers == (None, None):
            for name, array, kernel in (("x", x, kernels[0]), ("y", y, kernels[1])):
                await asyncio.to_thread(check_array, array, similarity, kernel, name)
        are_kernels = (kernels[0] is not None, kernels[1] is not None)
        ids = await self._pool.run(call, "load", lambda: content_ids(x, y, kernels=are_kernels), nbytes=x.nbytes + y.nbytes)
        # The digest as a version would not fit a space: arrays are their own, keyed by content, so that a repeat finds its tables.
        digest = await asyncio.to_thread(item_digest, ids.tolist())
        rows, of_items = np.arange(len(ids)), None
        if groups is not None:
            if len(groups) != len(x):
                raise ShapeMismatch(f"within_groups has {len(groups):,} entries for {len(x):,} rows", field="header.within_groups")
            of_items = numbered("", groups, "header.within_groups")
        if folds is not None and len(folds) != len(x):
            raise ShapeMismatch(f"fold_groups has {len(folds):,} entries for {len(x):,} rows", field="header.fold_groups")
        if layers != (None, None):
            if beside:
                raise InvalidArgument("controls and given stand beside single arrays; give one layer as the side", field="header.controls")
            with self._pool.holding(call, x.nbytes + y.nbytes):
                cut = [
                    await asyncio.to_thread(cut_layers, field, array, of_side, similarity, kernel, ids, digest)
                    for field, array, of_side, kernel in zip(("x", "y"), (x, y), layers, kernels, strict=True)
                ]
                joined = Join(ids, (rows,) * sum(len(side.layers) for side in cut), digest, folds)
                return await self._layered.report(call, cut[0], cut[1], joined, spec, of_items)
        snapshots = tuple(
            Snapshot(name, f"{name}-{digest}", 0, similarity, ids, array, kernel)
            for name, array, kernel in (("x", x, kernels[0]), ("y", y, kernels[1]))
        )
        if not beside:
            return await self._report(call, (snapshots[0], snapshots[1]), Join(ids, (rows, rows), digest, folds), spec, of_items)
        others = await self._pool.run(call, "load", lambda: snapshots_beside(beside, similarity, ids, digest), nbytes=x.nbytes)
        every, sides = [*snapshots, *others], [side for _, side, _ in beside.controls]
        joined = Join(ids, (rows,) * len(every), digest, folds)
        if beside.given is None:
            return await self._report(call, every, joined, spec, of_items, sides)
        if of_items is not None:
            raise NotServed("permutations within groups are not served beyond a given array", field="header.within_groups")
        check_beyond(spec)
        return await self._report_beyond(call, every, joined, spec, sides)

    async def align_matrix(
        self,
        call: Call,
        spaces: Sequence[SpaceQuery],
        items: ItemPolicy,
        spec: AlignmentSpec,
        encode: Callable[[AlignmentMatrix], bytes],
    ) -> bytes:
        """All pairs of M spaces, encoded. One k. Under `common` M tables, shared permutations, and scores that compare.

        Raises:
            As `align`; InvalidArgument for fewer than two spaces, a space named twice, or several k.
        """
        check_spec(spec, self._limits)
        if len(spaces) < 2 or len({query.name for query in spaces}) != len(spaces):
            raise InvalidArgument("a matrix needs two or more spaces, each named once", field="spaces")
        if len(spec.ks) + len(spec.k_fractions) != 1:
            raise InvalidArgument(f"a matrix has one k, not {len(spec.ks) + len(spec.k_fractions)}; ask once for each", field="spec.ks")
        if spec.stop_after:
            raise InvalidArgument("the pairs of a matrix share their permutations; stop_after is for a pair alone", field="spec.stop_after")
        if items == "pairwise" and spec.within:
            raise InvalidArgument("each pair's own items have other groups; permute within groups over common items", field="spec.within")
        if spec.context:
            raise NotServed("a matrix tells no context; describe its spaces one by one", field="spec.context")
        if items == "pairwise" and spec.predictivity.folds_by:
            raise InvalidArgument(
                "each pair's own items have other groups; group folds over common items", field="spec.predictivity.folds_by"
            )
        if spec.group_by:
            raise InvalidArgument("groups of items are compared by align alone; leave group_by out", field="spec.group_by")
        if items == "pairwise" and spec.strata:
            raise InvalidArgument("each pair's own items have other strata; sample them over common items", field="spec.strata")
        if items == "pairwise" and spec.deduplicate:
            raise InvalidArgument("each pair would lose other near-duplicates; leave them out over common items", field="spec.deduplicate")
        if items == "pairwise" and spec.k_fractions:
            raise InvalidK("a share of each pair's own items is another k for each pair; ask a number", field="spec.k_fractions")
        pinned = await pin_versions(self._snapshots, spaces, ["spaces"] * len(spaces))
        key = cache_key("align_matrix", {**asdict(spec), "items": items}, pinned)
        queries = [SpaceQuery(query.name, use.version) for query, use in zip(spaces, pinned, strict=True)]

        async def compute(work: Call) -> bytes:
            async with AsyncExitStack() as held:
                snapshots = [
                    await held.enter_async_context(self._snapshots.hold(work, query.name, query.version, field="spaces", kernels=True))
                    for query in queries
                ]
                matrix = await self._matrix(work, snapshots, items, spec)
                return await self._pool.run(work, "encode", lambda: encode(matrix))

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

    async def estimate_layers(self, x: SpaceQuery | GroupQuery, y: SpaceQuery | GroupQuery, spec: AlignmentSpec) -> float:
        """`estimate_seconds` where a side is a group."""
        return await self._layered.estimate_seconds(x, y, spec)

    async def report(self, call: Call, snapshots: tuple[Snapshot, Snapshot], joined: Join, spec: AlignmentSpec) -> AlignmentReport:
        """The alignment of two snapshots over the items of a join; nothing is cached. Raises as `align`."""
        return await self._report(call, snapshots, joined, spec)

    async def _report_beyond(
        self, call: Call, snapshots: Sequence[Snapshot], joined: Join, spec: AlignmentSpec, sides: Sequence[Side]
    ) -> AlignmentReport:
        """Of what the last snapshot does not explain of the others."""
        common, joined = joined, await self.apart(call.part(0.0, 0.1), snapshots, joined, spec)
        numbers, inner = at_size(spec, joined.n, self._limits), replace(spec, preprocess="none", deduplicate=0.0)
        async with beyond_given(call.part(0.1, 0.2), self._scores, self._pool, snapshots, joined, numbers) as left:
            report = await self._report(call.part(0.2, 1.0), left.snapshots, left.joined, inner, sides=sides)
        x, y = (SpaceUse(snapshot.name, snapshot.uid, snapshot.version) for snapshot in snapshots[:2])
        controls = [
            replace(control, space=replace(control.space, uid=snapshot.uid), dropped=snapshot.n - common.n)
            for control, snapshot in zip(report.controls, snapshots[2:-1], strict=True)
        ]
        sample = report.sampled_items
        if sample is not None and sample.rows:
            sample = replace(sample, rows=tuple(sorted(joined.rows[0][left.rows[list(sample.rows)]].tolist())))
        return replace(
            report,
            sampled_items=sample,
            x=x,
            y=y,
            dropped_x=snapshots[0].n - common.n,
            dropped_y=snapshots[1].n - common.n,
            duplicates=common.n - joined.n,
            deduplicate=spec.deduplicate,
            preprocess=spec.preprocess,
            clips=left.clips,
            constant_columns=left.constant_columns,
            controls=controls,
            given=left.given,
        )

    async def _report(
        self,
        call: Call,
        snapshots: Sequence[Snapshot],
        joined: Join,
        spec: AlignmentSpec,
        groups: ItemGroups | None = None,
        sides: Sequence[Side] = (),
    ) -> AlignmentReport:
        """Of the first two snapshots; the others are controls that take the place of these sides."""
        common = joined.n
        joined, threshold = await self.apart(call, snapshots, joined, spec), spec.deduplicate
        spec = replace(spec, deduplicate=0.0)
        if groups is not None and joined.n != common:
            raise InvalidArgument("within_groups are of all rows; drop the near-duplicates of arrays yourself", field="spec.deduplicate")
        spec = at_size(spec, joined.n, self._limits)
        kept = joined.n
        if spec.within:
            groups = await read_groups(self._snapshots, call, snapshots[:2], joined.of(0, 1), spec.within)
        joined = await with_folds(self._snapshots, call, snapshots, joined, spec)
        joined = await with_strata(self._snapshots, call, snapshots, joined, spec)
        joined = await with_same(self._snapshots, call, snapshots, joined, spec)
        check_sample(joined.n, spec)
        joined, groups = await asyncio.to_thread(sampled, joined, spec, groups)
        share = 1.0 / (1 + len(sides))
        found = await self._scores.of_pair(call.part(0.0, share), snapshots[:2], joined.of(0, 1), spec, groups)
        controls = []
        for number, side in enumerate(sides, start=2):
            first, second = (number, 1) if side == "x" else (0, number)
            part = call.part((number - 1) * share, number * share)
            of_control = await self._scores.of_pair(part, [snapshots[first], snapshots[second]], joined.of(first, second), spec, groups)
            controls.append(control_report(snapshots[number], side, of_control.by_k, found.by_k, joined.n))
        certificates = found.certificates or (None, None)
        x, y = (SpaceUse(snapshot.name, snapshot.uid, snapshot.version) for snapshot in snapshots[:2])
        return AlignmentReport(
            metric=spec.metric,
            by_k=tuple(found.by_k),
            n=spec.queries(joined.n),
            gallery=joined.n,
            dropped_x=snapshots[0].n - common,
            dropped_y=snapshots[1].n - common,
            strata=spec.strata if spec.sampling(joined.n) == "stratified" else "",
            group_by=spec.group_by,
            groups=0 if joined.same is None else int(joined.same.max()) + 1,
            duplicates=common - kept,
            deduplicate=threshold,
            preprocess=spec.preprocess,
            clips=found.clips,
            constant_columns=found.constant_columns,
            contexts=found.contexts,
            permutations=spec.permutations,
            seed=spec.seed,
            alpha=spec.alpha,
            x=x,
            y=y,
            engine=ENGINE_VERSION,
            certificate_x=certificates[0],
            certificate_y=certificates[1],
            query_sampling=spec.sampling(joined.n),
            warnings=report_cautions(found.by_k, joined.n, spec.permutations, spec.alpha, groups, of=kept),
            within=within_of(groups),
            kernel_rule_x=_kernel_rule(spec, snapshots[0]),
            kernel_rule_y=_kernel_rule(spec, snapshots[1]),
            controls=controls,
            similarities=found.similarities,
            stop_after=spec.stop_after,
            sampled_items=sampled_items(joined, kept, named=snapshots[0].version > 0),
            rdm=rdm_options(spec),
            bandwidths=pair_bandwidths(found.by_k),
        )

    async def apart(self, call: Call, snapshots: Sequence[Snapshot], joined: Join, spec: AlignmentSpec) -> Join:
        """The common items without the near-duplicates that the spec leaves out. Raises as `Deduplication.apart`."""
        return await self._deduplication.apart(call, snapshots, joined, spec.deduplicate) if spec.deduplicate else joined

    async def _matrix(self, call: Call, snapshots: Sequence[Snapshot], items: ItemPolicy, spec: AlignmentSpec) -> AlignmentMatrix:
        groups, threshold, left_out = None, spec.deduplicate, 0
        sample, of = None, 0
        if items == "common":
            common = await asyncio.to_thread(join, snapshots)
            joined = await self.apart(call, snapshots, common, spec)
            left_out = common.n - joined.n
            spec = at_size(replace(spec, deduplicate=0.0), joined.n, self._limits)
            groups = await read_groups(self._snapshots, call, snapshots, joined, spec.within) if spec.within else None
            joined = await with_folds(self._snapshots, call, snapshots, joined, spec)
            joined = await with_strata(self._snapshots, call, snapshots, joined, spec)
            of = joined.n
            check_sample(of, spec)
            joined, groups = await asyncio.to_thread(sampled, joined, spec, groups)
            sample = sampled_items(joined, of, named=True)
            scores = await self._matrices.common(call, snapshots, joined, spec, groups)
            n = np.full((len(snapshots), len(snapshots)), joined.n, dtype=np.int64)
        else:
            scores, n = await self._matrices.pairwise(call, snapshots, spec)
        values = _square(scores, lambda score: score.score)
        found = await self._pool.run(call, "statistics", lambda: matrix_statistics(scores, values, items, spec.alpha))
        return AlignmentMatrix(
            metric=spec.metric,
            spaces=tuple(SpaceUse(snapshot.name, snapshot.uid, snapshot.version) for snapshot in snapshots),
            scores=values,
            chance=_square(scores, lambda score: score.chance),
            excess=_square(scores, lambda score: score.excess),
            calibrated=_square(scores, lambda score: score.calibrated),
            p_values=_square(scores, lambda score: score.p_value, diagonal=False),
            interval_low=_square(scores, lambda score: score.interval.low),
            interval_high=_square(scores, lambda score: score.interval.high),
            interval_kind=spec.interval_kind,
            confidence=spec.confidence,
            n=np.minimum(n, spec.queries(int(n.max()))),
            k=spec.ks[0] if FAMILY_OF[spec.metric].reads == "tables" else 0,
            permutations=spec.permutations,
            seed=spec.seed,
            alpha=spec.alpha,
            preprocess=spec.preprocess,
            items=items,
            engine=ENGINE_VERSION,
            gallery=n,
            query_sampling=spec.sampling(int(n.max())),
            strata=spec.strata if spec.sampling(int(n.max())) == "stratified" else "",
            duplicates=left_out,
            deduplicate=threshold,
            coordinates=found.coordinates,
            explained=found.explained,
            stress=found.stress,
            order=found.order,
            p_adjusted=found.p_adjusted,
            q_values=found.q_values,
            warnings=(
                *matrix_cautions([score for (i, j), score in scores.items() if i != j], n, spec.permutations, spec.alpha, groups, of=of),
                *found.cautions,
            ),
            within=within_of(groups),
            sampled_items=sample,
            rdm=rdm_options(spec),
            bandwidths=() if items == "pairwise" else matrix_bandwidths(scores, len(snapshots)),
        )


def _kernel_rule(spec: AlignmentSpec, snapshot: Snapshot) -> str:
    return "" if snapshot.kernel is None else FAMILY_OF[spec.metric].kernel_rule(snapshot.kernel)


def _check_arrays(spec: AlignmentSpec, rows_x: int, rows_y: int) -> None:
    """Rows that pair, and nothing that takes ids or attributes: ShapeMismatch, InvalidArgument."""
    if spec.within:
        raise InvalidArgument("arrays have no attributes; give the group of each row in within_groups", field="header.spec.within")
    if spec.predictivity.folds_by:
        raise InvalidArgument(
            "arrays have no attributes; give the group of each row in fold_groups", field="header.spec.predictivity.folds_by"
        )
    if rows_x != rows_y:
        raise ShapeMismatch(f"x has {rows_x:,} rows, y has {rows_y:,}; row i of both must be the same item", field="header.rows")
    if spec.group_by:
        raise InvalidArgument("arrays have no attributes to group by; leave it out, or store the spaces", field="header.spec.group_by")
    if spec.strata:
        raise InvalidArgument("arrays have no attributes to be strata; leave them out, or store the spaces", field="header.spec.strata")
    if spec.query_ids:
        raise InvalidArgument(
            "rows of arrays have no ids to ask for; ask a sample of queries, or store the spaces", field="header.spec.query_ids"
        )


def _square(
    scores: Mapping[tuple[int, int], Score], value: Callable[[Score], float | None], *, diagonal: bool = True
) -> NDArray[np.float64]:
    """(M, M) from the pairs i <= j, and j < i where the metric is not symmetric; NaN where there is no value."""
    count = 1 + max(j for _, j in scores)
    square = np.full((count, count), np.nan)
    for (i, j), score in scores.items():
        number = value(score)
        if number is not None and (diagonal or i != j):
            square[i, j] = number
            if (j, i) not in scores:
                square[j, i] = number
    return square
