"""Agreement of several spaces on each item, from their neighbour sets: the fast path of `core/item_agreement.py`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.neighbour_sets import NeighbourSets

_BLOCK_EDGES = 1 << 22


def item_agreement(spaces: Sequence[NeighbourSets], control: Control) -> NDArray[np.float64]:
    """(n,) float64; one sort of M n k edges instead of M (M - 1) / 2 comparisons.

    With T_i(j) = sum_s w_s(i, j) the overlaps of all pairs sum to (sum_j T_i(j)^2 - sum_s,j w_s(i, j)^2) / 2.

    Args:
        spaces: M >= 2 of the same n items in the same order, with one k.
        control: cancellation and progress.
    """
    n, count, k = spaces[0].n, len(spaces), spaces[0].k
    found = np.empty(n)
    rows = max(1, _BLOCK_EDGES // (count * k))
    for start in range(0, n, rows):
        control.check()
        stop = min(start + rows, n)
        keys, weights = [], []
        for one in spaces:
            edges = slice(one.indptr[start], one.indptr[stop])
            owners = np.repeat(np.arange(stop - start), np.diff(one.indptr[start : stop + 1]))
            keys.append(owners * n + one.indices[edges])
            weights.append(one.weights[edges])
        flat = np.concatenate(weights)
        named, place = np.unique(np.concatenate(keys), return_inverse=True)
        totals = np.bincount(place, weights=flat)
        squares = np.bincount(named // n, weights=totals * totals, minlength=stop - start)
        own = np.bincount(np.concatenate(keys) // n, weights=flat * flat, minlength=stop - start)
        found[start:stop] = (squares - own) / (k * count * (count - 1))
        control.progress(stop / n)
    return np.clip(found, 0.0, 1.0)
