"""Cross-domain similarity local scaling: a correction that takes nearness back from items that are near to everything (hubs).

csls(q, t) = 2 s(q, t) - r_T(q) - r_S(t), where r_T(q) is the mean similarity of q to its k nearest targets, and r_S(t) the mean similarity
of t to its k nearest sources (the bank: all items of the source space, mapped). For one query r_T(q) is constant, so 2 s - r_S ranks alike.

Source: Conneau et al., "Word translation without parallel data" (MUSE), ICLR 2018, arXiv 1710.04087, equation 3; k = 10 there.
"""

import numpy as np
from numpy.typing import NDArray

DEFAULT_K = 10


def neighbourhood_mean(scores: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Mean of the k best similarities of each row: r_T or r_S, (n,) float64.

    Args:
        scores: (n, depth) float64, best first, depth >= k.
        k: 1 <= k <= depth.

    Added from the best to the k-th, one after the other, so that every bit is the same on every machine.
    """
    total = np.zeros(len(scores))
    for place in range(k):
        total += scores[:, place]
    return total / k


def csls(similarities: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """The definition on a full matrix, the referee of the fast path: (m, n) float64.

    Args:
        similarities: (m, n) float64 of the whole bank (m sources) with the whole gallery (n targets).
        k: 1 <= k <= min(m, n).
    """
    r_target = neighbourhood_mean(-np.sort(-similarities, axis=1), k)
    r_source = neighbourhood_mean(-np.sort(-similarities.T, axis=1), k)
    corrected: NDArray[np.float64] = 2.0 * similarities - r_source[None, :] - r_target[:, None]
    return corrected
