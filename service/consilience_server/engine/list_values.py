"""Cycle k-NN, LCS and edit distance from what the lists have in common: the fast paths of the definitions in `core/`."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from consilience_server.engine.keyed_lists import CommonPlaces
from consilience_server.engine.list_comparison import common_lengths, saved_edits

ListMetric = Literal["cycle_knn", "lcs_knn", "edit_distance_knn"]


def list_totals(metric: ListMetric, common: CommonPlaces, ks: Sequence[int], *, exchanged: bool = False) -> NDArray[np.float64]:
    """What the items score together: whole numbers, exact.

    Args:
        metric: for `cycle_knn` the number of items that return, else the sum of LCS lengths or of k less Levenshtein distances.
        common: of x's backward edges for `cycle_knn`, else of its forward ones.
        ks: places read of each list.
        exchanged: for `cycle_knn`, what it is with the spaces exchanged: j returns if i in N_Y(j) for some i in N_X(j), which is the same
            pair of edges seen from its other end.

    Returns:
        (len(ks), pairings) float64.
    """
    whose = common.other if exchanged else common.item
    keys = common.pairing * common.n + whose
    if metric == "cycle_knn":
        return np.array([_items(keys[(common.place_x < k) & (common.place_y < k)], common) for k in ks])
    lists, at = np.unique(keys, return_inverse=True)
    compare = common_lengths if metric == "lcs_knn" else saved_edits
    found = compare(at, common.place_x, common.place_y, len(lists), ks)
    return np.array([np.bincount(lists // common.n, weights=row, minlength=common.pairings) for row in found])


def _items(keys: NDArray[np.int64], common: CommonPlaces) -> NDArray[np.float64]:
    return np.bincount(np.unique(keys) // common.n, minlength=common.pairings).astype(np.float64)
