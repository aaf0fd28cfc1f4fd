"""Which items are near-duplicates of others, and which of them stays."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

ROUNDING = 1e-12
"""Cosines of equal directions differ from 1 by less than this."""


def kept_items(pairs: NDArray[np.int64], keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """One item of every cluster of near-duplicates: that of the smallest key.

    Two items are in one cluster if a chain of pairs joins them (single linkage), so items of one cluster may be less alike than any pair.
    Keys that know nothing of the vectors (`core/query_sample.py`) choose without looking at how well the spaces agree.

    Args:
        pairs: (m, 2) items that are nearly the same, in any order, as often as it may be.
        keys: (n,) uint64, of each item.

    Returns:
        (kept,) int64, ascending; all n where there are no pairs. O(n + m).
    """
    n = len(keys)
    links = coo_array((np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, cluster = connected_components(links, directed=False)
    order = np.argsort(keys, kind="stable")
    _, first = np.unique(cluster[order], return_index=True)
    return np.sort(order[first]).astype(np.int64)
