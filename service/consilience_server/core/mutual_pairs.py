"""Mutual pairs: items of two collections that are each other's nearest."""

import numpy as np
from numpy.typing import NDArray


def mutual_pairs(forward: NDArray[np.integer], backward: NDArray[np.integer]) -> NDArray[np.int64]:
    """The sources a whose nearest target has a as its nearest source, ascending, (p,) int64; the partner of a is forward[a].

    Every source and every target is in at most one pair.

    Args:
        forward: (m,) the nearest target of each source.
        backward: (n,) the nearest source of each target.
    """
    pairs: NDArray[np.int64] = np.flatnonzero(backward[forward] == np.arange(len(forward)))
    return pairs
