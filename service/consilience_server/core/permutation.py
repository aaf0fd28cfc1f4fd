"""Random pairings of items, the same for every order of rows, number of threads and platform."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


def canonical_order(item_order: NDArray[np.uint64]) -> NDArray[np.int64]:
    """(n,) the rows in the order of their items' hashes: the order in which permutations and jackknife groups are defined.

    It belongs to the items, not to how they are stored. Items of equal hash (about n^2 / 2^65 of them) stay in row order.
    """
    return np.argsort(item_order, kind="stable").astype(np.int64)


def permutation(seed: int, index: int, n: int) -> NDArray[np.int64]:
    """Permutation number `index` of n canonical positions, uniform over all n!.

    The positions sorted by n 64-bit draws: the raw stream of Philox 4x64-10 (Salmon et al. 2011) with the key (seed, index) and the counter
    at 0. NumPy promises this stream for ever, and permutation `index` does not depend on how many others are drawn.

    Args:
        seed: 0 <= seed < 2^64.
        index: 0 <= index < 2^64.
        n: number of items.

    Returns:
        (n,) int64. O(n log n).
    """
    draws = np.random.Philox(key=np.array([seed, index], dtype=np.uint64)).random_raw(n)
    return np.argsort(draws)


@dataclass(frozen=True)
class Pairings:
    """The random pairings that a null is drawn from: all permutations of the items, or those that keep every item within its group.

    A permutation within groups permutes the members of each group among themselves, uniformly and independently of the other groups. What
    the groups themselves make two spaces share is then part of the null (Good 2005, section 3.7.1, "permutation within blocks"). With one
    group for all it is `permutation`, to the bit.

    Attributes:
        n: number of items.
        seed: 0 <= seed < 2^64.
        groups: (n,) the group of each canonical position; None restricts nothing. How groups are numbered does not matter.
        first: number of the first permutation that is drawn.
    """

    n: int
    seed: int
    groups: NDArray[np.int64] | None = None
    first: int = 0

    def draw(self, index: int) -> NDArray[np.int64]:
        """(n,) int64, permutation number `first + index`: what stands at canonical position c after the pairing. O(n log n)."""
        if self.groups is None:
            return permutation(self.seed, self.first + index, self.n)
        home, label, spare = self._blocks
        draws = np.random.Philox(key=np.array([self.seed, self.first + index], dtype=np.uint64)).random_raw(self.n)
        # The group in the upper bits keeps the groups in their order; the draw below them orders the members of each.
        moved = np.argsort((draws >> spare) | label)
        rho = np.empty(self.n, dtype=np.int64)
        rho[home] = home[moved]
        return rho

    @cached_property
    def _blocks(self) -> tuple[NDArray[np.int64], NDArray[np.uint64], np.uint64]:
        """The positions group by group, the group of each in the upper bits, and how many bits that takes."""
        assert self.groups is not None
        _, first, of = np.unique(self.groups, return_index=True, return_inverse=True)
        # Numbered by their first member, so that the caller's numbers decide nothing.
        groups = np.argsort(np.argsort(first))[of]
        home = np.argsort(groups, kind="stable").astype(np.int64)
        bits = (len(first) - 1).bit_length()
        # A shift by all 64 bits is undefined, and one group needs none.
        label = groups[home].astype(np.uint64) << np.uint64(64 - bits) if bits else np.zeros(self.n, dtype=np.uint64)
        return home, label, np.uint64(bits)
