"""Neighbour lists in which every tie is decided: what the metrics that read the order of a list compare."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import InvalidK, ShapeMismatch


@dataclass(frozen=True)
class OrderedLists:
    """For each of n items its k nearest others, best first; equal scores in the order of the items' tie keys.

    The key of an item is a hash of (space, item), see `core/tie_order.py`: it depends neither on the order of rows nor, for the same item,
    on the other space, so ties favour nothing that both spaces share and a permutation null stays honest.

    Attributes:
        indices: (n, k) int32 rows of the same n items, without the item itself.
    """

    indices: NDArray[np.int32]

    @property
    def n(self) -> int:
        """Number of items."""
        return len(self.indices)

    @property
    def k(self) -> int:
        """Places of a list."""
        return int(self.indices.shape[1])


def ordered_lists(scores: NDArray[np.float64], k: int, keys: NDArray[np.uint64]) -> OrderedLists:
    """The lists by the definition: a full sort of every row.

    Args:
        scores: (n, n) float64, larger is nearer; the diagonal is ignored.
        k: 1 <= k <= n - 1.
        keys: (n,) uint64 tie keys of this space.

    Raises:
        InvalidK: k is outside its range.
    """
    n = len(scores)
    if not 1 <= k < n:
        raise InvalidK(f"k is {k}; among {n:,} items it must be 1 to {n - 1:,}", k=k, n=n)
    lists = np.empty((n, k), dtype=np.int32)
    for i, row in enumerate(scores):
        others = np.delete(np.arange(n), i)
        lists[i] = others[np.lexsort((keys[others], -row[others]))][:k]
    return OrderedLists(lists)


def check_comparable(x: OrderedLists, y: OrderedLists) -> None:
    """Two spaces' lists are of the same items and k. ShapeMismatch, InvalidK."""
    if x.n != y.n:
        raise ShapeMismatch(f"lists of {x.n:,} and of {y.n:,} items cannot be compared; join them first")
    if x.k != y.k:
        raise InvalidK(f"lists of k = {x.k} and k = {y.k} cannot be compared; ask the same k of both", k_x=x.k, k_y=y.k)
