"""Queries sampled from strata of the items: how many of each, their mean, and where the mean over all items lies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import InvalidArgument
from consilience_server.core.intervals import score_limits

LEAST = 2
"""Queries of a stratum, where it has as many: one alone would tell nothing of its spread."""


@dataclass(frozen=True)
class Strata:
    """Which stratum each query is of, and how many items the strata have.

    Attributes:
        of: (m,) int64, the stratum of each query; every stratum has one at least.
        sizes: (H,) int64 N_h, items of each stratum in the gallery.
    """

    of: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @property
    def asked(self) -> NDArray[np.int64]:
        """(H,) m_h, queries of each stratum."""
        return np.bincount(self.of, minlength=len(self.sizes)).astype(np.int64)

    def weights(self) -> NDArray[np.float64]:
        """(m,) the weight of each query in the mean over all items, W_h m / m_h with W_h = N_h / N: 1 on average."""
        per_query = self.sizes / self.sizes.sum() / self.asked * len(self.of)
        return np.asarray(per_query[self.of], dtype=np.float64)


def allocate(sizes: NDArray[np.int64], queries: int) -> NDArray[np.int64]:
    """(H,) how many queries each stratum gets: in proportion to its items, by largest remainder, but two where it has them.

    Args:
        sizes: (H,) N_h >= 1.
        queries: m, at most the sum of the sizes.

    Raises:
        InvalidArgument: m is less than two for each stratum (one for strata of one item).
    """
    least = np.minimum(sizes, LEAST)
    if queries < least.sum():
        raise InvalidArgument(
            f"{queries:,} queries for {len(sizes):,} strata; ask at least {least.sum():,}, two of each, or name coarser strata",
            field="spec.sample_queries",
            least=int(least.sum()),
        )
    shares = queries * sizes / sizes.sum()
    given = np.maximum(np.floor(shares).astype(np.int64), least)
    while given.sum() > queries:
        given[np.argmax(np.where(given > least, given - shares, -np.inf))] -= 1
    while given.sum() < queries:
        given[np.argmax(np.where(given < sizes, shares - given, -np.inf))] += 1
    return np.asarray(given, dtype=np.int64)


def stratified_sample(keys: NDArray[np.uint64], of: NDArray[np.int64], queries: int) -> NDArray[np.int64]:
    """The rows of a sample in proportion to the strata: of each those with the smallest keys (`core/query_sample.py: hash_sample`).

    Args:
        keys: (n,) uint64, of each item.
        of: (n,) the stratum of each item, numbered from 0 without gaps.
        queries: m <= n.

    Returns:
        (m,) int64, ascending.

    Raises:
        InvalidArgument: as `allocate`.
    """
    given = allocate(np.bincount(of).astype(np.int64), queries)
    order = np.lexsort((keys, of))
    starts = np.concatenate([[0], np.cumsum(np.bincount(of))[:-1]])
    place = np.arange(len(of)) - starts[of[order]]
    return np.sort(order[place < given[of[order]]]).astype(np.int64)


def stratified_interval(
    scores: NDArray[np.float64], strata: Strata, confidence: float, lowest: float, highest: float
) -> tuple[float, float]:
    """Where the mean over all items lies, given a simple random sample of each stratum asked against the full gallery.

    ```
    mean = sum_h W_h mean_h,   v = sum_h W_h^2 s_h^2 / m_h (1 - m_h / N_h),
    degrees = (sum_h g_h s_h^2)^2 / sum_h (g_h s_h^2)^2 / (m_h - 1),   g_h = N_h (N_h - m_h) / m_h
    ```
    and the limits as `core/intervals.py: query_interval` makes them of mean and v. Strata that are asked whole leave nothing uncertain.

    Args:
        scores: (m,) each query's own.
        strata: of the queries; those that are not asked whole have two queries at least.
        confidence: coverage in (0, 1).
        lowest: the least the score can be.
        highest: the most it can be.

    Source:
        Cochran 1977, equations 5.6, 5.12 and 5.16.
    """
    asked, sizes = strata.asked, strata.sizes
    totals = np.bincount(strata.of, weights=scores, minlength=len(sizes))
    means = totals / asked
    squares = np.bincount(strata.of, weights=(scores - means[strata.of]) ** 2, minlength=len(sizes))
    spread = squares / np.maximum(asked - 1, 1)
    share = sizes / sizes.sum()
    mean = float((share * means).sum())
    if (asked == sizes).all():
        return mean, mean
    variance = float((share**2 * spread / asked * (1.0 - asked / sizes)).sum())
    grown = sizes * (sizes - asked) / asked * spread
    below = float((grown**2 / np.maximum(asked - 1, 1)).sum())
    m = len(scores)
    degrees = float(grown.sum() ** 2 / below) if below > 0.0 else float(m - len(sizes))
    return score_limits(mean, variance, m / (1.0 - m / sizes.sum()), max(degrees, 1.0), confidence, lowest, highest)
