"""The alignment of all pairs of many spaces."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, replace

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment_query import at_size, check_spec
from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec, SpaceQuery
from consilience_server.app.cache_key import cache_key
from consilience_server.app.call import Call
from consilience_server.app.cautions import FREE, matrix_cautions, query_cautions
from consilience_server.app.compute import ComputePool
from consilience_server.app.item_groups import with_attributes, within_of
from consilience_server.app.item_sample import check_sample, sampled, sampled_items
from consilience_server.app.joined_scores import JoinedScores
from consilience_server.app.joins import join
from consilience_server.app.matrix_scores import MatrixScores
from consilience_server.app.matrix_statistics import matrix_statistics
from consilience_server.app.metric_families.registry import FAMILY_OF
from consilience_server.app.pair_reports import PairReports
from consilience_server.app.pairwise_answer import matrix_bandwidths, rdm_options
from consilience_server.app.pinned_versions import pin_versions
from consilience_server.app.preparation import prepared_similarity
from consilience_server.app.queries import restriction_of
from consilience_server.app.reports import AlignmentMatrix, ComparedSpace, ItemPolicy, SpaceUse
from consilience_server.app.result_cache import ResultCache
from consilience_server.app.snapshots import Snapshots
from consilience_server.core.errors import InvalidArgument, InvalidK, NotServed
from consilience_server.core.score import Score
from consilience_server.engine.protocol import ENGINE_VERSION
from consilience_server.engine.snapshot import Snapshot


class MatrixAlignment:
    """Measures all pairs of M spaces; whole matrices and their pairs are cached by what they were computed from."""

    def __init__(
        self,
        snapshots: Snapshots,
        scores: JoinedScores,
        pairs: PairReports,
        results: ResultCache,
        pool: ComputePool,
        limits: AlignmentLimits,
    ) -> None:
        self._snapshots = snapshots
        self._scores = scores
        self._matrices = MatrixScores(scores, results)
        self._pairs = pairs
        self._results = results
        self._pool = pool
        self._limits = limits

    async def align(
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
        check_matrix(spaces, items, spec)
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

    async def _matrix(self, call: Call, snapshots: Sequence[Snapshot], items: ItemPolicy, spec: AlignmentSpec) -> AlignmentMatrix:
        groups, threshold, left_out = None, spec.deduplicate, 0
        sample, of, restriction, same = None, 0, FREE, None
        if items == "common":
            common = await asyncio.to_thread(join, snapshots, "spaces")
            joined = await self._pairs.apart(call, snapshots, common, spec)
            left_out = common.n - joined.n
            spec = at_size(replace(spec, deduplicate=0.0), joined.n, self._limits)
            joined, groups = await with_attributes(self._snapshots, call, snapshots, joined, spec)
            same = joined.same
            of = joined.n
            check_sample(of, spec)
            joined, groups = await asyncio.to_thread(sampled, joined, spec, groups)
            sample = sampled_items(joined, of, named=True)
            restriction = await asyncio.to_thread(restriction_of, joined, spec, groups)
            scores = await self._matrices.common(call, snapshots, joined, replace(spec, context=False), groups)
            # What was prepared, the scores of the pairs that the cache had do not tell.
            compared = await self._scores.compared_spaces(call.part(1.0, 1.0), snapshots, joined, spec)
            n = np.full((len(snapshots), len(snapshots)), joined.n, dtype=np.int64)
        else:
            scores, n = await self._matrices.pairwise(call, snapshots, spec)
            compared = [_unprepared(snapshot, spec) for snapshot in snapshots]
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
            compared=compared,
            group_by=spec.group_by,
            groups=0 if same is None else int(same.max()) + 1,
            duplicate_queries=spec.duplicate_queries,
            deduplicate=threshold,
            coordinates=found.coordinates,
            explained=found.explained,
            stress=found.stress,
            order=found.order,
            p_adjusted=found.p_adjusted,
            q_values=found.q_values,
            warnings=(
                *query_cautions(spec),
                *matrix_cautions(
                    [score for (i, j), score in scores.items() if i != j], n, spec.permutations, spec.alpha, restriction, of=of
                ),
                *found.cautions,
            ),
            within=within_of(groups),
            sampled_items=sample,
            rdm=rdm_options(spec),
            components=spec.components if spec.metric == "svcca" else 0,
            predictivity=spec.predictivity if spec.metric == "linear_predictivity" else None,
            bandwidths=() if items == "pairwise" else matrix_bandwidths(scores, len(snapshots)),
        )


def check_matrix(spaces: Sequence[SpaceQuery], items: ItemPolicy, spec: AlignmentSpec) -> None:
    """What a matrix cannot be asked: InvalidArgument, InvalidK, NotServed."""
    if len(spaces) < 2 or len({query.name for query in spaces}) != len(spaces):
        raise InvalidArgument("a matrix needs two or more spaces, each named once", field="spaces")
    if len(spec.ks) + len(spec.k_fractions) != 1:
        raise InvalidArgument(f"a matrix has one k, not {len(spec.ks) + len(spec.k_fractions)}; ask once for each", field="spec.ks")
    if spec.stop_after:
        raise InvalidArgument("the pairs of a matrix share their permutations; stop_after is for a pair alone", field="spec.stop_after")
    if items == "pairwise" and spec.within:
        raise InvalidArgument("each pair's own items have other groups; permute within groups over common items", field="spec.within")
    if items == "pairwise" and spec.context:
        raise NotServed(
            "a space has another context among the items of each pair; ask it over common items, or describe the space",
            field="spec.context",
        )
    if items == "pairwise" and spec.predictivity.folds_by:
        raise InvalidArgument("each pair's own items have other groups; group folds over common items", field="spec.predictivity.folds_by")
    if items == "pairwise" and spec.group_by:
        raise NotServed("each pair's own items have other groups; compare groups of the common items", field="spec.group_by")
    if items == "pairwise" and spec.strata:
        raise InvalidArgument("each pair's own items have other strata; sample them over common items", field="spec.strata")
    if items == "pairwise" and spec.deduplicate:
        raise InvalidArgument("each pair would lose other near-duplicates; leave them out over common items", field="spec.deduplicate")
    if items == "pairwise" and spec.k_fractions:
        raise InvalidK("a share of each pair's own items is another k for each pair; ask a number", field="spec.k_fractions")


def _unprepared(snapshot: Snapshot, spec: AlignmentSpec) -> ComparedSpace:
    """How a space enters pairs of other items each, which every one of them is prepared for anew."""
    if snapshot.kernel is not None:
        return ComparedSpace(None, FAMILY_OF[spec.metric].kernel_rule(snapshot.kernel))
    return ComparedSpace(prepared_similarity(spec.preprocess, snapshot.similarity), "")


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
