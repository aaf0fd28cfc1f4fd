"""Mutual k-NN item by item, and over slices of the items, from neighbour tables."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.calibration import excess
from consilience_server.core.control import Control
from consilience_server.core.false_discovery import benjamini_hochberg
from consilience_server.core.intervals import query_interval
from consilience_server.core.mutual_knn import chance
from consilience_server.core.permutation import canonical_order
from consilience_server.core.slices import Slices
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.overlap import KeyedSets, item_overlaps, keyed_sets
from consilience_server.engine.permutation_null import Draws, permuted_shared_edges
from consilience_server.engine.protocol import NeighbourTable
from consilience_server.engine.query_positions import QueryPairings, query_positions


@dataclass(frozen=True)
class SliceScore:
    """The mean overlap of the items of one slice, in the full gallery.

    Attributes:
        value: what its items have in common.
        n: number of items.
        score: their mean overlap.
        chance: its mean over all pairings of the items, k / (gallery - 1) for every slice; of groups of items the mean of those drawn.
        excess: (score - chance) / (1 - chance).
        low, high: where the mean overlap of other such items in this gallery would lie.
        p_value: share of the random pairings in which the slice scores as high, itself counted; None without permutations.
        adjusted_p_value: the same adjusted for the number of slices.
    """

    value: str
    n: int
    score: float
    chance: float
    excess: float
    low: float
    high: float
    p_value: float | None = None
    adjusted_p_value: float | None = None


@dataclass(frozen=True)
class ItemScores:
    """The overlap of each asked item's two lists, (m,) in the order of the tables' rows, and the slices by ascending value."""

    overlaps: NDArray[np.float64]
    slices: Sequence[SliceScore] = ()


def item_scores(
    tables: Sequence[NeighbourTable],
    rows: NDArray[np.int64] | None,
    k: int,
    slices: Slices | None,
    options: ScoreOptions,
    control: Control,
) -> ItemScores:
    """Overlaps as `core/mutual_knn.py: overlaps` defines them, and their means over slices of the items.

    A slice is asked against the full gallery, so the mean of the slices' scores, weighted by their sizes, is the score. Its null is of the
    same random pairings as that of the score, over all items: whether the slice scores more than unrelated spaces would there. Its interval
    takes the slice's items for a random sample of very many such items and the gallery as given (`core/intervals.py: query_interval`,
    without end of the population); lists that share neighbours are not quite independent, which it leaves out of account.

    Args:
        tables: two, of the same queries against the same items.
        rows: (m,) the gallery row of each query where some items are asked; None where all are, row by row.
        k: 1 <= k <= k_max of both.
        slices: of the queries, in the order of the tables' rows; None where none are asked.
        options: of the null; its `item_order` has one entry a gallery item.
        control: cancellation and progress.
    """
    n, pairings, own, (x, y) = _keyed(tables, rows, k, options)
    by_position = item_overlaps(x, y)[0]
    overlaps = by_position[own]
    if slices is None:
        return ItemScores(overlaps)
    level = chance(k, n)
    of = np.empty(len(own), dtype=np.int64)
    of[own] = slices.of
    p_values = _p_values(x, y, of, slices, by_position, pairings, options, control) if options.permutations else None
    adjusted = None if p_values is None else benjamini_hochberg(p_values)
    found = []
    for at, value in enumerate(slices.values):
        # In the order of positions: no sum depends on that of the rows.
        members = by_position[of == at]
        score = float(members.mean())
        low, high = query_interval(members, math.inf, options.confidence, 0.0, 1.0)
        found.append(
            SliceScore(
                value,
                len(members),
                score,
                level,
                excess(score, level),
                min(low, score),
                max(high, score),
                None if p_values is None else float(p_values[at]),
                None if adjusted is None else float(adjusted[at]),
            )
        )
    return ItemScores(overlaps, found)


def item_scores_bytes(tables: Sequence[NeighbourTable], k: int, threads: int) -> int:
    """Peak bytes of `item_scores` beyond the tables: an upper estimate."""
    beyond = [(table.nbytes - table.indices.nbytes - table.scores.nbytes) // 4 for table in tables]
    edges = len(tables[0].indices) * k + max(beyond)
    return 100 * (2 * edges + min(edges, 1 << 22) * (threads + 1)) + 64 * tables[0].gallery + (1 << 26)


def _keyed(
    tables: Sequence[NeighbourTable], rows: NDArray[np.int64] | None, k: int, options: ScoreOptions
) -> tuple[int, Draws, NDArray[np.int64], list[KeyedSets]]:
    """Gallery size, random pairings, position of each query, and the keyed sets."""
    n = len(options.item_order)
    if rows is None:
        order = canonical_order(options.item_order)
        position = np.empty_like(order)
        position[order] = np.arange(n)
        return n, options.pairings(), position, [keyed_sets([table.sets(k)], position) for table in tables]
    at = query_positions(tables, rows, options.item_order, k)
    sets = [keyed_sets([table.sets(k)], at.of_row, at.of_query, at.count) for table in tables]
    return n, QueryPairings(at, options.seed, options.first), at.of_query, sets


def _p_values(
    x: KeyedSets,
    y: KeyedSets,
    of: NDArray[np.int64],
    slices: Slices,
    overlaps: NDArray[np.float64],
    pairings: Draws,
    options: ScoreOptions,
    control: Control,
) -> NDArray[np.float64]:
    """(S,) one a slice."""
    count, k = len(slices.values), x.ks[0]
    observed = np.bincount(of, weights=overlaps, minlength=count) * k
    as_high = np.ones(count, dtype=np.int64)
    for chunk, shared in permuted_shared_edges(x, y, options.permutations, pairings, options.threads, control):
        weights = x.weights[shared.at_x, 0] * y.weights[shared.at_y, 0]
        place = shared.pairing * count + of[x.keys[shared.at_x] // x.n]
        totals = np.bincount(place, weights=weights, minlength=len(chunk) * count).reshape(len(chunk), count)
        # Equal totals of fractional weights may differ in the last bits, as their terms add in another order.
        as_high += (totals >= observed * (1.0 - 1e-12)).sum(axis=0)
    return as_high / (options.permutations + 1.0)
