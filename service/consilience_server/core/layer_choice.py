"""Which of many pairs of layers: chosen on one half of the items and scored on the other, or the maximum, calibrated as a maximum."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.permutation import canonical_order

LayerSelection = Literal["split_half", "max"]


@dataclass(frozen=True)
class Maximum:
    """The largest of many scores.

    Attributes:
        at: where it stands in the grid; of equal ones the first in row-major order.
        score: its value.
        null: (K,) the largest score of each random pairing; None without any.
    """

    at: tuple[int, int]
    score: float
    null: NDArray[np.float64] | None


def maximum(scores: NDArray[np.float64], null: NDArray[np.float64] | None = None) -> Maximum:
    """T = max over all pairs of layers, and what it becomes under random pairings of the items.

    ```
    T = max_lm s_lm,   T_b = max_lm s_lm(X, rho_b Y)   with the same rho_b for all layers of Y
    ```
    A pairing moves all layers of a model together, so T is exchangeable with the T_b where the models are unrelated: calibrated against
    them (`core/calibration.py`) it is above its threshold by chance in alpha of the cases at most, however many layers there are. The best
    pair's own p-value is not: it is the least of many. Scores are compared as they are, not standardised.

    Where every score is 0 or less the largest is still answered; the program of Huh et al. starts its search at 0, and finds none.

    Args:
        scores: (L_x, L_y) float64.
        null: (L_x, L_y, K) scores of random pairings.

    Source:
        Westfall and Young 1993; Aristotelian (arXiv 2602.14486), section 3, aggregation by maximum.
    """
    row, column = divmod(int(np.argmax(scores)), scores.shape[1])
    largest = None if null is None else np.asarray(null.max(axis=(0, 1)), dtype=np.float64)
    return Maximum((row, column), float(scores[row, column]), largest)


def halves(keys: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows on which a choice is made, and those on which it is judged, each ascending.

    The floor(n / 2) items of the lowest hashes choose, the others judge. The halves belong to the items, not to their order; and the choice
    has not looked at what is judged, so the score there is as honest as that of one pair named beforehand.

    Args:
        keys: (n,) a hash of each item.
    """
    order = canonical_order(keys)
    middle = len(keys) // 2
    return np.sort(order[:middle]), np.sort(order[middle:])
