"""CCA, SVCCA, Procrustes similarity and the angular shape metric with chance, p-value, calibrated score and interval, from vectors."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.cca import check_undetermined
from consilience_server.core.control import Control
from consilience_server.core.errors import ShapeMismatch, TooFewItems
from consilience_server.core.intervals import group_sizes, half_interval, item_interval
from consilience_server.core.permutation import canonical_order
from consilience_server.core.score import Score
from consilience_server.core.svcca import COMPONENTS
from consilience_server.engine.alignment_scores import Pair, ScoreOptions, interval_of, judged, wanted_pairs
from consilience_server.engine.list_scores import LEAST_PAIRINGS
from consilience_server.engine.shape_features import ANGLE_METRICS, DISPLAYED, ShapeFeatures, ShapeMetric, shape_features, shape_scores_of
from consilience_server.engine.shape_jackknife import Without, scores_of_halves, scores_without_groups
from consilience_server.engine.shape_null import nuclear_norm, permuted_nuclear_norms

LEAST_ITEMS = 4
"""Fewer items have no shape worth comparing."""


def shape_score(
    metric: ShapeMetric,
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    options: ScoreOptions,
    control: Control,
    components: int = COMPONENTS,
) -> Score:
    """A shape metric of two spaces. Definitions: `core/cca.py`, `svcca.py`, `procrustes_similarity.py`, `angular_shape.py`.

    `chance` has no closed form: it is the mean over the random pairings drawn, 99 at the least, an estimate whose standard error is null_sd
    over the root of their number. The interval of `svcca`, which chooses components, is the wider of the jackknife's and
    that of half-samples (`core/intervals.py`). Relative error of the score below 1e-9 on any number of threads.

    Args:
        metric: `procrustes` is in units of y.
        x: (n, d_x), finite.
        y: (n, d_y), row i the same item.
        options: its `item_order` has one entry an item.
        control: cancellation and progress.
        components: of `svcca`.

    Raises:
        ShapeMismatch, ConstantFeatures: as in the definitions.
        TooFewItems: n < 4; for CCA and SVCCA a side that spans all n - 1 directions.
        InvalidArgument: components < 1.

    Cost:
        Memory `shape_bytes`; time O(n d^2), and n d_x d_y + O(d^3) multiply-adds a permutation; for `svcca` components instead of d.
    """
    return _scores(metric, [x, y], [(0, 1)], ("x", "y"), options, control, components)[0, 1]


def shape_matrix(
    metric: ShapeMetric,
    arrays: Sequence[NDArray[np.floating]],
    options: ScoreOptions,
    control: Control,
    components: int = COMPONENTS,
    pairs: Sequence[Pair] | None = None,
) -> dict[Pair, Score]:
    """The same for the pairs i <= j of M spaces, for all unless some are named, under shared permutations.

    For `procrustes`, which is not symmetric, (j, i) too.

    Entry (i, j) is that of `shape_score` with the vectors of i as x. Entry (i, i) is 1, without a null.
    """
    wanted = wanted_pairs(len(arrays), pairs)
    return _scores(metric, arrays, wanted, ["spaces"] * len(arrays), options, control, components, both_ways=metric == "procrustes")


def shape_bytes(metric: ShapeMetric, n: int, widths: Sequence[int], components: int, threads: int) -> int:
    """Peak bytes of `shape_score` and `shape_matrix` beyond the vectors: features, a decomposition, products; an upper estimate."""
    narrow = [min(n, width) for width in widths]
    widest, deepest = max(widths), max(narrow)
    # While one space is decomposed: its rows, its centred rows, a copy that is overwritten, and both factors.
    decomposed = n * widest * 4 + 8 * n * (2 * widest + 2 * deepest) + 8 * deepest * (widest + 4 * deepest)
    if metric == "svcca":
        kept = 8 * n * sum(widths) + 8 * n * components * len(widths) + 8 * sum(width * width for width in widths if width <= n)
        left = 8 * n * (2 * widest + components * len(widths)) + 3 * 8 * deepest * deepest
        compared = [min(components, width) for width in narrow]
    else:
        kept, left, compared = 8 * n * sum(narrow), 4 * 8 * deepest * deepest, narrow
    crosses = 8 * sum(a * b for i, a in enumerate(compared) for b in compared[i:])
    null = threads * 8 * (4096 + 2 * max(compared)) * max(1024, *compared)
    return kept + max(decomposed, left + crosses, null) + (1 << 24)


def _scores(
    metric: ShapeMetric,
    arrays: Sequence[NDArray[np.floating]],
    pairs: Sequence[Pair],
    names: Sequence[str],
    options: ScoreOptions,
    control: Control,
    components: int,
    *,
    both_ways: bool = False,
) -> dict[Pair, Score]:
    n = len(options.item_order)
    if any(len(array) != n for array in arrays):
        counts = ", ".join(f"{len(array):,}" for array in arrays)
        raise ShapeMismatch(f"the spaces have {counts} rows for {n:,} items; row i of all must be the same item", field=names[-1])
    if n < LEAST_ITEMS:
        raise TooFewItems(f"{DISPLAYED[metric]} needs {LEAST_ITEMS} items or more, there are {n}; add items", n=n, least=LEAST_ITEMS)
    order = canonical_order(options.item_order)
    spaces = []
    for array, name in zip(arrays, names, strict=True):
        control.check()
        spaces.append(shape_features(metric, array, order, components, name))
    if metric in ANGLE_METRICS:
        for i, j in pairs:
            check_undetermined(n, spaces[i].directions, spaces[j].directions, DISPLAYED[metric])
    distinct = [pair for pair in pairs if pair[0] != pair[1]]
    ordered = [*distinct, *[(j, i) for i, j in distinct]] if both_ways else distinct
    null = _null(spaces, pairs, options, control.part(0.0, 0.9))
    without: Without = {}
    halves: Without = {}
    if options.interval_kind == "items":
        without = scores_without_groups(metric, spaces, ordered, len(group_sizes(n)), components, control)
        halves = scores_of_halves(spaces, ordered, components, control) if metric == "svcca" else {}
    both = [pair for pair in pairs if pair[0] == pair[1]]
    return {pair: _score(metric, spaces, pair, null, (without.get(pair), halves.get(pair)), options) for pair in (*ordered, *both)}


def _null(
    spaces: Sequence[ShapeFeatures], pairs: Sequence[Pair], options: ScoreOptions, control: Control
) -> dict[Pair, NDArray[np.float64]]:
    """|X'Y|_* of the random pairings of every pair; a space with itself only as many as its chance is estimated from."""
    values = [space.values for space in spaces]
    distinct, both = [pair for pair in pairs if pair[0] != pair[1]], [pair for pair in pairs if pair[0] == pair[1]]
    count, pairings = max(options.permutations, LEAST_PAIRINGS), options.pairings()
    found = permuted_nuclear_norms(values, distinct, count, pairings, options.threads, control) if distinct else {}
    if both:
        found.update(permuted_nuclear_norms(values, both, LEAST_PAIRINGS, pairings, options.threads, control.part(1.0, 1.0)))
    return found


def _score(
    metric: ShapeMetric,
    spaces: Sequence[ShapeFeatures],
    pair: Pair,
    null: dict[Pair, NDArray[np.float64]],
    samples: tuple[NDArray[np.float64] | None, NDArray[np.float64] | None],
    options: ScoreOptions,
) -> Score:
    """One pair; `samples` are its scores without each group, and of halves of the items."""
    x, y = spaces[pair[0]], spaces[pair[1]]
    itself = pair[0] == pair[1]
    score = 1.0 if itself else float(shape_scores_of(metric, np.array(nuclear_norm(x.values, y.values)), x.size, y.size))
    # The singular values of X'Y[rho] are those of Y'X[rho^-1]: both directions have the same random pairings.
    norms = null[pair] if pair in null else null[pair[1], pair[0]]
    drawn = shape_scores_of(metric, norms, x.size, y.size)
    limits = (score, score)
    without, halves = samples
    if without is not None:
        lowest = 1.0 - math.sqrt((x.size + y.size) / y.size) if metric == "procrustes" else 0.0
        limits = item_interval(score, score, without, group_sizes(len(x.values)), options.confidence, lowest, 1.0)
    if halves is not None:
        wider = half_interval(score, halves, options.confidence, 0.0, 1.0)
        limits = (min(limits[0], wider[0]), max(limits[1], wider[1]))
    counted = {"components_x": x.directions, "components_y": y.directions} if metric in ANGLE_METRICS else {}
    judging = drawn[: options.permutations] if options.permutations and not itself else None
    return judged(0, score, float(drawn.mean()), interval_of(limits, options), judging, options, counted)
