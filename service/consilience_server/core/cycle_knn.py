"""Cycle k-NN: whether a step to a neighbour in one space and a step back in the other can return. The definition, plainly."""

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import InvalidK
from consilience_server.core.ordered_lists import OrderedLists, check_comparable

PROPERTIES = {
    "range": (0.0, 1.0),
    "self_value": None,
    "symmetric": False,
    "invariances": ("item_order", "orthogonal", "positive_scale"),
}
"""What the property tests hold this metric to. A space does not score 1 with itself: a neighbour need not be one's neighbour in turn."""


def cycle_knn(x: OrderedLists, y: OrderedLists) -> float:
    """The share of items that a step in y and a step in x can bring back to themselves.

    ```
    s = 1/n sum_i [ i in N_X(j) for some j in N_Y(i) ]
    ```
    In [0, 1], larger is more alike. Not symmetric: with the arguments exchanged the first step is taken in x. O(n k^2).

    Args:
        x: the k-lists of n items in the space of the second step.
        y: those of the same items in the space of the first.

    Raises:
        ShapeMismatch, InvalidK: the lists are of different items or k.

    Source: platonic-rep, metrics.py `cycle_knn` with the same order of arguments.
    """
    check_comparable(x, y)
    of_x, of_y = (side.indices.tolist() for side in (x, y))
    return sum(any(i in of_x[j] for j in of_y[i]) for i in range(x.n)) / x.n


def chance(times_listed: NDArray[np.int64], k: int) -> float:
    """The mean of `cycle_knn` over all pairings of the items, exactly.

    A uniform pairing gives item i a uniform k-subset of the other items as its list in y. It misses all d_i items that list i in x with
    probability C(n - 1 - d_i, k) / C(n - 1, k), so
    ```
    chance = 1 - 1/n sum_i prod_(t < k) (n - 1 - d_i - t) / (n - 1 - t)
    ```
    It depends on x alone: hubs (few items listed by many) lower it.

    Args:
        times_listed: (n,) d_i, how many lists of x have item i.
        k: 1 <= k <= n - 1.

    Raises:
        InvalidK: k is outside its range.
    """
    n = len(times_listed)
    if not 1 <= k < n:
        raise InvalidK(f"k is {k}; among {n:,} items it must be 1 to {n - 1:,}", k=k, n=n)
    counts, items = np.unique(times_listed, return_counts=True)
    missed = np.ones(len(counts))
    for t in range(k):
        missed *= np.maximum(n - 1 - t - counts, 0) / (n - 1 - t)
    return float(1.0 - (missed * items).sum() / n)
