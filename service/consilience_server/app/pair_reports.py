"""The report of two snapshots over the items of a join, with controls, and beyond a third space."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from consilience_server.app.alignment_query import at_size
from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec, Side
from consilience_server.app.call import Call
from consilience_server.app.cautions import query_cautions, report_cautions
from consilience_server.app.compute import ComputePool
from consilience_server.app.controls import control_report
from consilience_server.app.deduplication import Deduplication
from consilience_server.app.given_space import beyond_given
from consilience_server.app.item_groups import ItemGroups, read_groups, with_folds, with_same, with_strata, within_of
from consilience_server.app.item_sample import check_sample, sampled, sampled_items
from consilience_server.app.joined_scores import JoinedScores
from consilience_server.app.joins import Join
from consilience_server.app.metric_families.registry import FAMILY_OF
from consilience_server.app.pairwise_answer import pair_bandwidths, rdm_options
from consilience_server.app.queries import restriction_of
from consilience_server.app.reports import AlignmentReport, SpaceUse
from consilience_server.app.snapshots import Snapshots
from consilience_server.core.errors import InvalidArgument
from consilience_server.engine.protocol import ENGINE_VERSION
from consilience_server.engine.snapshot import Snapshot


class PairReports:
    """Measures two snapshots; nothing is cached here. Raises as `Alignment.align`."""

    def __init__(
        self, snapshots: Snapshots, scores: JoinedScores, deduplication: Deduplication, pool: ComputePool, limits: AlignmentLimits
    ) -> None:
        self._snapshots = snapshots
        self._scores = scores
        self._deduplication = deduplication
        self._pool = pool
        self._limits = limits

    async def report(
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
        if groups is not None and not groups.attribute and joined.n != common:
            raise InvalidArgument("within_groups are of all rows; drop the near-duplicates of arrays yourself", field="spec.deduplicate")
        spec = at_size(spec, joined.n, self._limits)
        kept = joined.n
        if spec.within and groups is None:
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
        restriction = await asyncio.to_thread(restriction_of, joined, spec, groups)
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
            warnings=(
                *query_cautions(spec),
                *report_cautions(found.by_k, joined.n, spec.permutations, spec.alpha, restriction, of=kept),
            ),
            duplicate_queries=spec.duplicate_queries,
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

    async def report_beyond(
        self, call: Call, snapshots: Sequence[Snapshot], joined: Join, spec: AlignmentSpec, sides: Sequence[Side]
    ) -> AlignmentReport:
        """Of what the last snapshot does not explain of the others."""
        common, joined = joined, await self.apart(call.part(0.0, 0.1), snapshots, joined, spec)
        numbers, inner = at_size(spec, joined.n, self._limits), replace(spec, preprocess="none", deduplicate=0.0)
        async with beyond_given(call.part(0.1, 0.2), self._scores, self._pool, snapshots, joined, numbers) as left:
            report = await self.report(call.part(0.2, 1.0), left.snapshots, left.joined, inner, sides=sides)
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

    async def apart(self, call: Call, snapshots: Sequence[Snapshot], joined: Join, spec: AlignmentSpec) -> Join:
        """The common items without the near-duplicates that the spec leaves out. Raises as `Deduplication.apart`."""
        return await self._deduplication.apart(call, snapshots, joined, spec.deduplicate) if spec.deduplicate else joined


def _kernel_rule(spec: AlignmentSpec, snapshot: Snapshot) -> str:
    return "" if snapshot.kernel is None else FAMILY_OF[spec.metric].kernel_rule(snapshot.kernel)
