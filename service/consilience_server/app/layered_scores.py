"""Scores of sides with layers: every pair of layers over all items, the pair that is chosen, and the maximum calibrated as one."""

import asyncio
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment_query import at_size, check_size, too_few
from consilience_server.app.alignment_spec import AlignmentLimits, AlignmentSpec
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.item_groups import ItemGroups, numbered
from consilience_server.app.joined_scores import JoinedScores, of_sides
from consilience_server.app.joins import Join
from consilience_server.app.metric_families.family import Compared, Side
from consilience_server.app.metric_families.judge import scored, scored_all
from consilience_server.app.metric_families.registry import FAMILY_OF
from consilience_server.app.reports import LayerComparison, SpaceUse
from consilience_server.app.tables import item_digest
from consilience_server.core.errors import ConstantFeatures, InvalidArgument, InvalidK, NotServed, TooFewItems
from consilience_server.core.layer_choice import halves, maximum
from consilience_server.core.paired_features import rows_are_equal
from consilience_server.core.score import Score
from consilience_server.core.space_geometry import SpaceGeometry
from consilience_server.core.tie_order import tie_keys
from consilience_server.engine.alignment_scores import Pair, judged
from consilience_server.engine.protocol import Certificate
from consilience_server.engine.snapshot import Snapshot

_HALVES = "halves"
"""Names the hash that halves items: another than that of permutations."""


@dataclass(frozen=True)
class LayeredSide:
    """One side of an alignment: one layer or more.

    Attributes:
        use: the side as the answer names it: a space, a group or an array.
        field: of the request, for refusals: `x` or `y`.
        layers: the snapshots, in the order of the layers; messages call them by their names.
        stacked: the layers came as one (n, L, d) array and are clipped as one.
        is_group: the layers are spaces of their own, which the answer names.
    """

    use: SpaceUse
    field: str
    layers: Sequence[Snapshot]
    stacked: bool = False
    is_group: bool = False


@dataclass(frozen=True)
class LayeredScores:
    """The headline's scores, one for each k, the items that they are over, and their groups; certificates of the layers that were chosen.

    `folds` are the groups that folds of a cross-validation keep. `clips`, `constant_columns` and `contexts`, which are asked, are of all
    layers, those of x first.
    """

    by_k: Sequence[Score]
    n: int
    layers: LayerComparison
    certificates: tuple[Certificate, Certificate] | None
    clips: Sequence[float]
    constant_columns: Sequence[int]
    groups: ItemGroups | None
    folds: NDArray[np.int64] | None
    contexts: Sequence[SpaceGeometry] = ()


@dataclass(frozen=True)
class _Part:
    """Prepared sides over some of the items, and the groups that random pairings keep them in."""

    sides: Sequence[Side]
    joined: Join
    groups: ItemGroups | None


class LayeredComparison:
    """Compares all layers of two sides in one pass of shared permutations. Must be used from one event loop."""

    def __init__(self, scores: JoinedScores, pool: ComputePool, limits: AlignmentLimits) -> None:
        self._scores = scores
        self._pool = pool
        self._limits = limits

    async def compare(
        self,
        call: Call,
        x: LayeredSide,
        y: LayeredSide,
        joined: Join,
        spec: AlignmentSpec,
        groups: ItemGroups | None = None,
        *,
        halve: bool = False,
    ) -> LayeredScores:
        """Every pair of layers of x and y over the items common to all of them.

        Where there is more than one pair, `split_half` chooses it on one half of the items (`core/layer_choice.py`) and scores it on the
        other; `max` answers the maximum. With `halve` a single pair is scored on that half too, over the same items as another comparison
        that has a choice. Preparation that looks at the whole set (a clip) is done once, over all items. Random pairings stay within
        `groups`.

        Raises:
            InvalidK, TooFewItems: also where the items are enough, but half of them are not.
            InvalidArgument: the maximum without permutations.
            InvalidArgument: a rule that stops the permutations.
            NotServed: a sample of queries.
            ConstantFeatures: a layer that is the same for all items, named.
        """
        check_layered(spec)
        count = len(x.layers)
        choice = count * len(y.layers) > 1
        if choice and spec.layer_selection == "max" and not spec.permutations:
            raise InvalidArgument(
                "layer_selection max without permutations is a maximum over pairs without its chance; ask permutations, or split_half",
                field="spec.permutations",
            )
        numbers = at_size(spec, joined.n, self._limits)
        check_size(joined.n, numbers)
        halved = (choice or halve) and spec.layer_selection == "split_half"
        if halved:
            check_halves(joined.n, spec, self._limits)
        stacks = stacks_of((x, y))
        snapshots = [*x.layers, *y.layers]
        async with self._scores.sides(call, snapshots, joined, numbers, stacks) as sides:
            await self._pool.run(call, "load", lambda: _check_varied(sides, x, y))
            whole = _Part(sides, joined, groups)
            if halved:
                found = await self._of_halves(call, whole, x, y, spec)
            elif choice:
                found = await self._of_maximum(call, whole, x, y, numbers)
            else:
                found = await self._of_one_pair(call, whole, x, y, numbers)
            if not spec.context:
                return found
            return replace(found, contexts=await self._scores.contexts_of(call.part(1.0, 1.0), sides, joined, numbers))

    async def _of_one_pair(self, call: Call, whole: _Part, x: LayeredSide, y: LayeredSide, spec: AlignmentSpec) -> LayeredScores:
        """Nothing is chosen: all items are scored."""
        by_k, certificates = await self._pair(call, whole, (0, 0), 1, spec)
        layers = _comparison(x, y, spec, {(0, 0): by_k[0]}, (0, 0), None, (0, 0), whole.joined.n)
        return _scores_of(whole, by_k, layers, certificates)

    async def _of_maximum(self, call: Call, whole: _Part, x: LayeredSide, y: LayeredSide, spec: AlignmentSpec) -> LayeredScores:
        """The maximum of every k, each calibrated as a maximum."""
        count, by_k = len(x.layers), []
        first: tuple[Mapping[Pair, Score], Pair] | None = None
        async with self._compared(call.part(0.0, 0.4), whole, spec) as compared:
            for part, k in _parts(call.part(0.4, 1.0), spec.ks):
                grid = await self._grid(part, compared, count, k, spec.permutations)
                largest, at = await self._maximum(part, compared, grid, count, k)
                by_k.append(largest)
                first = first or (grid, at)
            assert first is not None  # there is one k at least
            tables = [compared.tables[at].certificate for at in (first[1][0], count + first[1][1])] if compared.tables else []
        layers = _comparison(x, y, spec, *first, by_k[0], first[1], whole.joined.n)
        return _scores_of(whole, by_k, layers, (tables[0], tables[1]) if tables else None)

    async def _of_halves(self, call: Call, whole: _Part, x: LayeredSide, y: LayeredSide, spec: AlignmentSpec) -> LayeredScores:
        """The pair chosen on one half and scored on the other, beside the grid and the maximum over all items."""
        count, numbers = len(x.layers), at_size(spec, whole.joined.n, self._limits)
        k, largest, at = numbers.ks[0], None, (0, 0)
        async with self._compared(call.part(0.0, 0.3), whole, numbers) as compared:
            grid = await self._grid(call.part(0.3, 0.7), compared, count, k, spec.permutations)
            if spec.permutations and len(grid) > 1:
                largest, at = await self._maximum(call.part(0.7, 0.7), compared, grid, count, k)
        choose, judge = await asyncio.to_thread(lambda: halves(tie_keys(_HALVES, whole.joined.ids.tolist())))
        best = await self._chosen(call.part(0.7, 0.85), whole, choose, count, spec) if len(grid) > 1 else (0, 0)
        sides = [whole.sides[best[0]], whole.sides[count + best[1]]]
        with self._pool.holding(call, sum(side.vectors.nbytes // 2 + side.vectors.shape[1] * 4 for side in sides)):
            judged_on = await self._rows(call, replace(whole, sides=sides), judge)
            at_half = at_size(spec, len(judge), self._limits)
            by_k, certificates = await self._pair(call.part(0.85, 1.0), judged_on, (0, 0), 1, at_half)
        layers = _comparison(x, y, spec, grid, best, largest, at, whole.joined.n, len(choose))
        return replace(
            _scores_of(whole, by_k, layers, certificates), n=len(judge), groups=judged_on.groups, folds=judged_on.joined.fold_groups
        )

    async def _chosen(self, call: Call, whole: _Part, choose: NDArray[np.int64], count: int, spec: AlignmentSpec) -> Pair:
        """The pair of layers that scores best on some of the items."""
        with self._pool.holding(call, sum(side.vectors.nbytes // 2 for side in whole.sides)):
            chosen_on = await self._rows(call, whole, choose)
            at_half = at_size(spec, len(choose), self._limits)
            async with self._compared(call.part(0.0, 0.7), chosen_on, at_half) as compared:
                found = await self._grid(call.part(0.7, 1.0), compared, count, at_half.ks[0], 0)
            return maximum(_values(found, lambda score: score.score)).at

    async def _grid(self, call: Call, compared: Compared, count: int, k: int, permutations: int) -> Mapping[Pair, Score]:
        """Every pair (layer of x, layer of y), without intervals."""
        family = FAMILY_OF[compared.spec.metric]
        pairs = [(i, j) for i in range(count) for j in range(count, len(compared.sides))]
        asked = replace(
            compared,
            spec=replace(compared.spec, ks=(k,), permutations=permutations, interval_kind="queries"),
            options=replace(compared.options, permutations=permutations, interval_kind="queries"),
            pairs=pairs,
        )
        control = call.control
        found = await self._pool.run(call, "statistics", lambda: scored_all(family, asked, control), nbytes=family.nbytes(asked))
        return {(i, j - count): found[i, j] for i, j in pairs}

    async def _maximum(self, call: Call, compared: Compared, grid: Mapping[Pair, Score], count: int, k: int) -> tuple[Score, Pair]:
        """The largest score, judged by the largest of every pairing; its interval takes the choice as given."""
        shape = _shape(grid)
        nulls = [grid[divmod(at, shape[1])].null for at in range(len(grid))]
        drawn = np.array([null for null in nulls if null is not None]).reshape(*shape, -1)
        largest = maximum(_values(grid, lambda score: score.score), drawn)
        assert largest.null is not None
        pick = (largest.at[0], count + largest.at[1])
        tables = [compared.tables[at] for at in pick] if compared.tables else ()
        asked = replace(
            compared,
            spec=replace(compared.spec, ks=(k,), permutations=0),
            sides=[compared.sides[at] for at in pick],
            tables=tables,
            options=replace(compared.options, permutations=0),
        )
        family = FAMILY_OF[compared.spec.metric]
        (own,) = await self._pool.run(
            call, "statistics", lambda: scored(family, asked, call.part(1, 1).control), nbytes=family.nbytes(asked)
        )
        told = judged(own.k, largest.score, float(largest.null.mean()), own.interval, largest.null, compared.options, {})
        judgement = ("score", "chance", "excess", "p_value", "calibrated", "threshold", "null_mean", "null_sd", "null")
        return replace(own, **{name: getattr(told, name) for name in judgement}), largest.at

    async def _pair(
        self, call: Call, part: _Part, at: Pair, count: int, spec: AlignmentSpec
    ) -> tuple[Sequence[Score], tuple[Certificate, Certificate] | None]:
        """One pair of layers, every k, with interval and null."""
        family, sides = FAMILY_OF[spec.metric], [part.sides[at[0]], part.sides[count + at[1]]]
        async with self._compared(call.part(0.0, 0.6), replace(part, sides=sides), spec) as compared:
            control = call.part(0.6, 1.0).control
            by_k = await self._pool.run(call, "statistics", lambda: scored(family, compared, control), nbytes=family.nbytes(compared))
            return by_k, (compared.tables[0].certificate, compared.tables[1].certificate) if compared.tables else None

    async def _rows(self, call: Call, whole: _Part, rows: NDArray[np.int64]) -> _Part:
        """The same sides over some of their items; what was prepared stays as it is."""

        def take() -> _Part:
            ids = whole.joined.ids[rows]
            digest = item_digest(ids.tolist())
            sides = []
            for side in whole.sides:
                subject = side.subject
                # What was prepared looked at all items: these vectors are not what the items would give alone.
                form = subject.form if subject.form == "none" else f"{subject.form}, of {subject.items}"
                vectors = side.vectors[rows] if side.kernel is None else side.vectors[np.ix_(rows, rows)]
                sides.append(replace(side, vectors=vectors, subject=replace(subject, items=digest, form=form)))
            groups = None if whole.groups is None else numbered(whole.groups.attribute, whole.groups.of[rows], "spec.within")
            folds = whole.joined.fold_groups
            joined = Join(ids, tuple(rows for _ in sides), digest, None if folds is None else folds[rows])
            return _Part(sides, joined, groups)

        return await self._pool.run(call, "load", take)

    def _compared(self, call: Call, part: _Part, spec: AlignmentSpec) -> AbstractAsyncContextManager[Compared]:
        return self._scores.compared_sides(call, part.sides, part.joined, spec, part.groups)


def check_layered(spec: AlignmentSpec) -> None:
    """What cannot be asked of layers: InvalidArgument, NotServed."""
    if spec.stop_after:
        raise InvalidArgument(
            "stop_after stops at the p of one score; layers are compared under all pairings, leave it out", field="spec.stop_after"
        )
    if spec.group_by:
        raise NotServed("groups of items are not compared layer by layer; ask one pair of layers", field="spec.group_by")
    if spec.asks_some:
        raise NotServed(
            "a sample of queries is not served where a side has layers; ask all items, or one pair of layers",
            field="spec.query_ids" if spec.query_ids else "spec.sample_queries",
        )


def check_halves(n: int, spec: AlignmentSpec, limits: AlignmentLimits) -> None:
    """Half of n items are enough: TooFewItems, InvalidK."""
    half = n // 2
    numbers = at_size(spec, max(half, 1), limits)
    if not too_few(half, numbers):
        return
    remedy = "ask layer_selection max, fewer neighbours, or add items"
    split = f"layers are chosen on one half of the {n:,} common items and scored on the other, {half:,} items"
    least = FAMILY_OF[spec.metric].least_items
    if half < least:
        raise TooFewItems(f"{split}; {spec.metric} needs {least} at least: {remedy}", field="spec.layer_selection", n=half)
    k = max(numbers.ks)
    raise InvalidK(f"k is {k}, but {split}, so k may be at most {half - 1}: {remedy}", field="spec.ks", k=k, n=half)


def stacks_of(sides: Sequence[LayeredSide]) -> list[range]:
    """The places of the layers that came as one array, among the layers of all sides."""
    stacks, start = [], 0
    for side in sides:
        if side.stacked:
            stacks.append(range(start, start + len(side.layers)))
        start += len(side.layers)
    return stacks


def _parts(call: Call, ks: Sequence[int]) -> Iterator[tuple[Call, int]]:
    for at, k in enumerate(ks):
        yield call.part(at / len(ks), (at + 1) / len(ks)), k


def _check_varied(sides: Sequence[Side], x: LayeredSide, y: LayeredSide) -> None:
    """No layer is the same for all items."""
    named = [(layer.name, of.field) for of in (x, y) for layer in of.layers]
    for side, (name, field) in zip(sides, named, strict=True):
        if rows_are_equal(side.vectors):
            constant = f"{name} has the same vector for all {len(side.vectors):,} items and tells none apart; leave this layer out"
            raise ConstantFeatures(constant, field=field)


def _shape(grid: Mapping[Pair, Score]) -> tuple[int, int]:
    return 1 + max(i for i, _ in grid), 1 + max(j for _, j in grid)


def _values(grid: Mapping[Pair, Score], value: Callable[[Score], float | None]) -> NDArray[np.float64]:
    """(L_x, L_y), NaN where there is no value."""
    values = np.full(_shape(grid), np.nan)
    for pair, score in grid.items():
        number = value(score)
        if number is not None:
            values[pair] = number
    return values


def _scores_of(
    whole: _Part, by_k: Sequence[Score], layers: LayerComparison, certificates: tuple[Certificate, Certificate] | None
) -> LayeredScores:
    """Over all items."""
    clips = of_sides([side.clip for side in whole.sides], math.nan)
    constant = of_sides([side.constant_columns for side in whole.sides], 0)
    return LayeredScores(by_k, whole.joined.n, layers, certificates, clips, constant, whole.groups, whole.joined.fold_groups)


def _comparison(
    x: LayeredSide,
    y: LayeredSide,
    spec: AlignmentSpec,
    grid: Mapping[Pair, Score],
    best: Pair,
    largest: Score | None,
    largest_at: Pair,
    n: int,
    selection_n: int = 0,
) -> LayerComparison:
    return LayerComparison(
        selection=spec.layer_selection,
        scores=_values(grid, lambda score: score.score),
        p_values=_values(grid, lambda score: score.p_value) if spec.permutations else None,
        calibrated=_values(grid, lambda score: score.calibrated) if spec.permutations else None,
        best=best,
        maximum=largest,
        maximum_at=largest_at,
        n=n,
        selection_n=selection_n,
        x_layers=uses_of(x),
        y_layers=uses_of(y),
    )


def uses_of(side: LayeredSide) -> tuple[SpaceUse, ...]:
    """The spaces that are the layers of a group; empty for arrays and for a single space."""
    return tuple(SpaceUse(layer.name, layer.uid, layer.version) for layer in side.layers) if side.is_group else ()
