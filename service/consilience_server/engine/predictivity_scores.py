"""Linear predictivity with chance, p-value, calibrated score and interval, from vectors."""

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.errors import ShapeMismatch, TooFewItems
from consilience_server.core.folds import grouped_folds, item_folds, spread_groups
from consilience_server.core.intervals import GROUPS, item_interval
from consilience_server.core.linear_predictivity import LinearFit, PredictivityOptions, aggregated
from consilience_server.core.paired_features import check_informative
from consilience_server.core.permutation import canonical_order
from consilience_server.core.score import Score
from consilience_server.engine.alignment_scores import Pair, ScoreOptions, interval_of, judged, wanted_pairs
from consilience_server.engine.list_scores import LEAST_PAIRINGS
from consilience_server.engine.ridge_folds import FoldedScores, RidgeFolds

LEAST_ITEMS = 8
"""Fewer items leave nothing to fit on and to predict."""

_NAME = "linear predictivity"


@dataclass(frozen=True)
class _Spaces:
    """Spaces in canonical order, those that predict as regressors and those that are predicted as targets."""

    rows: Sequence[NDArray[np.floating]]
    ridges: Mapping[int, RidgeFolds]
    targets: Mapping[int, NDArray[np.float64]]

    def scores(self, pair: Pair, rows: NDArray[np.int64], asked: PredictivityOptions, control: Control) -> FoldedScores:
        """How well pair[0] predicts pair[1], whose rows are paired as given."""
        return self.ridges[pair[0]].scores(self.targets[pair[1]], rows, asked.target_score, control)


def predictivity_score(
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    asked: PredictivityOptions,
    options: ScoreOptions,
    control: Control,
    groups: NDArray[np.int64] | None = None,
) -> Score:
    """How well x predicts y. Definition: `core/linear_predictivity.py`; folds: `core/folds.py` over canonical positions.

    The null pairs the targets anew and goes through everything that the score goes through, the choice of penalties included, but no
    regressor is decomposed again (`ridge_folds.py`). The interval does decompose them again without each set of items. `chance` is the
    mean over the random pairings drawn, 99 at the least.

    Items of a group may resemble each other, which is why no fold splits one; then the groups are what was sampled, and the interval leaves
    out whole groups, up to 32 sets of them, where it would otherwise leave out sets of items.

    Args:
        x: (n, d_x), finite, the regressors.
        y: (n, d_y), row i the same item, the targets.
        asked: folds, penalties, score of a target, aggregate.
        options: its `item_order` has one entry an item.
        control: cancellation and progress.
        groups: (n,) the group of each row that must not be split between folds; None where items stand for themselves.

    Raises:
        ShapeMismatch, ConstantFeatures: as in the definition.
        TooFewItems: n < 8, or too few items or groups for the folds.

    Cost:
        Memory `predictivity_bytes`; a permutation n d_x d_y multiply-adds and 3 d_x^2 d_y a fold; the interval 32 n d_x (d_x + d_y), and 32
        eigendecompositions of order min(n, d_x) a fold.
    """
    return _scores([x, y], [(0, 1)], ("x", "y"), asked, options, control, groups)[0, 1]


def predictivity_matrix(
    arrays: Sequence[NDArray[np.floating]],
    asked: PredictivityOptions,
    options: ScoreOptions,
    control: Control,
    groups: NDArray[np.int64] | None = None,
    pairs: Sequence[Pair] | None = None,
) -> dict[Pair, Score]:
    """The same for pairs of M spaces, all unless some i <= j are named, in both directions under shared permutations.

    Entry (i, j) is how well i predicts j. Entry (i, i), how well a space predicts itself, has no null, and is below 1 by what its penalty
    takes.
    """
    wanted = wanted_pairs(len(arrays), pairs)
    directed = sorted({*wanted, *((j, i) for i, j in wanted)})
    return _scores(arrays, directed, ["spaces"] * len(arrays), asked, options, control, groups)


def predictivity_bytes(n: int, widths: Sequence[int], folds: int, threads: int) -> int:
    """Peak bytes of `predictivity_score` and `predictivity_matrix` beyond the vectors; an upper estimate."""
    narrow = [min(n, width) for width in widths]
    deepest, widest = max(narrow), max(widths)
    kept = n * sum(widths) * 4 + 8 * n * (sum(narrow) + sum(widths)) + 3 * 8 * folds * sum(small * small for small in narrow)
    again = 8 * n * (3 * widest + deepest) + 4 * 8 * (folds + 2) * deepest * deepest
    block = 8 * min(512, widest) * ((2 * folds + 6) * deepest + 2 * 4096)
    return kept + again + threads * block + (1 << 24)


def _scores(
    arrays: Sequence[NDArray[np.floating]],
    pairs: Sequence[Pair],
    names: Sequence[str],
    asked: PredictivityOptions,
    options: ScoreOptions,
    control: Control,
    groups: NDArray[np.int64] | None,
) -> dict[Pair, Score]:
    n = len(options.item_order)
    if any(len(array) != n for array in arrays):
        counts = ", ".join(f"{len(array):,}" for array in arrays)
        raise ShapeMismatch(f"the spaces have {counts} rows for {n:,} items; row i of all must be the same item", field=names[-1])
    if n < LEAST_ITEMS:
        raise TooFewItems(f"{_NAME} needs {LEAST_ITEMS} items or more, there are {n}; add items", n=n, least=LEAST_ITEMS)
    for array, name in zip(arrays, names, strict=True):
        check_informative(array, _NAME, name)
    order = canonical_order(options.item_order)
    folds = item_folds(n, asked.folds) if groups is None else grouped_folds(groups[order], asked.folds)
    ordered = [array[order] for array in arrays]
    parts = np.arange(n) % min(GROUPS, n) if groups is None else spread_groups(groups[order], min(GROUPS, len(np.unique(groups))))
    spaces = _Spaces(
        ordered,
        {i: RidgeFolds(ordered[i], folds, asked.penalties, control) for i in sorted({i for i, _ in pairs})},
        {j: _targets(ordered[j]) for j in sorted({j for _, j in pairs})},
    )
    found = {pair: spaces.scores(pair, np.arange(n), asked, control) for pair in pairs}
    null = _null(spaces, pairs, asked, options, control.part(0.0, 0.8))
    without: Mapping[Pair, NDArray[np.float64]] = {}
    if options.interval_kind == "items":
        without = _without_parts(spaces, [pair for pair in pairs if pair[0] != pair[1]], folds, parts, asked, control)
    sizes = np.bincount(parts).astype(np.int64)
    grouped = 0 if groups is None else len(np.unique(groups))
    return {
        pair: _score(LinearFit(of.targets, of.choices, asked, grouped), null[pair], without.get(pair), sizes, pair, options)
        for pair, of in found.items()
    }


def _targets(rows: NDArray[np.floating]) -> NDArray[np.float64]:
    """(n, d) float64, columns of mean 0; constant ones become exact zeros."""
    values = rows.astype(np.float64)
    values -= values[0].copy()
    values -= values.mean(axis=0)
    return values


def _null(
    spaces: _Spaces, pairs: Sequence[Pair], asked: PredictivityOptions, options: ScoreOptions, control: Control
) -> dict[Pair, NDArray[np.float64]]:
    """The scores of random pairings of every pair; a space with itself has only as many as its chance is estimated from."""
    count, pairings = max(options.permutations, LEAST_PAIRINGS), options.pairings()
    found = {pair: np.empty(LEAST_PAIRINGS if pair[0] == pair[1] else count) for pair in pairs}

    def one(index: int) -> None:
        control.check()
        rho = pairings.draw(index)
        # The same pairs of rows in both directions: the one that moves targets back pairs x[rho] with y, as the other pairs x with y[rho].
        back = np.empty_like(rho)
        back[rho] = np.arange(len(rho))
        for i, j in pairs:
            if index < len(found[i, j]):
                scores = spaces.scores((i, j), rho if i <= j else back, asked, control)
                found[i, j][index] = aggregated(scores.targets, asked.aggregate)

    with ThreadPoolExecutor(max(1, options.threads)) as pool:
        for done, _ in enumerate(pool.map(one, range(count)), start=1):
            control.progress(done / count)
    return found


def _without_parts(
    spaces: _Spaces,
    pairs: Sequence[Pair],
    folds: NDArray[np.int64],
    parts: NDArray[np.int64],
    asked: PredictivityOptions,
    control: Control,
) -> dict[Pair, NDArray[np.float64]]:
    """For every pair the (G,) scores over all items but a part: fitted, chosen and predicted anew, each item in the fold it was in."""
    count = int(parts.max()) + 1
    found = {pair: np.full(count, np.nan) for pair in pairs}
    for part in range(count):
        kept = np.flatnonzero(parts != part)
        if len(np.unique(folds[kept])) < 2:
            continue
        for i in sorted({i for i, _ in pairs}):
            rows = spaces.rows[i][kept]
            if bool((rows == rows[:1]).all()):
                continue
            ridge = RidgeFolds(rows, folds[kept], asked.penalties, control)
            for _, j in (pair for pair in pairs if pair[0] == i):
                scores = ridge.scores(_targets(spaces.rows[j][kept]), np.arange(len(kept)), asked.target_score, control)
                found[i, j][part] = aggregated(scores.targets, asked.aggregate)
    return found


def _score(
    fit: LinearFit,
    null: NDArray[np.float64],
    without: NDArray[np.float64] | None,
    sizes: NDArray[np.int64],
    pair: Pair,
    options: ScoreOptions,
) -> Score:
    score = aggregated(fit.target_scores, fit.asked.aggregate)
    limits = (score, score)
    if without is not None:
        lowest = -1.0 if fit.asked.target_score == "pearson" else -math.inf
        limits = item_interval(score, score, without, sizes, options.confidence, lowest, 1.0)
    judging = null[: options.permutations] if options.permutations and pair[0] != pair[1] else None
    return judged(0, score, float(null.mean()), interval_of(limits, options), judging, options, {"fit": fit})
