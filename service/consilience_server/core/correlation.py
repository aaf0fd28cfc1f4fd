"""Correlation of a few pairs of numbers: by value, by rank, with intervals for few pairs and an exact test over pairings."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

from consilience_server.core.control import Control
from consilience_server.core.permutation import permutation

EXACT_UP_TO = 8
"""Pairs up to which all pairings are tried: 8! = 40,320."""
_SAME = 1e-12
"""Correlations closer than this count as equal: the same sum in another order."""
_SAME_SIDE = 1e-15
"""Rounding of a perfect correlation."""
_BLOCK = 4096
_NO_INTERVAL = (-1.0, 1.0)


@dataclass(frozen=True)
class PairingTest:
    """Shares of pairings that correlate as strongly in either direction: two-sided p-values, and how they were found.

    Attributes:
        spearman: p of the rank correlation.
        pearson: p of the linear one.
        pairings: how many were tried beside the observed one, or all m! where `exact`.
        exact: all were tried.
    """

    spearman: float
    pearson: float
    pairings: int
    exact: bool


def pearson(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Pearson's r of (m,) pairs, in [-1, 1]; NaN where x or y is constant."""
    a, b = _unit(x), _unit(y)
    if a is None or b is None:
        return math.nan
    r = float(a @ b)
    return math.copysign(1.0, r) if abs(r) >= 1.0 - _SAME_SIDE else r


def spearman(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Spearman's rho of (m,) pairs: Pearson's r of the ranks, ties at their mean rank. In [-1, 1]; NaN where x or y is constant."""
    return pearson(rankdata(x), rankdata(y))


def pearson_interval(r: float, m: int, confidence: float) -> tuple[float, float]:
    """Where Pearson's r of other samples of m pairs lies: Fisher's z.

    ```
    tanh(atanh(r) +- z / sqrt(m - 3))
    ```
    Exact in the limit for binormal pairs; [-1, 1] for m < 4 or undefined r.

    Source:
        Fisher 1921.
    """
    return _fisher(r, r, m, 1.0, confidence)


def spearman_interval(rho: float, m: int, confidence: float) -> tuple[float, float]:
    """Where Spearman's rho of other samples of m pairs lies: Fisher's z with the variance of ranks.

    ```
    tanh(atanh(rho') +- z sqrt((1 + rho'^2 / 2) / (m - 3)))
    ```
    rho' is rho moved half a step of its lattice away from -1 and 1 (a step is 12 / (m^3 - m)): a perfect order of five items is no proof of
    a perfect order of all. The interval holds rho. For binormal pairs with correlation 0 to .95 it covers 94 to 99% at a nominal 95%, from
    5 to 40; a percentile bootstrap covers less when m is small. [-1, 1] for m < 4 or undefined rho.

    Source:
        Bonett and Wright 2000, equation 3.
    """
    furthest = 1.0 - 6.0 / (m**3 - m) if m > 1 else 0.0
    inner = min(max(rho, -furthest), furthest)
    return _fisher(rho, inner, m, 1.0 + 0.5 * inner * inner, confidence)


def pairing_test(
    x: NDArray[np.float64], y: NDArray[np.float64], permutations: int, seed: int, control: Control | None = None
) -> PairingTest | None:
    """How often other pairings of the same numbers correlate as strongly, in either direction.

    ```
    p = #{|r_pi| >= |r|} / m!                  over all m! pairings, m <= EXACT_UP_TO
    p = (1 + #{|r_b| >= |r|}) / (K + 1)        over K random ones, else
    ```
    Valid whatever the numbers are, and however the y depend on each other, if x says nothing about y. The order of the pairs does not
    matter: pairings are drawn of the sorted numbers.

    Args:
        x: (m,) float64.
        y: (m,) float64.
        permutations: K; 0 tests nothing (None).
        seed: of the random pairings.
        control: hears of progress.

    Returns:
        p is 1 where a correlation is undefined. Cost: 8! m or K m.
    """
    if permutations == 0:
        return None
    m, control = len(x), control or Control()
    sides = [(_unit(np.sort(of_x)), _unit(np.sort(of_y))) for of_x, of_y in ((rankdata(x), rankdata(y)), (x, y))]
    observed = (spearman(x, y), pearson(x, y))
    exact = m <= EXACT_UP_TO
    pairings = math.factorial(m) if exact else permutations
    reached = [0, 0]
    for start, orders in _orders(m, pairings, seed, exact=exact):
        control.check()
        control.progress(start / pairings)
        for which, (a, b) in enumerate(sides):
            if a is not None and b is not None:
                reached[which] += int(np.count_nonzero(np.abs(a[orders] @ b) >= abs(observed[which]) - _SAME))
    told = [_p_value(count, pairings, exact=exact) if np.isfinite(r) else 1.0 for count, r in zip(reached, observed, strict=True)]
    return PairingTest(told[0], told[1], pairings, exact)


def line(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Slope and intercept of the least-squares line of y on x; NaN where x is constant."""
    centred = x - x.mean()
    if _unit(x) is None:
        return math.nan, math.nan
    slope = float(centred @ (y - y.mean()) / (centred @ centred))
    return slope, float(y.mean() - slope * x.mean())


def _p_value(count: int, pairings: int, *, exact: bool) -> float:
    return count / pairings if exact else (1 + count) / (pairings + 1)


def _orders(m: int, count: int, seed: int, *, exact: bool) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Blocks of orders of m things with the number of those before: all m! of them, or `count` random ones."""
    if exact:
        yield 0, np.array(list(itertools.permutations(range(m))), dtype=np.int64)
        return
    for start in range(0, count, _BLOCK):
        yield start, np.array([permutation(seed, b, m) for b in range(start, min(start + _BLOCK, count))])


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The values minus their mean, of length 1; None where they are constant but for rounding."""
    if np.ptp(values) <= _SAME * max(1e-300, float(np.abs(values).max())):
        return None
    # Squares of very large or very small numbers would leave the range of float64.
    centred = (values - values.mean()) / np.ptp(values)
    unit: NDArray[np.float64] = centred / np.linalg.norm(centred)
    return unit


def _fisher(value: float, inner: float, m: int, factor: float, confidence: float) -> tuple[float, float]:
    if m < 4 or not math.isfinite(value):
        return _NO_INTERVAL
    if abs(inner) >= 1.0:
        return value, value
    half = float(ndtri(0.5 + confidence / 2.0)) * math.sqrt(factor / (m - 3))
    centre = math.atanh(inner)
    return min(math.tanh(centre - half), value), max(math.tanh(centre + half), value)
