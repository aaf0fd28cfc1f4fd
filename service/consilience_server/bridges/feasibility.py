"""Before a fit: how far two spaces agree on their pairs, and what recall how many pairs would bring."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from consilience_server.bridges.artefact import LearningPoint, MethodName
from consilience_server.bridges.fit import Fits, needed_pairs
from consilience_server.bridges.held_out_retrieval import FitProblem, HeldOutRetrieval
from consilience_server.core.cka import unbiased_cka
from consilience_server.core.control import Control
from consilience_server.core.errors import ConstantFeatures
from consilience_server.core.learning_forecast import FEWEST_POINTS, Forecast, forecast
from consilience_server.core.mutual_knn import chance, mutual_knn
from consilience_server.core.neighbour_sets import NeighbourSets
from consilience_server.core.retrieval import recall_at_k, wilson_interval
from consilience_server.core.similarity import Similarity
from consilience_server.core.tie_order import tie_keys
from consilience_server.engine.protocol import NeighbourEngine

FORECAST_KS = (1, 10)
QUICK_METHODS: tuple[MethodName, ...] = ("procrustes", "ridge")
"""What `auto` is foreseen by: nearly always one of the best, and quickly fitted."""

QUICK_PAIRS = 8000
QUICK_QUERIES = 500
ALIGNED_PAIRS = 2000
FURTHEST = 16
"""Times the pairs of the last measured point: nobody should believe a forecast beyond."""

_POINTS = 5
_PERMUTATIONS = 199
_NEIGHBOURS = 10
_FEWEST_ALIGNED = 12
_STEPS = 4
"""Numbers of pairs looked at between one and its double."""


@dataclass(frozen=True)
class PairAlignment:
    """How far two spaces agree on the items of the pairs (at most `ALIGNED_PAIRS`, by hash).

    Attributes:
        mutual_knn: at k = 10, or as many as there are less one.
        chance: what it is for items paired at random.
        p_value: of permutations of the pairing, (1 + at least as much) / (1 + 199).
        cka: unbiased, linear; 0 by chance. None where all items of a side are equally far from each other.
        items: how many.
    """

    mutual_knn: float
    chance: float
    p_value: float
    cka: float | None
    items: int


@dataclass(frozen=True)
class Need:
    """Pairs of the fit that the wished recall takes.

    Attributes:
        pairs: the fewest whose forecast reaches it; None where none up to `FURTHEST` times the pairs of the last point does.
        least: the fewest whose interval reaches it; None likewise.
        most: the fewest whose interval lies above it; None likewise.
    """

    pairs: int | None
    least: int | None
    most: int | None


@dataclass(frozen=True)
class LearningForecast:
    """What was measured with parts of the pairs at hand, and what more would bring (how well it is foreseen: `core/learning_forecast.py`).

    Attributes:
        method: the one looked at.
        measured: by number of pairs of the fit, ascending.
        forecasts: by k of `FORECAST_KS`, at doublings of the pairs of the last measured point, up to `FURTHEST`.
        need: for the wished recall.
        queries: held-out pairs asked.
        gallery: items of the target space that they were searched in.
    """

    method: MethodName
    measured: tuple[LearningPoint, ...]
    forecasts: dict[int, Forecast]
    need: Need
    queries: int
    gallery: int


def pair_alignment(x: NDArray[np.float32], y: NDArray[np.float32], engine: NeighbourEngine, control: Control) -> PairAlignment | None:
    """Of the rows of the pairs, in a random order; None for fewer than a dozen."""
    x, y = x[:ALIGNED_PAIRS], y[:ALIGNED_PAIRS]
    if len(x) < _FEWEST_ALIGNED:
        return None
    k, keys = min(_NEIGHBOURS, len(x) - 1), tie_keys("feasibility", [str(row) for row in range(len(x))])
    one, other = (
        engine.self_join(np.ascontiguousarray(rows), Similarity.COSINE, k, tie_keys=keys, control=control.silent()).sets(k)
        for rows in (x, y)
    )
    found = mutual_knn(one, other)
    left, right = _weights(one), _weights(other)
    rng = np.random.default_rng(0)
    as_much = 0
    for _ in range(_PERMUTATIONS):
        control.check()
        order = rng.permutation(len(x))
        as_much += float(left.multiply(right[order][:, order]).sum()) / (k * len(x)) >= found - 1e-12
    try:
        cka = unbiased_cka(x, y)
    except ConstantFeatures:
        cka = None
    return PairAlignment(found, chance(k, len(x)), (1 + as_much) / (1 + _PERMUTATIONS), cka, len(x))


def alignment_bytes(engine: NeighbourEngine, items: int, *dims: int) -> int:
    """Peak of `pair_alignment` of so many rows: themselves and in float64, a search, the products of CKA."""
    items = min(items, ALIGNED_PAIRS)
    products = 2 * items**2 if items < min(dims) else sum(dims) ** 2
    searches = max(engine.self_join_bytes(items, dim, _NEIGHBOURS) for dim in dims)
    return searches + items * sum(dims) * 20 + 8 * products


def learning_forecast(
    problem: FitProblem,
    methods: Sequence[MethodName],
    wish: tuple[float, int],
    penalties: Sequence[float],
    engine: NeighbourEngine,
    control: Control,
) -> LearningForecast | None:
    """Fit quick methods on halves of the pairs, halves of these, and so on; carry on the curve of the best.

    Args:
        problem: pairs, at most `QUICK_PAIRS` for the fit and `QUICK_QUERIES` held out, and the gallery.
        methods: looked at; the one of greatest recall@1 with all pairs is kept, of equals the first.
        wish: recall, and its k of `FORECAST_KS`.
        penalties: for ridge.
        engine: searches.
        control: cancellation and progress.

    Returns:
        None where the pairs are too few for three points of a curve.
    """
    needed = max(needed_pairs(method, problem.x.shape[1], problem.y.shape[1]) for method in methods)
    sizes = sorted({len(problem.x) >> halved for halved in range(_POINTS) if len(problem.x) >> halved >= needed})
    if len(sizes) < FEWEST_POINTS:
        return None
    measuring = HeldOutRetrieval(problem, engine, control)
    ranks: dict[MethodName, list[NDArray[np.int64]]] = {method: [] for method in methods}
    for at, size in enumerate(sizes):
        fits = Fits(problem.x[:size], problem.y[:size], penalties, control.silent())
        for method in methods:
            ranks[method].append(measuring.ranks(fits.fit(method)[0], control.silent()))
        control.progress((at + 1) / len(sizes))
    method = max(methods, key=lambda name: recall_at_k(ranks[name][-1], 1))
    found = np.stack(ranks[method])
    doublings = [sizes[-1] * 2**power for power in range(1, FURTHEST.bit_length())]
    forecasts = {k: forecast(sizes, found <= k, doublings, np.random.default_rng(0)) for k in FORECAST_KS}
    measured = tuple(_point(size, row) for size, row in zip(sizes, found, strict=True))
    return LearningForecast(method, measured, forecasts, _need(sizes, found, *wish), found.shape[1], len(problem.gallery))


def _need(sizes: Sequence[int], ranks: NDArray[np.int64], recall: float, k: int) -> Need:
    most = sizes[-1] * FURTHEST
    between = range(int(_STEPS * math.log2(most / sizes[0])) + 1)
    steps = sorted({round(most * 2 ** (-step / _STEPS)) for step in between} | set(sizes))
    found = forecast(sizes, ranks <= k, steps, np.random.default_rng(0))

    def first(recalls: NDArray[np.float64]) -> int | None:
        reached = np.flatnonzero(recalls >= recall)
        return int(found.pairs[reached[0]]) if len(reached) else None

    return Need(first(found.recall), first(found.high), first(found.low))


def _point(pairs: int, ranks: NDArray[np.int64]) -> LearningPoint:
    intervals = {k: wilson_interval(int((ranks <= k).sum()), len(ranks)) for k in FORECAST_KS}
    return LearningPoint(pairs, {k: recall_at_k(ranks, k) for k in FORECAST_KS}, intervals)


def _weights(sets: NeighbourSets) -> csr_array:
    return csr_array((sets.weights, sets.indices, sets.indptr), shape=(sets.n, sets.gallery))
