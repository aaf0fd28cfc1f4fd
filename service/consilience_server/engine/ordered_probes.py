"""LCS and edit distance of the two ordered lists of every probe, and what unrelated lists have by chance."""

from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import hypergeom

from consilience_server.engine.list_comparison import common_lengths, saved_edits

OrderedMetric = Literal["lcs_knn", "edit_distance_knn"]
_DRAWS = 512
"""Of lists with each number of items in common: the standard error of a chance below .3 is below .01, and far below for small ones."""
_CELLS = 1 << 22
_UNLIKELY = 1e-9


def ordered_values(metric: OrderedMetric, x: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.float64]:
    """(m,) the LCS of each probe's two lists, or k less their Levenshtein distance, as a share of k: `core/lcs_knn.py`, one item each.

    Args:
        metric: which.
        x: (m, k) gallery rows, best first, no row of a list twice.
        y: (m, k) likewise in the other space.

    Returns:
        In [0, 1], exact.
    """
    m, k = x.shape
    step = 1 + int(max(x.max(initial=0), y.max(initial=0)))
    of_x, of_y = ((np.arange(m, dtype=np.int64)[:, None] * step + side).ravel() for side in (x, y))
    _, at_x, at_y = np.intersect1d(of_x, of_y, assume_unique=True, return_indices=True)
    compare = common_lengths if metric == "lcs_knn" else saved_edits
    return np.asarray(compare(at_x // k, at_x % k, at_y % k, m, [k])[0] / k, dtype=np.float64)


@lru_cache(maxsize=256)
def ordered_chance(metric: OrderedMetric, k: int, n: int) -> float:
    """The mean over all pairings of n items: a list against a uniformly random ordered list of k of the other n - 1 items.

    It depends on no data. The number of items in common is hypergeometric; for each number the value is averaged over 512 pairs of random
    lists, fewer of very long ones, from a fixed seed, so that the same question has the same answer.
    """
    counts = np.arange(1, k + 1)
    likely = hypergeom.pmf(counts, n - 1, k, k)
    total, draw = 0.0, np.random.default_rng(20260501)
    draws = max(16, min(_DRAWS, _CELLS // (k * k)))
    for common, share in zip(counts.tolist(), likely.tolist(), strict=True):
        if share > _UNLIKELY:
            own = np.broadcast_to(np.arange(k, dtype=np.int64), (draws, k))
            # Of the first list `common` items, and beyond it items that it lacks, in random order.
            chosen = np.argsort(draw.random((draws, k)), axis=1)[:, :common]
            other = np.concatenate([chosen, np.broadcast_to(k + np.arange(k - common), (draws, k - common))], axis=1)
            order = np.argsort(draw.random((draws, k)), axis=1)
            total += share * float(ordered_values(metric, own, np.take_along_axis(other, order, axis=1)).mean())
    return total
