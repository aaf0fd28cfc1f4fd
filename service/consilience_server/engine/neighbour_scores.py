"""Mutual k-NN with chance, p-value, calibrated score and interval, from neighbour tables."""

from collections.abc import Sequence
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.errors import InvalidK, ShapeMismatch
from consilience_server.core.intervals import group_sizes, item_interval, list_depth
from consilience_server.core.mutual_knn import chance
from consilience_server.core.neighbour_sets import NeighbourSets
from consilience_server.core.permutation import canonical_order
from consilience_server.core.score import Interval, IntervalKind, Score
from consilience_server.engine.alignment_scores import Pair, ScoreOptions, interval_of, judged, wanted_pairs
from consilience_server.engine.neighbour_jackknife import ranked_lists, scores_without_groups
from consilience_server.engine.overlap import KeyedSets, keyed_sets, overlap_scores, own_scores
from consilience_server.engine.permutation_null import permuted_overlaps
from consilience_server.engine.protocol import NeighbourTable
from consilience_server.engine.within_chance import overlap_chance


def table_depth(ks: Sequence[int], n: int, interval_kind: IntervalKind) -> int:
    """The k_max that tables should have for these scores: the largest k, and what the `items` interval needs to refill lists.

    A shallower table serves too, but then some lists of the jackknife run short; a deeper one changes nothing.
    """
    return list_depth(max(ks), n) if interval_kind == "items" else max(ks)


def mutual_knn_scores(x: NeighbourTable, y: NeighbourTable, ks: Sequence[int], options: ScoreOptions, control: Control) -> list[Score]:
    """Mutual k-NN of two spaces for every k, from one self-join table each. Definition: `core/mutual_knn.py`.

    Args:
        x: table of the one space over the items, k_max >= max(ks), best `table_depth(...)`.
        y: table of the other over the same n items in the same order.
        ks: one or more k.
        options: its `item_order` has one entry an item.
        control: cancellation and progress.

    Raises:
        InvalidK: a k that the tables do not have.
        ShapeMismatch: tables or item_order of different sizes.
    """
    return [scores[0, 1] for scores in _mutual_knn([x, y], ks, options, control)]


def mutual_knn_matrix(
    tables: Sequence[NeighbourTable], k: int, options: ScoreOptions, control: Control, pairs: Sequence[Pair] | None = None
) -> dict[Pair, Score]:
    """Mutual k-NN of the pairs i <= j of M spaces, of all unless some are named: M tables, shared permutations, nothing searched again.

    Entry (i, j), i < j, is `mutual_knn_scores(tables[i], tables[j], [k], ...)[0]`. Entry (i, i) is the space's score with itself, without a
    null.
    """
    return _mutual_knn(tables, [k], options, control, pairs)[0]


def mutual_knn_bytes(tables: Sequence[NeighbourTable], ks: Sequence[int], threads: int) -> int:
    """Peak bytes of `mutual_knn_scores` and `mutual_knn_matrix` beyond the tables: weighted sets for each space and k, an index, scratch.

    An upper estimate: a neighbour costs up to 100 bytes in its sets and as much in the scratch of each thread that permutes it.
    """
    n = tables[0].gallery
    beyond = [(table.nbytes - table.indices.nbytes - table.scores.nbytes) // 4 for table in tables]
    kept = sum(n * k + tail for k in ks for tail in beyond)
    permuted = min(n * max(ks) + max(beyond), 1 << 22)
    return 100 * (kept + permuted * threads) + min(4 * n * n, 1 << 28)


def _mutual_knn(
    tables: Sequence[NeighbourTable], ks: Sequence[int], options: ScoreOptions, control: Control, pairs: Sequence[Pair] | None = None
) -> list[dict[Pair, Score]]:
    """For every k the wanted pairs i <= j."""
    n = tables[0].gallery
    if any(table.gallery != n or len(table.indices) != n for table in tables) or len(options.item_order) != n:
        sizes = ", ".join(f"{len(table.indices):,} of {table.gallery:,}" for table in tables)
        raise ShapeMismatch(f"tables of {sizes} items and {len(options.item_order):,} in item_order; all must be over the same items")
    for k in ks:
        chance(k, n)
        if k > min(table.k_max for table in tables):
            raise InvalidK(f"k is {k}, but the neighbour tables end at {min(table.k_max for table in tables)}", k=k)
    order = canonical_order(options.item_order)
    position = np.empty_like(order)
    position[order] = np.arange(n)
    sets = [[table.sets(k) for k in ks] for table in tables]
    spaces = [keyed_sets(of_space, position) for of_space in sets]
    control.check()
    wanted = wanted_pairs(len(tables), pairs)
    apart = [(i, j) for i, j in wanted if i != j]
    observed = {(i, j): overlap_scores(spaces[i], spaces[j], options.threads) for i, j in apart}
    null = {}
    if options.permutations:
        null = permuted_overlaps(spaces, options.permutations, options.pairings(), options.threads, control, apart)
    intervals = _neighbour_intervals(tables, ks, observed, order, position, options, control)
    self_scores = [own_scores(space) for space in spaces]
    levels = _levels(spaces, ks, options)
    by_k: list[dict[Pair, Score]] = []
    for column, k in enumerate(ks):
        own = [float(of_space[column]) for of_space in self_scores]
        found = {}
        for i, j in wanted:
            score, values, interval = own[i], None, interval_of((own[i], own[i]), options)
            if i != j:
                score, interval = float(observed[i, j][column]), intervals[i, j][column]
                values = null[i, j][column] if null else None
            found[i, j] = judged(k, score, levels[i, j][column], interval, values, options, _ties(sets, i, j, column, own))
        by_k.append(found)
    return by_k


def _levels(spaces: Sequence[KeyedSets], ks: Sequence[int], options: ScoreOptions) -> dict[Pair, Sequence[float]]:
    """The chance of every pair i <= j for every k: exact, within groups too."""
    pairs = list(combinations_with_replacement(range(len(spaces)), 2))
    groups = options.pairings().groups
    if groups is None:
        return {pair: [chance(k, spaces[0].n) for k in ks] for pair in pairs}
    return {(i, j): overlap_chance(spaces[i], spaces[j], groups).tolist() for i, j in pairs}


def _neighbour_intervals(
    tables: Sequence[NeighbourTable],
    ks: Sequence[int],
    observed: dict[Pair, NDArray[np.float64]],
    order: NDArray[np.int64],
    position: NDArray[np.int64],
    options: ScoreOptions,
    control: Control,
) -> dict[Pair, list[Interval]]:
    """For every pair i < j one interval for each k."""
    if options.interval_kind == "queries":
        return {pair: [interval_of((float(score), float(score)), options) for score in scores] for pair, scores in observed.items()}
    n = len(order)
    sizes = group_sizes(n)
    depth = min(table_depth(ks, n, "items"), *(table.k_max for table in tables))
    lists = [ranked_lists(table, depth, order, position) for table in tables]
    values = scores_without_groups(lists, ks, len(sizes), options.threads, control, list(observed))
    return {
        pair: [
            interval_of(item_interval(float(score), float(full[column]), without[column], sizes, options.confidence, 0.0, 1.0), options)
            for column, score in enumerate(observed[pair])
        ]
        for pair, (full, without) in values.items()
    }


def _ties(sets: Sequence[Sequence[NeighbourSets]], i: int, j: int, column: int, own: Sequence[float]) -> dict[str, float]:
    return {
        "tie_fraction_x": sets[i][column].tie_fraction,
        "tie_fraction_y": sets[j][column].tie_fraction,
        "self_score_x": own[i],
        "self_score_y": own[j],
    }
