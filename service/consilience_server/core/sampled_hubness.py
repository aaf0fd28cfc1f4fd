"""Hubness of a space from the neighbour lists of a sample of its items."""

import numpy as np
from numpy.typing import NDArray


def sampled_hubness(counts: NDArray[np.float64], queries: int, gallery: int) -> float:
    """The skewness of N_k, the number of lists that an item is in (Radovanovic et al. 2010), had all items been asked.

    Asking m of n items thins every N_k. A sample's falling factorial moments are those of all items times (m)_r / (n)_r, as that is the
    chance of each r-subset of the lists to be in the sample: dividing makes them unbiased, and the skewness is computed from them.

    Args:
        counts: (n,) how many of the asked lists each gallery item is in.
        queries: m, lists asked, a simple random sample.
        gallery: n >= m, items that could have asked.

    Returns:
        0 is none, 2 and more a few items that are near everything. Exactly the skewness of `counts` where m = n; 0 where the counts vary no
        more than thinning does.
    """
    if queries < 3:
        return 0.0
    power = np.ones_like(counts)
    moments = []
    for r in range(3):
        power = power * np.maximum(counts - r, 0.0) * ((gallery - r) / (queries - r))
        moments.append(float(power.mean()))
    first, second, third = moments
    square, cube = second + first, third + 3.0 * second + first
    variance = square - first**2
    if variance <= 1e-12 * square:
        return 0.0
    return float((cube - 3.0 * first * square + 2.0 * first**3) / variance**1.5)
