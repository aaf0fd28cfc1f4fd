"""Cycle k-NN, LCS and edit distance without each group of items: what their `items` interval is made of."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.intervals import list_depth
from consilience_server.engine.keyed_lists import CommonPlaces, KeyedLists, gone_before
from consilience_server.engine.list_values import ListMetric, list_totals


def list_scores_without_groups(
    metric: ListMetric, x: KeyedLists, y: KeyedLists, common: CommonPlaces, ks: Sequence[int], groups: int, threads: int, control: Control
) -> NDArray[np.float64]:
    """A metric of ordered lists over all items, and over all but each group in turn.

    A deleted item leaves as a query and as a neighbour, and every list that had it moves up and is refilled from below to k. So each value
    is the score that the remaining items would get, searched anew, as long as the lists are deep enough (`core/intervals.py: list_depth`);
    a list that runs short is taken as long as it is, and the totals of LCS and edit distance are divided by the mean length instead of k.

    Args:
        metric: which.
        x: lists of the one space, at least `list_depth(k, n)` deep for every k where the table is.
        y: lists of the other, over the same items.
        common: what the whole lists have in common as the items are paired.
        ks: the k asked; of the lists `list_depth(k, n)` places are read for each, so that deeper ones do not change the answer.
        groups: G >= 2; canonical position c belongs to group c mod G.
        threads: the answer does not depend on it.
        control: asked before every group.

    Returns:
        (directions, len(ks), 1 + G): first over all items. For `cycle_knn` two directions, the second with the spaces exchanged; else one.
        NaN where no neighbour is left.

    Cost:
        O(G n depth) time.
    """
    n = x.n
    of_row = np.arange(n) % groups
    # The lists that the edges of `common` stand in: y's belong to `item`; x's too, or for cycles to `other`.
    in_x = common.other if metric == "cycle_knn" else common.item
    directions = (False, True) if metric == "cycle_knn" else (False,)

    def without(group: int) -> NDArray[np.float64]:
        control.check()
        kept = of_row != group
        gone_x, gone_y = (gone_before(side.columns, group, groups) for side in (x, y))
        place_x = common.place_x - gone_x[in_x, common.place_x]
        place_y = common.place_y - gone_y[common.item, common.place_y]
        both = kept[common.item] & kept[common.other]
        values = np.empty((len(directions), len(ks)))
        for column, k in enumerate(ks):
            depth = list_depth(k, n)
            chosen = both & (common.place_x < depth) & (common.place_y < depth)
            left = CommonPlaces(1, n, common.pairing[chosen], common.item[chosen], common.other[chosen], place_x[chosen], place_y[chosen])
            size = float(kept.sum())
            if metric != "cycle_knn":
                size = 0.5 * sum(_lengths(side.depth, gone, depth, k, kept) for side, gone in ((x, gone_x), (y, gone_y)))
            for direction, exchanged in enumerate(directions):
                total = float(list_totals(metric, left, (k,), exchanged=exchanged)[0, 0])
                values[direction, column] = total / size if size else np.nan
        return values

    with ThreadPoolExecutor(max(1, threads)) as pool:
        return np.stack(list(pool.map(without, range(-1, groups))), axis=2)


def _lengths(deepest: int, gone: NDArray[np.int32], depth: int, k: int, kept: NDArray[np.bool_]) -> float:
    """Summed lengths, at most k each, of the lists that are left."""
    read = min(depth, deepest)
    return float(np.minimum(read - gone[kept, read], k).sum())
