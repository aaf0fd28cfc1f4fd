"""Random pairings of items, the same for every order of rows, number of threads and platform."""

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
