"""Random pairings that keep groups of items together: whole groups are exchanged, each with one of as many items."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.permutation import Pairings


@dataclass(frozen=True)
class GroupedItems:
    """Items and their groups over canonical positions, and groups numbered by size, then by their first item.

    Attributes:
        of: (n,) int64, the group of each canonical position.
    """

    of: NDArray[np.int64]

    @staticmethod
    def at(labels: NDArray[np.int64]) -> "GroupedItems":
        """Of (n,) labels by canonical position."""
        _, first, of, sizes = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
        number = np.empty(len(sizes), dtype=np.int64)
        number[np.lexsort((first, sizes))] = np.arange(len(sizes))
        return GroupedItems(number[of].astype(np.int64))

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """(G,) items of each group, ascending."""
        return np.bincount(self.of).astype(np.int64)

    @property
    def count(self) -> int:
        """Number G of groups."""
        return len(self.sizes)

    @property
    def can_be_exchanged(self) -> bool:
        """Whether any two groups have as many items."""
        return bool((self.sizes[1:] == self.sizes[:-1]).any())


@dataclass(frozen=True)
class GroupPairings:
    """Permutations of the groups among those of equal size, their items in canonical order: a group of permutations of the items.

    Where the pairing of the groups is random, the score is as likely as under any of them, so the test is exact. Positions are those of the
    n items, then those of the G groups, so that an edge from an item to a group moves with both.

    Attributes:
        items: with their groups.
        seed: names them.
        first: number of the first that is drawn.
    """

    items: GroupedItems
    seed: int
    first: int = 0

    def draw(self, index: int) -> NDArray[np.int64]:
        """(n + G,) where pairing number `first + index` sends each position."""
        groups = self._of_groups.draw(index)
        block, starts, place = self._blocks
        n = len(self.items.of)
        moved = np.empty(n, dtype=np.int64)
        moved[block] = block[starts[groups[self.items.of[block]]] + place]
        return np.concatenate([moved, n + groups])

    @cached_property
    def _of_groups(self) -> Pairings:
        _, of_size = np.unique(self.items.sizes, return_inverse=True)
        return Pairings(self.items.count, self.seed, of_size.astype(np.int64), self.first)

    @cached_property
    def _blocks(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """The items group by group, where each group begins, and the place of each item in its group."""
        block = np.argsort(self.items.of, kind="stable").astype(np.int64)
        starts = np.concatenate([[0], np.cumsum(self.items.sizes)[:-1]]).astype(np.int64)
        return block, starts, np.arange(len(block)) - starts[self.items.of[block]]
