"""Intervals of a score: sampling of queries from a fixed gallery, and sampling of the items themselves."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

GROUPS = 32
"""Groups of the jackknife: enough degrees of freedom (t = 2.04 instead of 1.96 at 95%), few enough to be cheap."""


@dataclass(frozen=True)
class Jackknife:
    """A statistic of all items, (G,) without each group, and (G,) the groups' sizes."""

    full: float
    without: NDArray[np.float64]
    sizes: NDArray[np.int64]


@dataclass(frozen=True)
class Asked:
    """(m,) the asked queries' own scores, of a population of which they are a sample."""

    scores: NDArray[np.float64]
    population: float


class Limits(tuple[float, float]):  # noqa: SLOT001 - a tuple has no room for slots
    """(low, high), and what they were computed from: a difference of two scores of the same items is judged by both (`differences.py`)."""

    basis: Jackknife | Asked

    @classmethod
    def of(cls, ends: tuple[float, float], basis: Jackknife | Asked) -> "Limits":
        """The two ends with their basis."""
        found = cls(ends)
        found.basis = basis
        return found


def query_interval(overlaps: NDArray[np.float64], population: float, confidence: float, lowest: float, highest: float) -> Limits:
    """Where the mean over all queries lies, given a simple random sample of them asked against the full gallery.

    Every mean u within t standard errors of the sample's mean p, where the standard error is that at u: the sample's own is
    sqrt(v), v = s^2 / m (1 - m / N), and at u it is sqrt(v u (1 - u) / (p (1 - p))), on a scale of [0, 1].
    ```
    (p - u)^2 <= t_{m-1}^2 u (1 - u) / e,   e = p (1 - p) / v the effective number of queries, m / (1 - m / N) where all score alike
    ```
    For many queries that is p +- t sqrt(v). For few, of which most share nothing, p +- t sqrt(v) covers too little (80 to 90% where 95%
    are asked, and no width where none of them shares anything); this covers 94 to 97%. The gallery is fixed and known, so nothing is
    uncertain once all are asked: then the interval has no width. One query tells nothing: the whole range.

    Args:
        overlaps: (m,) each asked query's own score.
        population: number N >= m of queries that could have been asked, infinity where they are without end.
        confidence: coverage in (0, 1).
        lowest: the least the score can be.
        highest: the most it can be.

    Source:
        Cochran 1977, section 2.8, for v; Wilson 1927 with the effective sample size of Korn and Graubard 1998 for the limits.
    """
    m, mean, basis = len(overlaps), float(overlaps.mean()), Asked(overlaps, population)
    if m == population:
        return Limits.of((mean, mean), basis)
    if m < 2:
        return Limits.of((lowest, highest), basis)
    variance = float(overlaps.var(ddof=1)) / m * (1.0 - m / population)
    return Limits.of(score_limits(mean, variance, m / (1.0 - m / population), m - 1, confidence, lowest, highest), basis)


def item_interval(
    score: float,
    full: float,
    without: NDArray[np.float64],
    sizes: NDArray[np.int64],
    confidence: float,
    lowest: float,
    highest: float,
) -> "Limits":
    """Where the score of another sample of as many items lies: the delete-group jackknife.

    ```
    interval = score +- t_{G-1} error,   error as in `jackknife_error`
    ```
    It is centred on the score: it covers what samples of this size score on average, not an infinite one.

    Args:
        score: the score of all items.
        full: the jackknifed statistic of all items; the score itself unless the statistic is only near to it.
        without: (G,) the statistic without each group, NaN where it is undefined.
        sizes: (G,) items in each group; they sum to n.
        confidence: coverage in (0, 1).
        lowest: the least the score can be; the interval is cut there, and is the whole range where the statistic is undefined or G < 2.
        highest: the most it can be.
    """
    error, basis = jackknife_error(full, without, sizes), Jackknife(full, without, sizes)
    if not math.isfinite(error):
        return Limits.of((lowest, highest), basis)
    return Limits.of(_around(score, error, len(without) - 1, confidence, lowest, highest), basis)


def jackknife_error(full: float, without: NDArray[np.float64], sizes: NDArray[np.int64]) -> float:
    """A standard error that is rarely too small: the jackknife's variance, taken one standard error of its own above its value.

    ```
    error^2 = variance (1 + sqrt(2 / (G - 1)))
    ```
    The jackknife's variance is not too small on average (Efron and Stein 1981, with the groups as the independent units), but where the
    score is nearly a sum over items, as CKA is from a few hundred on, it is not too large either. Then t_{G-1} covers what is asked for
    normal pseudo-values only: skewness takes coverage away, whichever way it goes (the term in gamma^2 of Hall 1992, section 2.6), and a
    score that falls low falls together with its variance. CKA, RSA and linear predictivity were covered in 94 to 95% of samples where 95%
    were asked. The variance of G normal pseudo-values is uncertain by sqrt(2 / (G - 1)) of itself. Adding that much makes 95% 97% for a
    normal score, which leaves room for skewed ones, and the interval 12% longer.

    NaN where the statistic is undefined or there are fewer than two groups.
    """
    groups = len(without)
    return math.sqrt(jackknife_variance(full, without, sizes) * (1.0 + math.sqrt(2.0 / max(groups - 1, 1))))


def jackknife_variance(full: float, without: NDArray[np.float64], sizes: NDArray[np.int64]) -> float:
    """The variance of a statistic, from what it is without each group; NaN where it is undefined or there are fewer than two groups.

    With pseudo-values t_g = h_g full - (h_g - 1) without_g, h_g = n / size_g, and their weighted mean J:
    ```
    variance = 1/G sum_g (t_g - J)^2 / (h_g - 1)
    ```

    Source:
        Busing, Meijer and van der Leeden 1999, equations 6-7 (unequal groups).
    """
    groups = len(without)
    if groups < 2 or not (np.isfinite(without).all() and math.isfinite(full)):
        return math.nan
    h = sizes.sum() / sizes
    centre = groups * full - ((1.0 - 1.0 / h) * without).sum()
    pseudo = h * full - (h - 1.0) * without
    return float(((pseudo - centre) ** 2 / (h - 1.0)).sum() / groups)


def half_interval(score: float, halves: NDArray[np.float64], confidence: float, lowest: float, highest: float) -> tuple[float, float]:
    """Where the score of another sample of as many items lies, by half-sampling: for statistics that choose, which a jackknife flatters.

    ```
    variance = 1/H sum_h (half_h - score)^2,   interval = score +- t_{H-1} sqrt(variance)
    ```
    Deleting a few items seldom changes which components are the strongest; deleting half of them shows how uncertain that is. For a sample
    of half the size the factor m / (n - m) of subsampling is 1. Deviations are from the score, not from the mean of the halves, so what
    smaller samples score differently widens it too: conservative.

    Args:
        score: the score of all items.
        halves: (H,) the score of each half, both halves of a split among them; NaN where it is undefined.
        confidence: coverage in (0, 1).
        lowest: the least the score can be; the interval is the whole range where a half is undefined.
        highest: the most it can be.

    Source:
        McCarthy 1969 (half-samples); Politis, Romano and Wolf 1999, section 2 (subsampling).
    """
    if len(halves) < 2 or not np.isfinite(halves).all():
        return lowest, highest
    return _around(score, math.sqrt(float(((halves - score) ** 2).mean())), len(halves) - 1, confidence, lowest, highest)


def group_sizes(n: int) -> NDArray[np.int64]:
    """(G,) sizes of the jackknife's groups of n items, G = min(GROUPS, n): canonical position c belongs to group c mod G."""
    groups = min(GROUPS, n)
    return np.bincount(np.arange(n) % groups, minlength=groups).astype(np.int64)


def list_depth(k: int, n: int) -> int:
    """How deep neighbour lists must be so that a list of k can be refilled after any one group is deleted, at most n - 1.

    A group takes binomially many of a list's members, k / GROUPS on average; four standard deviations and three more are kept in reserve.
    Lists that run short all the same are compared at the length they have.
    """
    taken = k / GROUPS
    return min(n - 1, k + math.ceil(taken + 4.0 * math.sqrt(taken)) + 3)


def score_limits(
    mean: float, variance: float, alike: float, degrees: float, confidence: float, lowest: float, highest: float
) -> tuple[float, float]:
    """The roots u of (p - u)^2 = t^2 u (1 - u) / e on the scale of [lowest, highest]; e is `alike` where nothing varies."""
    width = highest - lowest
    p = min(max((mean - lowest) / width, 0.0), 1.0)
    room = p * (1.0 - p)
    effective = room * width**2 / variance if variance > 0.0 and room > 0.0 else alike
    t = float(stdtrit(degrees, 0.5 + confidence / 2.0))
    spread = t * t / effective
    centre = (p + spread / 2.0) / (1.0 + spread)
    half = math.sqrt(spread * room + spread * spread / 4.0) / (1.0 + spread)
    return lowest + width * max(centre - half, 0.0), lowest + width * min(centre + half, 1.0)


def _around(centre: float, error: float, degrees: int, confidence: float, lowest: float, highest: float) -> tuple[float, float]:
    half = float(stdtrit(degrees, 0.5 + confidence / 2.0)) * error
    return max(centre - half, lowest), min(centre + half, highest)
