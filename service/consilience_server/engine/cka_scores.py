"""Linear and unbiased CKA with chance, p-value, calibrated score and interval, from vectors."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.cka import Moments, chance_of, check_informative, check_items, unbiased_hsic
from consilience_server.core.control import Control
from consilience_server.core.errors import ShapeMismatch
from consilience_server.core.intervals import group_sizes, item_interval
from consilience_server.core.permutation import canonical_order
from consilience_server.core.score import IntervalKind, Score
from consilience_server.engine.alignment_scores import Pair, ScoreOptions, interval_of, judged, wanted_pairs
from consilience_server.engine.cka_features import DENSE_BYTES, TILE_BYTES, Features, PairMoments, centred_features, moments_without_groups
from consilience_server.engine.cka_null import permuted_moments
from consilience_server.engine.within_chance import moments_chance


def cka_score(
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    unbiased: bool,  # noqa: FBT001 - two estimators of one metric
    options: ScoreOptions,
    control: Control,
) -> Score:
    """Linear or unbiased CKA of two spaces. Definitions: `core/cka.py`; relative error below 1e-10 on any number of threads.

    Args:
        x: (n, d_x), finite.
        y: (n, d_y), row i the same item.
        unbiased: which estimator.
        options: its `item_order` has one entry an item.
        control: cancellation and progress.

    Raises:
        ShapeMismatch, TooFewItems, ConstantFeatures: as in `core/cka.py`.

    Cost:
        Memory `cka_bytes`: of large spaces O(d^2), tiles, and a few numbers an item. Time O(n d^2) for score and interval, and O(n d^2) or
        O(n^2) a permutation (`cka_null.py`): at n = 1,000,000 and d = 512 about 20 seconds each on one core.
    """
    return cka_matrix([x, y], unbiased, options, control, [(0, 1)])[0, 1]


def cka_matrix(
    arrays: Sequence[NDArray[np.floating]],
    unbiased: bool,  # noqa: FBT001 - two estimators of one metric
    options: ScoreOptions,
    control: Control,
    pairs: Sequence[Pair] | None = None,
) -> dict[Pair, Score]:
    """CKA of the pairs i <= j of M spaces, of all unless some are named, with shared permutations; entry (i, i) is 1, without null."""
    n = len(options.item_order)
    for array in arrays:
        check_items(arrays[0], array, unbiased=unbiased)
        if len(array) != n:
            raise ShapeMismatch(f"item_order has {n:,} entries for {len(array):,} items")
    order = canonical_order(options.item_order)
    spaces = [centred_features(array, order) for array in arrays]
    sizes = group_sizes(n)
    wanted = wanted_pairs(len(spaces), pairs)
    of = moments_without_groups(spaces, len(sizes) if options.interval_kind == "items" else 0, control, wanted)
    if unbiased:
        for found in of.values():
            check_informative(found.full)
    apart = [(i, j) for i, j in wanted if i != j]
    null = {}
    if options.permutations:
        null = permuted_moments(spaces, options.permutations, options.pairings(), options.threads, control, apart)
    levels = {pair: _level(found.full, spaces[pair[0]], spaces[pair[1]], unbiased, options) for pair, found in of.items()}
    return {
        pair: _cka_score(found, unbiased, sizes, levels[pair], null.get(pair), options, itself=pair[0] == pair[1])
        for pair, found in of.items()
    }


def cka_bytes(n: int, widths: Sequence[int], pairs: Sequence[Pair] | None = None, interval_kind: IntervalKind = "items") -> int:
    """Peak bytes of `cka_matrix` beyond the vectors: squares, cross-products, tiles, and of small spaces copies and Gram matrices."""
    narrow = [min(n, width) for width in widths]
    copied = [8 * n * width for width in widths if width > n or 8 * n * width <= DENSE_BYTES]
    copies = sum(copied) + max(copied, default=0) + 8 * n * (len(widths) + 6) + TILE_BYTES * (len(widths) + 4)
    products = [narrow[i] * narrow[j] for i, j in wanted_pairs(len(narrow), pairs)] + [width * width for width in narrow]
    # The interval keeps them all, and what is left of them without a group.
    crosses = 3 * 8 * sum(products) if interval_kind == "items" else 8 * max(products)
    grams = min(8 * n * n * len(widths), 1 << 29) if n * n * 4 <= 1 << 29 else 0
    return copies + crosses + max(8 * max(1024, *narrow) * max(narrow) * len(widths), grams)


def _level(
    full: Moments,
    x: Features,
    y: Features,
    unbiased: bool,  # noqa: FBT001 - two estimators of one metric
    options: ScoreOptions,
) -> float:
    """The chance, exactly: over all pairings, or over those within groups."""
    groups = options.pairings().groups
    if groups is None:
        return 0.0 if unbiased else chance_of(full)
    cross, paired = moments_chance(x, y, groups)
    parts = full.unbiased() if unbiased else full.linear()
    mean = unbiased_hsic(full.n, cross, paired, full.a * full.b) if unbiased else cross
    return float(min(max(mean / (np.sqrt(parts.xx) * np.sqrt(parts.yy)), -1.0), 1.0))


def _cka_score(
    found: PairMoments,
    unbiased: bool,  # noqa: FBT001 - two estimators of one metric
    sizes: NDArray[np.int64],
    level: float,
    null: tuple[NDArray[np.float64], NDArray[np.float64]] | None,
    options: ScoreOptions,
    *,
    itself: bool,
) -> Score:
    full = found.full
    parts = full.unbiased() if unbiased else full.linear()
    score = 1.0 if itself else parts.cka
    lowest = -1.0 if unbiased else 0.0
    if itself or options.interval_kind == "queries":
        limits = (score, score)
    else:
        without = np.array([_cka_or_nan(left, unbiased=unbiased) for left in found.without])
        limits = item_interval(score, score, without, sizes, options.confidence, lowest, 1.0)
    values = None
    if null is not None:
        cross, paired = null
        own = np.sqrt(parts.xx) * np.sqrt(parts.yy)
        values = (np.vectorize(unbiased_hsic)(full.n, cross, paired, full.a * full.b) if unbiased else cross) / own
    return judged(0, score, level, interval_of(limits, options), values, options, {})


def _cka_or_nan(left: Moments, *, unbiased: bool) -> float:
    """CKA of the items that are left; NaN where they are too few or tell nothing apart."""
    if left.n < (4 if unbiased else 2):
        return float("nan")
    parts = left.unbiased() if unbiased else left.linear()
    scale = 1e-13 / (left.n * (left.n - 3)) if unbiased else 0.0
    return parts.cka if parts.xx > scale * left.xx and parts.yy > scale * left.yy else float("nan")
