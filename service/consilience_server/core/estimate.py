"""A number with its interval, for what is measured on a sample of queries."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, t

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A value and its 95% interval over queries drawn as these were."""

    value: float
    low: float
    high: float


def mean_estimate(values: NDArray[np.float64], lowest: float, highest: float) -> Estimate:
    """The mean with Student's interval, cut to the range that it can have: mean +- t_{m-1} sd / sqrt(m); one query tells nothing.

    Where all m values are equal, sd = 0 knows nothing of values that were not drawn. Values of which a share q is others are all equal with
    probability (1 - q)^m, so with 95% confidence q is at most 1 - .05^(1/m), and the mean at most q of the way to either end of the range.
    For values that are 0 or 1 this is the exact one-sided bound of Clopper and Pearson, Biometrika 26 (1934).

    Args:
        values: (m,) float64, one a query.
        lowest: of the mean.
        highest: of the mean.
    """
    mean, count = float(values.mean()), len(values)
    if count < 2:
        return Estimate(mean, lowest, highest)
    if values.min() == values.max():
        others = 1.0 - (1.0 - CONFIDENCE) ** (1.0 / count)
        same = float(values[0])
        return Estimate(same, same - (same - lowest) * others, same + (highest - same) * others)
    half = float(t.ppf(0.5 + CONFIDENCE / 2, count - 1)) * float(values.std(ddof=1)) / math.sqrt(count)
    return Estimate(mean, max(lowest, mean - half), min(highest, mean + half))


def median_estimate(values: NDArray[np.floating | np.integer]) -> Estimate | None:
    """The median with the interval between order statistics, which holds for every distribution; None for m < 6, where none reaches 95%.

    From the l-th smallest to the l-th greatest, l the greatest with P(Bin(m, 1/2) < l) <= 2.5%.
    """
    ordered = np.sort(values)
    least = int(binom.ppf((1 - CONFIDENCE) / 2, len(ordered), 0.5))
    if least < 1:
        return None
    return Estimate(float(np.median(ordered)), float(ordered[least - 1]), float(ordered[-least]))


def jackknife_estimate(full: float, without: NDArray[np.float64]) -> Estimate:
    """A statistic with the interval of the delete-a-group jackknife over G groups of nearly equal size.

    variance = (G - 1) / G sum_g (without_g - mean)^2, interval full +- t_{G-1} sqrt(variance); Shao and Tu 1995, section 2.3.

    Args:
        full: of all queries.
        without: (G,) float64, without each group, G >= 2.
    """
    groups = len(without)
    variance = (groups - 1) / groups * float(((without - without.mean()) ** 2).sum())
    half = float(t.ppf(0.5 + CONFIDENCE / 2, groups - 1)) * math.sqrt(variance)
    return Estimate(full, full - half, full + half)
