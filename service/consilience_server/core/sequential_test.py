"""A permutation test that stops once the answer is plain: Besag and Clifford's sequential p-value."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.calibration import reaches


@dataclass(frozen=True)
class SequentialP:
    """A p-value, and how many random pairings were drawn for it."""

    p_value: float
    drawn: int


def sequential_p(score: float, null: NDArray[np.float64], stop_after: int, most: int) -> SequentialP | None:
    """The p-value of a score, random pairings being drawn one by one until `stop_after` of them reach it, `most` at the most.

    ```
    p = h / l              where the h-th pairing that scores as high comes as the l-th
    p = (1 + g) / (K + 1)  where only g < h of all K do
    ```
    Valid at every level, P(p <= a) <= a, whatever h and K; where h is reached the p is large, and nothing more would be learnt from the
    pairings that are saved. What needs the whole null (threshold, calibrated score, its mean) is not had from it.

    Args:
        score: observed.
        null: (m,) scores of the first m pairings, in their order; later ones do not change an answer that is given.
        stop_after: h >= 1.
        most: K >= 1.

    Returns:
        None while more pairings must be drawn.

    Source:
        Besag and Clifford 1991, "Sequential Monte Carlo p-values", Biometrika 78, section 2.
    """
    reached = np.flatnonzero(reaches(null[:most], score))
    if len(reached) >= stop_after:
        drawn = int(reached[stop_after - 1]) + 1
        return SequentialP(stop_after / drawn, drawn)
    return SequentialP((1 + len(reached)) / (most + 1), most) if len(null) >= most else None
