"""One-to-one assignment: every query one item, no item twice, the sum of the scores as large as it can be.

The linear assignment problem, solved by the Jonker-Volgenant algorithm in the form of Crouse 2016 (SciPy). What is best for a single query
may go to another one that has more to lose: worth it where both sides are the same things, once each.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

MOST_PAIRS = 1 << 22
"""Queries times items at most: a few seconds and 32 MiB, for the time grows with the cube of the smaller side."""


def one_to_one(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """(m,) int64: the item of each query.

    Args:
        scores: (m, n) float64, m <= n; -inf where a query must not get an item.

    Raises:
        ValueError: what is forbidden leaves no assignment.
    """
    return np.asarray(linear_sum_assignment(scores, maximize=True)[1], dtype=np.int64)
