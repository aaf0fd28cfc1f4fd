"""P-values adjusted for many scores at once: the maximum of all, under shared random pairings."""

import numpy as np
from numpy.typing import NDArray

_SAME = 1e-12
"""As in `core/calibration.py`: scores closer than this are equal."""


def max_t(scores: NDArray[np.float64], null: NDArray[np.float64]) -> NDArray[np.float64]:
    """Westfall-Young single-step adjusted p-values of m scores: the share of pairings whose largest standardised score is as high.

    ```
    z_pb = (s_pb - mean_p) / sd_p   over b = 0 .. K, b = 0 the observed score
    p_p  = (1 + #{b >= 1 : max_q z_qb >= z_p0}) / (K + 1)
    ```
    Standardised by each score's own mean and spread over all K + 1 values, so that a pair with a high or wide null (CKA of wide spaces)
    does not hide the others; a score that no pairing changes stands at 0. Not less than the p-value of the score alone, at least 1/(K + 1).

    Controls the probability of any false rejection (family-wise error) at the level that p is held against. For scores that share one side
    (the pairs of one space) a pairing acts on them jointly, and this is exact under the null of no relation. For all pairs of M spaces a
    space is the second in some pairs and the first in others, and one pairing cannot move the three pairs of a triple consistently: there
    the joint null is an approximation (each pair's own null stays exact), which simulation shows to hold the level.

    Args:
        scores: (m,) observed.
        null: (m, K) scores of the same K random pairings.

    Returns:
        (m,) float64.

    Source:
        Westfall and Young 1993, algorithm 2.5 (single step).
    """
    values = np.concatenate([scores[:, None], null], axis=1)
    centred = values - values.mean(axis=1, keepdims=True)
    spread = np.sqrt((centred * centred).mean(axis=1, keepdims=True))
    z = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > _SAME)
    largest = z[:, 1:].max(axis=0)
    # A pairing that gives a score as high as the observed one must count, whatever the last bits say.
    reached = (largest[None, :] >= z[:, :1] - 1e-9).sum(axis=1)
    return np.asarray((1 + reached) / values.shape[1], dtype=np.float64)
