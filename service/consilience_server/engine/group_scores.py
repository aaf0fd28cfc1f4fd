"""Mutual k-NN of items in groups with chance, p-value, calibrated score and interval: the fast path of `core/group_overlap.py`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.errors import InvalidK
from consilience_server.core.intervals import GROUPS, Limits, item_interval, list_depth
from consilience_server.core.permutation import canonical_order
from consilience_server.core.score import IntervalKind, Score
from consilience_server.engine.alignment_scores import Pair, ScoreOptions, interval_of, judged, wanted_pairs
from consilience_server.engine.group_pairings import GroupedItems, GroupPairings
from consilience_server.engine.keyed_lists import KeyedLists, keyed_lists
from consilience_server.engine.list_scores import LEAST_PAIRINGS
from consilience_server.engine.overlap import KeyedSets, shared_edges
from consilience_server.engine.permutation_null import permuted_shared_edges
from consilience_server.engine.protocol import NeighbourTable


def group_depth(ks: Sequence[int], n: int, largest: int, interval_kind: IntervalKind) -> int:
    """The k_max that tables should have: beyond the largest k the rest of an item's own group, and what the jackknife refills."""
    k = max(ks)
    return min(n - 1, (list_depth(k, n) if interval_kind == "items" else k) + largest - 1)


def group_scores(
    tables: Sequence[NeighbourTable],
    keys: Sequence[NDArray[np.uint64]],
    labels: NDArray[np.int64],
    ks: Sequence[int],
    options: ScoreOptions,
    control: Control,
) -> list[Score]:
    """The score of two spaces for every k: the mean of `core/group_overlap.py: group_overlaps`, ties decided by key.

    `chance` is the mean of the random pairings drawn, 99 at the least: pairings of whole groups with others of as many items. The `items`
    interval deletes groups whole.

    Args:
        tables: two self-joins over the same n items, best `group_depth(...)` deep.
        keys: (n,) tie keys of each space, those that its table was made with.
        labels: (n,) the group of each item, by row.
        ks: one or more k.
        options: of null and interval.
        control: cancellation and progress.

    Raises:
        InvalidK: an item has fewer than k items of other groups in reach of the tables.

    Cost:
        O(n k) a permutation.
    """
    n = len(labels)
    order = canonical_order(options.item_order)
    position = np.empty_like(order)
    position[order] = np.arange(n)
    grouped = GroupedItems.at(labels[order])
    depth = min(group_depth(ks, n, int(grouped.sizes.max()), options.interval_kind), *(table.k_max for table in tables))
    lists = [keyed_lists(table, depth, order, position, of_space) for table, of_space in zip(tables, keys, strict=True)]
    pairings = GroupPairings(grouped, options.seed, options.first)
    drawn = max(options.permutations, LEAST_PAIRINGS)
    found = []
    for number, k in enumerate(ks):
        part = control.part(number / len(ks), (number + 1) / len(ks))
        x, y = (_edges(_Lists.of(side, grouped), k) for side in lists)
        if min(x.kept, y.kept) < n * k:
            raise InvalidK(f"k is {k}, but items have fewer items of other groups; ask a smaller k", field="spec.ks", k=k)
        null = np.empty(drawn)
        for chunk, shared in permuted_shared_edges(x.edges, y.edges, drawn, pairings, options.threads, part):
            hits = x.edges.weights[shared.at_x, 0] + y.edges.weights[shared.at_y, 0]
            null[chunk.start : chunk.stop] = np.bincount(shared.pairing, weights=hits, minlength=len(chunk)) / (2.0 * k * n)
        score = _agreement(x, y)
        limits = _jackknife(lists, grouped, k, score, options, part) if options.interval_kind == "items" else (score, score)
        ties = {
            "tie_fraction_x": float(lists[0].tie_shares[k - 1]),
            "tie_fraction_y": float(lists[1].tie_shares[k - 1]),
            "self_score_x": 1.0,
            "self_score_y": 1.0,
        }
        own = null[: options.permutations] if options.permutations else None
        found.append(judged(k, score, float(null.mean()), interval_of(limits, options), own, options, ties))
    return found


def group_matrix(
    tables: Sequence[NeighbourTable],
    keys: Sequence[NDArray[np.uint64]],
    labels: NDArray[np.int64],
    k: int,
    options: ScoreOptions,
    control: Control,
    pairs: Sequence[Pair] | None = None,
) -> dict[Pair, Score]:
    """`group_scores` of the wanted pairs i <= j of M spaces for one k, under the same random pairings of groups for all of them.

    A space with itself, for which no null is told, scores 1; its chance is the mean of 99 pairings.
    """
    wanted, found = wanted_pairs(len(tables), pairs), {}
    bare = replace(options, permutations=0, interval_kind="queries")
    for number, (i, j) in enumerate(wanted):
        part = control.part(number / len(wanted), (number + 1) / len(wanted))
        asked = bare if i == j else options
        found[i, j] = group_scores([tables[i], tables[j]], [keys[i], keys[j]], labels, (k,), asked, part)[0]
    return found


def group_scores_bytes(n: int, depth: int, threads: int) -> int:
    """Peak bytes of `group_scores` beyond the tables: lists, edges, an index, scratch; an upper estimate."""
    edges = n * depth
    return 200 * edges + 100 * min(edges, 1 << 22) * (threads + 1) + (1 << 27)


def group_edges(
    tables: Sequence[NeighbourTable], keys: Sequence[NDArray[np.uint64]], labels: NDArray[np.int64], k: int, options: ScoreOptions
) -> tuple[NDArray[np.int64], GroupedItems, list["GroupEdges"]]:
    """The canonical position of each row, the groups by position, and the lists of both spaces as edges to groups; InvalidK."""
    order = canonical_order(options.item_order)
    position = np.empty_like(order)
    position[order] = np.arange(len(labels))
    grouped = GroupedItems.at(labels[order])
    depth = min(group_depth((k,), len(labels), int(grouped.sizes.max()), "queries"), *(table.k_max for table in tables))
    lists = [keyed_lists(table, depth, order, position, of_space) for table, of_space in zip(tables, keys, strict=True)]
    edges = [_edges(_Lists.of(side, grouped), k) for side in lists]
    if min(side.kept for side in edges) < len(labels) * k:
        raise InvalidK(f"k is {k}, but items have fewer items of other groups; ask a smaller k", field="spec.ks", k=k)
    return position, grouped, edges


@dataclass(frozen=True)
class _Lists:
    """The lists of one space: neighbours, their groups, and which are of another group than the item, (n, depth) each."""

    columns: NDArray[np.int32]
    groups: NDArray[np.int64]
    is_other: NDArray[np.bool_]
    count: int

    @staticmethod
    def of(lists: KeyedLists, grouped: GroupedItems) -> "_Lists":
        groups = grouped.of[lists.columns]
        return _Lists(lists.columns, groups, groups != grouped.of[:, None], grouped.count)


@dataclass(frozen=True)
class GroupEdges:
    """From items to the groups in their lists; weights tell how many items of the list. `kept` is the sum of all weights."""

    edges: KeyedSets
    kept: int


def _edges(lists: _Lists, k: int, left: NDArray[np.bool_] | None = None) -> GroupEdges:
    """The first k of other groups in every list; among the items that are `left`, (n,) by position, where some are deleted."""
    usable = lists.is_other
    if left is not None:
        usable = usable & left[lists.columns] & left[:, None]
    taken = usable & (np.cumsum(usable, axis=1, dtype=np.int32) <= k)
    rows, places = np.nonzero(taken)
    n = len(lists.columns)
    positions = n + lists.count
    keys, counts = np.unique(rows * positions + n + lists.groups[rows, places], return_counts=True)
    return GroupEdges(KeyedSets(positions, (k,), keys.astype(np.int64), counts[:, None].astype(np.float64), n), len(rows))


def _agreement(x: GroupEdges, y: GroupEdges) -> float:
    """Hits as a share of all places; NaN where there are none."""
    at_x, at_y = shared_edges(x.edges.keys, y.edges.keys)
    hits = x.edges.weights[at_x, 0].sum() + y.edges.weights[at_y, 0].sum()
    return float(hits / (x.kept + y.kept)) if x.kept + y.kept else float("nan")


def _jackknife(lists: Sequence[KeyedLists], grouped: GroupedItems, k: int, score: float, options: ScoreOptions, control: Control) -> Limits:
    """Without each of up to 32 sets of whole groups, lists refilled from below."""
    sets = min(GROUPS, grouped.count)
    of_item = grouped.of % sets
    sides = [_Lists.of(side, grouped) for side in lists]
    without = np.empty(sets)
    for number in range(sets):
        control.check()
        left = of_item != number
        without[number] = _agreement(*(_edges(side, k, left) for side in sides))
    sizes = np.bincount(of_item, minlength=sets).astype(np.int64)
    return item_interval(score, score, without, sizes, options.confidence, 0.0, 1.0)
