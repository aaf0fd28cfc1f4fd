"""Spaces sorted into buckets of competence, and the mean alignment within and across them (Huh et al. 2024, figure 2)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Bucket:
    """The spaces whose number lies in [low, high]; `members` are their positions, `mean` and `standard_error` of the alignment within.

    Attributes:
        low: the least number among the members.
        high: the largest.
        members: at least one.
        mean: of the alignments among the members, or with the reference; NaN where there is none (a bucket of one, without reference).
        standard_error: over spaces; NaN where there are too few.
        count: alignments the mean is over.
    """

    low: float
    high: float
    members: tuple[int, ...]
    mean: float
    standard_error: float
    count: int


def bucket_of(numbers: NDArray[np.float64], edges: Sequence[float], count: int) -> list[NDArray[np.int64]]:
    """The positions in each bucket that is not empty, by ascending number; equal numbers share a bucket.

    Args:
        numbers: (m,) one a space.
        edges: inner edges, ascending: a number equal to an edge belongs above it. Empty: `count` buckets of about equally many spaces.
        count: ignored where edges are given.
    """
    inner = np.asarray(edges, dtype=np.float64) if len(edges) else np.quantile(numbers, np.arange(1, count) / count)
    places = np.searchsorted(inner, numbers, side="right")
    found = (np.flatnonzero(places == place) for place in range(len(inner) + 1))
    return [members for members in found if len(members)]


def default_count(m: int) -> int:
    """Buckets of m spaces: three spaces each or more, five buckets at most."""
    return max(1, min(5, m // 3))


def mean_with_reference(scores: NDArray[np.float64], members: NDArray[np.int64]) -> tuple[float, float, int]:
    """Mean of the members' scores, its standard error s / sqrt(m) (NaN for one), and m."""
    chosen = scores[members]
    m = len(chosen)
    return float(chosen.mean()), float(chosen.std(ddof=1) / math.sqrt(m)) if m > 1 else math.nan, m


def mean_of_pairs(scores: NDArray[np.float64], rows: NDArray[np.int64], columns: NDArray[np.int64]) -> tuple[float, float, int]:
    """Mean alignment between two buckets, or within one, with the jackknife's standard error over spaces.

    Pairs share spaces, so that s / sqrt(pairs) would be too small: each space is left out in turn, with all pairs it is in.
    ```
    variance = sum over both buckets of (m - 1) / m sum_i (mean_(-i) - mean of mean_(-i))^2
    ```
    For one bucket the sum has one term. NaN where leaving a space out leaves no pair: a bucket of fewer than three within, of one across.

    Args:
        scores: (M, M); cell (i, j) of i in rows and j in columns is a pair, the diagonal never.
        rows: positions of one bucket.
        columns: of the other; the same positions for within.

    Returns:
        mean, standard error, number of pairs (each once).

    Source:
        Arvesen 1969 (the jackknife of U-statistics).
    """
    within = np.array_equal(rows, columns)
    block = scores[np.ix_(rows, columns)].astype(np.float64)
    present = rows[:, None] != columns[None, :]
    values = np.where(present, block, 0.0)
    total, cells = float(values.sum()), int(present.sum())
    if cells == 0:
        return math.nan, math.nan, 0
    variance = 0.0
    for axis in (1,) if within else (1, 0):
        m = values.shape[1 - axis]
        lost, gone = values.sum(axis=axis), present.sum(axis=axis)
        if within:
            lost, gone = lost + values.sum(axis=0), 2 * gone
        left = cells - gone
        if (left <= 0).any():
            variance = math.nan
            break
        without = (total - lost) / left
        variance += (m - 1) / m * float(((without - without.mean()) ** 2).sum())
    return total / cells, math.sqrt(variance), cells // 2 if within else cells
