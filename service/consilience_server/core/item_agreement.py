"""How well several spaces agree on each item: the definition."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.mutual_knn import overlaps
from consilience_server.core.neighbour_sets import NeighbourSets


def item_agreement(spaces: Sequence[NeighbourSets]) -> NDArray[np.float64]:
    """(n,) the mean overlap of each item's k-neighbour lists over all pairs of M >= 2 spaces, in [0, 1].

    ```
    a_i = 2 / (M (M - 1)) sum_{s < t} o_i(s, t)
    ```
    o_i is the overlap of `core/mutual_knn.py`, ties included. Its mean over the items is the mean of the spaces' mutual k-NN; over random
    pairings of the items each a_i has the mean k / (n - 1).
    """
    pairs = list(combinations(spaces, 2))
    mean: NDArray[np.float64] = np.mean([overlaps(x, y) for x, y in pairs], axis=0)
    return mean
