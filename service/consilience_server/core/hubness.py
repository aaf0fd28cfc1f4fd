"""Hubness: how unevenly items are listed as each other's neighbours."""

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.neighbour_sets import NeighbourSets


def k_occurrences(sets: NeighbourSets) -> NDArray[np.float64]:
    """(gallery,) N_k: how many k-lists each item is in. A tie at a k-th place counts by its weight; the mean is k for a self-join."""
    counts: NDArray[np.float64] = np.bincount(sets.indices, weights=sets.weights, minlength=sets.gallery).astype(np.float64)
    return counts


def hubness(occurrences: NDArray[np.float64]) -> float:
    """The skewness of N_k: mean((N_k - mean)^3) / sd^3, moments with divisor n.

    About 0 where all items are listed alike, large where a few hubs are in many lists and most items in hardly any; it grows with the
    intrinsic dimension. 0 where all N_k are equal.

    Source:
        Radovanović, Nanopoulos and Ivanović 2010 (JMLR 11), equation 1.
    """
    offsets = occurrences - occurrences.mean()
    variance = float((offsets**2).mean())
    if variance <= 1e-24 * max(float(occurrences.mean()) ** 2, 1.0):
        return 0.0
    return float((offsets**3).mean() / variance**1.5)


def antihub_fraction(occurrences: NDArray[np.float64]) -> float:
    """The share of items that are in no list at all, in [0, 1): nothing finds them."""
    return float((occurrences == 0.0).mean())
