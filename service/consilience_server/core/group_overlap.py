"""Mutual k-NN where items come in groups, many to many, as five captions of one image do. The definition, plainly."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import InvalidK


def group_overlaps(x: Sequence[Sequence[int]], y: Sequence[Sequence[int]], groups: Sequence[int], k: int) -> NDArray[np.float64]:
    """The overlap of each item's two lists, by groups.

    An item's list has its k nearest items of other groups: its own group is left out, for its members are the same thing. A neighbour is a
    hit where an item of its group is in the other list, whichever item it is (a relaxed hit):
    ```
    o_i = 1/(2k) ( #{j in N_X(i): g(j) in g(N_Y(i))} + #{j in N_Y(i): g(j) in g(N_X(i))} )
    ```
    In [0, 1], larger is more alike, symmetric; where every item is a group of its own it is the overlap of mutual k-NN.

    Args:
        x: of each item all others, or enough of them, nearest first.
        y: likewise in the other space.
        groups: of each item.
        k: places of a list.

    Returns:
        (n,) float64.

    Raises:
        InvalidK: an item has fewer than k items of other groups.

    Source: "Back into Plato's Cave" (arXiv 2604.18572) for the relaxed hit; that both lists are asked alike is this project's.
    """
    found = np.empty(len(groups))
    for i in range(len(groups)):
        lists = []
        for side in (x, y):
            others = [groups[j] for j in side[i] if groups[j] != groups[i]][:k]
            if len(others) < k:
                raise InvalidK(f"k is {k}, but item {i} has {len(others)} items of other groups", k=k)
            lists.append(others)
        found[i] = sum(group in lists[1 - at] for at in (0, 1) for group in lists[at]) / (2 * k)
    return found
