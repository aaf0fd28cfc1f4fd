"""What a score is worth against its null: excess over chance, p-value, threshold, calibrated score."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SAME = 1e-12
"""Scores closer than this count as equal: sums of the same fractions in another order differ in their last bits, and those must not
decide. Scores of different lists differ by 1 / (n k) or more."""


@dataclass(frozen=True)
class Calibration:
    """A score against its permutation null; the attributes are those of `core/score.py`."""

    p_value: float
    threshold: float
    calibrated: float
    null_mean: float
    null_sd: float


def reaches(null: NDArray[np.float64], score: float) -> NDArray[np.bool_]:
    """(K,) which of the scores of random pairings are as high as the observed one."""
    return np.asarray(null >= score - _SAME)


def excess(score: float, chance: float) -> float:
    """(score - chance) / (1 - chance): 0 at chance, 1 at full agreement, negative below chance; 0 where chance itself is 1."""
    room = 1.0 - chance
    return (score - chance) / room if room > _SAME else 0.0


def calibrate(score: float, null: NDArray[np.float64], alpha: float, highest: float = 1.0) -> Calibration:
    """A score against K scores of random pairings.

    ```
    p   = (1 + #{s_b >= s}) / (K + 1)
    tau = the ceil((1 - alpha)(K + 1))-th smallest of {s, s_1 .. s_K}
    calibrated = max((s - tau) / (highest - tau), 0)
    ```
    The observed score is one of the values, so p is never 0 and a positive calibrated score implies p <= alpha. Valid at any K.

    Args:
        score: observed s.
        null: (K,) float64, K >= 1.
        alpha: level in (0, 1).
        highest: the largest value the metric can take.

    Source:
        Davison and Hinkley 1997, section 4.2.5; Aristotelian (arXiv 2602.14486), section 3.
    """
    null = np.where(np.abs(null - score) <= _SAME, score, null)
    values = np.sort(np.append(null, score))
    # In whole numbers alpha (K + 1) is often an integer that floating arithmetic misses by a bit.
    rank = len(values) - math.floor(alpha * len(values) + 1e-9)
    threshold = float(values[rank - 1])
    room = highest - threshold
    return Calibration(
        p_value=float((1 + np.count_nonzero(null >= score)) / len(values)),
        threshold=threshold,
        calibrated=min(max((score - threshold) / room, 0.0), 1.0) if room > _SAME else 0.0,
        null_mean=float(null.mean()),
        null_sd=float(null.std(ddof=1)) if len(null) > 1 else 0.0,
    )
