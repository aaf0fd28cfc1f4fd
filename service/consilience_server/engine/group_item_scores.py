"""Mutual k-NN of items in groups, item by item and over slices: the fast path of `core/group_overlap.py` for each item."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.calibration import excess
from consilience_server.core.control import Control
from consilience_server.core.false_discovery import benjamini_hochberg
from consilience_server.core.intervals import query_interval
from consilience_server.core.slices import Slices
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.group_pairings import GroupPairings
from consilience_server.engine.group_scores import GroupEdges, group_edges
from consilience_server.engine.item_scores import ItemScores, SliceScore
from consilience_server.engine.list_scores import LEAST_PAIRINGS
from consilience_server.engine.overlap import shared_edges
from consilience_server.engine.permutation_null import permuted_shared_edges
from consilience_server.engine.protocol import NeighbourTable


def group_item_scores(
    tables: Sequence[NeighbourTable],
    keys: Sequence[NDArray[np.uint64]],
    labels: NDArray[np.int64],
    k: int,
    slices: Slices | None,
    options: ScoreOptions,
    control: Control,
) -> ItemScores:
    """Overlaps as `core/group_overlap.py: group_overlaps` defines them, by row, and their means over slices of the items.

    The null of a slice is of the same exchanges of whole groups as that of the score (`group_scores.py`), and its chance their mean, 99 at
    the least: slices of other sizes of groups have other chances. The interval of a slice takes its groups, not its items, for a random
    sample of very many, since items of one group are the same thing: that of the mean of y_g = s + G (S_g - s n_g) / n over its G groups,
    S_g the sum of the n_g overlaps of group g in the slice, n the items of the slice and s its score (the linearised ratio; Cochran 1977,
    section 2.11).

    Args:
        tables: two self-joins over the same n items, as `group_scores` takes them.
        keys: (n,) tie keys of each space.
        labels: (n,) the group of each item, by row.
        k: places of a list.
        slices: of the items, by row; None where none are asked.
        options: of the null.
        control: cancellation and progress.

    Raises:
        InvalidK: an item has fewer than k items of other groups in reach of the tables.
    """
    position, grouped, (x, y) = group_edges(tables, keys, labels, k, options)
    n = len(labels)
    by_position = _hits(x, y, n) / (2.0 * k)
    if slices is None:
        return ItemScores(by_position[position])
    count = len(slices.values)
    of = np.empty(n, dtype=np.int64)
    of[position] = slices.of
    sizes = np.bincount(of, minlength=count)
    observed = np.bincount(of, weights=_hits(x, y, n), minlength=count)
    drawn = max(options.permutations, LEAST_PAIRINGS)
    totals = np.empty((drawn, count))
    pairings = GroupPairings(grouped, options.seed, options.first)
    for chunk, shared in permuted_shared_edges(x.edges, y.edges, drawn, pairings, options.threads, control):
        hits = x.edges.weights[shared.at_x, 0] + y.edges.weights[shared.at_y, 0]
        place = shared.pairing * count + of[x.edges.keys[shared.at_x] // x.edges.n]
        totals[chunk.start : chunk.stop] = np.bincount(place, weights=hits, minlength=len(chunk) * count).reshape(len(chunk), count)
    # Hits are whole numbers, whose sums are exact.
    as_high = 1 + (totals[: options.permutations] >= observed).sum(axis=0)
    p_values = as_high / (options.permutations + 1.0) if options.permutations else None
    adjusted = None if p_values is None else benjamini_hochberg(p_values)
    found = []
    for at, value in enumerate(slices.values):
        score, level = observed[at] / (2.0 * k * sizes[at]), float(totals[:, at].mean() / (2.0 * k * sizes[at]))
        low, high = _interval(by_position, grouped.of, of == at, float(score), options.confidence)
        found.append(
            SliceScore(
                value,
                int(sizes[at]),
                float(score),
                level,
                excess(float(score), level),
                low,
                high,
                None if p_values is None else float(p_values[at]),
                None if adjusted is None else float(adjusted[at]),
            )
        )
    return ItemScores(by_position[position], found)


def _hits(x: GroupEdges, y: GroupEdges, n: int) -> NDArray[np.float64]:
    """(n,) by position: places of both lists of an item whose group the other list has."""
    at_x, at_y = shared_edges(x.edges.keys, y.edges.keys)
    hits = x.edges.weights[at_x, 0] + y.edges.weights[at_y, 0]
    return np.bincount(x.edges.keys[at_x] // x.edges.n, weights=hits, minlength=n).astype(np.float64)


def _interval(
    overlaps: NDArray[np.float64], groups: NDArray[np.int64], chosen: NDArray[np.bool_], score: float, confidence: float
) -> tuple[float, float]:
    """Of the mean overlap of the chosen items, over their groups."""
    _, of = np.unique(groups[chosen], return_inverse=True)
    sums, sizes = np.bincount(of, weights=overlaps[chosen]), np.bincount(of)
    linear = score + len(sizes) * (sums - score * sizes) / sizes.sum()
    low, high = query_interval(linear, math.inf, confidence, 0.0, 1.0)
    return min(low, score), max(high, score)
