"""Ordered neighbour lists as sorted keys, with the place of every edge: what cycle, LCS and edit distance are computed from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.errors import InvalidK, ShapeMismatch
from consilience_server.core.permutation import canonical_order
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.neighbour_jackknife import ranked_lists
from consilience_server.engine.neighbour_scores import table_depth
from consilience_server.engine.overlap import KeyedSets, shared_edges
from consilience_server.engine.permutation_null import Draws, permuted_shared_edges
from consilience_server.engine.protocol import NeighbourTable


@dataclass(frozen=True)
class KeyedLists:
    """The ordered lists of one space down to a depth, over canonical positions (`core/permutation.py`).

    Attributes:
        columns: (n, depth) int32, the neighbours of each item, best first, ties decided as `core/ordered_lists.py` says.
        tie_shares: (depth,) for every k the share of lists in which a tie decided who is in the list, or where.
    """

    columns: NDArray[np.int32]
    tie_shares: NDArray[np.float64]

    @property
    def n(self) -> int:
        """Number of items."""
        return len(self.columns)

    @property
    def depth(self) -> int:
        """Places of a list."""
        return int(self.columns.shape[1])

    @cached_property
    def forward(self) -> "KeyedPlaces":
        """The edges from an item to its neighbours."""
        return self._keyed(np.arange(self.n)[:, None] * self.n + self.columns)

    @cached_property
    def backward(self) -> "KeyedPlaces":
        """The same edges, keyed from the neighbour to the item that lists it."""
        return self._keyed(self.columns.astype(np.int64) * self.n + np.arange(self.n)[:, None])

    def times_listed(self, k: int) -> NDArray[np.int64]:
        """(n,) how many lists of k have each item."""
        return np.bincount(self.columns[:, :k].ravel(), minlength=self.n).astype(np.int64)

    def first(self, places: int) -> "KeyedLists":
        """The same lists down to fewer places."""
        return self if places == self.depth else KeyedLists(self.columns[:, :places], self.tie_shares[:places])

    def _keyed(self, keys: NDArray[np.int64]) -> "KeyedPlaces":
        order = np.argsort(keys, axis=None)
        return KeyedPlaces(KeyedSets(self.n, (self.depth,), keys.ravel()[order], np.ones((keys.size, 1))), order % self.depth)


@dataclass(frozen=True)
class KeyedPlaces:
    """Edges by ascending key, and the place of each in the list that it belongs to.

    Attributes:
        edges: sorted keys; their weights are all 1.
        places: (m,) int64 place of each edge.
    """

    edges: KeyedSets
    places: NDArray[np.int64]


@dataclass(frozen=True)
class CommonPlaces:
    """What the lists of two spaces have in common under one or more pairings of the items.

    With `forward` edges, an item `other` that both lists of `item` have. With x's `backward` edges, an item `other` in y's list of `item`,
    whose own list in x has `item`.

    Attributes:
        pairings: number of pairings.
        n: number of items.
        pairing: (h,) which pairing.
        item, other: (h,) canonical positions.
        place_x: (h,) the place in the list of x.
        place_y: (h,) the place in the list of y.
    """

    pairings: int
    n: int
    pairing: NDArray[np.int64]
    item: NDArray[np.int64]
    other: NDArray[np.int64]
    place_x: NDArray[np.int64]
    place_y: NDArray[np.int64]


def decided_lists(
    tables: Sequence[NeighbourTable], keys: Sequence[NDArray[np.uint64]], ks: Sequence[int], options: ScoreOptions
) -> list[KeyedLists]:
    """The ordered lists of spaces to be compared, as deep as their scores and intervals for `ks` read.

    Raises:
        InvalidK: a k that the tables do not have.
        ShapeMismatch: tables, keys or `options.item_order` of different items.
    """
    n = tables[0].gallery
    if any(table.gallery != n or len(table.indices) != n for table in tables) or {n} != {len(options.item_order), *map(len, keys)}:
        sizes = ", ".join(f"{len(table.indices):,} of {table.gallery:,}" for table in tables)
        raise ShapeMismatch(
            f"tables of {sizes} items, {len(options.item_order):,} in item_order; tables and keys must be over the same items"
        )
    deepest = min(table.k_max for table in tables)
    for k in ks:
        if not 1 <= k <= deepest:
            raise InvalidK(f"k is {k}, but the neighbour tables serve 1 to {deepest}", k=k)
    order = canonical_order(options.item_order)
    position = np.empty_like(order)
    position[order] = np.arange(n)
    depth = min(table_depth(ks, n, options.interval_kind), deepest)
    return [keyed_lists(table, depth, order, position, of_space) for table, of_space in zip(tables, keys, strict=True)]


def keyed_lists(
    table: NeighbourTable, depth: int, order: NDArray[np.int64], position: NDArray[np.int64], keys: NDArray[np.uint64]
) -> KeyedLists:
    """The ordered lists of a self-join table. O(m log m).

    Args:
        table: of n items.
        depth: 1 <= depth <= table.k_max. Deeper lists begin with shallower ones.
        order: (n,) the rows in canonical order.
        position: its inverse.
        keys: (n,) tie keys of the space by row, those that the table was made with.
    """
    ranked = ranked_lists(table, depth, order, position)
    # A run of one needs no decision; most lists have no other.
    rows = ranked.rows
    in_ties = np.zeros(ranked.n, dtype=bool)
    in_ties[rows[ranked.run_end - ranked.run_first > 1]] = True
    edges = np.arange(len(rows))
    tied = np.flatnonzero(in_ties[rows])
    by_key = keys[order][ranked.columns[tied]]
    edges[tied] = tied[np.lexsort((by_key, ranked.run_first[tied]))]
    columns = ranked.columns[edges[ranked.starts[:-1][:, None] + np.arange(depth)]]
    return KeyedLists(columns, tie_shares(table.scores[order, : depth + 1], depth))


def tie_shares(scores: NDArray[np.float64], depth: int) -> NDArray[np.float64]:
    """(depth,) for every k the share of lists, by their scores (m, depth + 1), in which a tie decided who is in the list, or where.

    A tie counts from the k whose list has its first member: whether the second still fits or not, keys decided.
    """
    equal = scores[:, 1:] == scores[:, :-1]
    if not equal.shape[1]:
        # Two items: each has one neighbour, which nothing can tie with.
        return np.zeros(depth)
    first = np.where(equal.any(axis=1), equal.argmax(axis=1), depth)
    return np.asarray(np.cumsum(np.bincount(first, minlength=depth + 1)[:depth]) / len(scores), dtype=np.float64)


def observed_places(x: KeyedPlaces, y: KeyedPlaces) -> CommonPlaces:
    """What the lists have in common as the items are paired."""
    at_x, at_y = shared_edges(x.edges.keys, y.edges.keys)
    item, other = np.divmod(x.edges.keys[at_x], x.edges.n)
    return CommonPlaces(1, x.edges.n, np.zeros_like(at_x), item, other, x.places[at_x], y.places[at_y])


def permuted_places(
    x: KeyedPlaces, y: KeyedPlaces, permutations: int, pairings: Draws, threads: int, control: Control
) -> Iterator[tuple[range, CommonPlaces]]:
    """The same under the random pairings of `core/permutation.py`, chunk by chunk: the permutations of the chunk and what they make common.

    Items are named by their positions in x.
    """
    for chunk, shared in permuted_shared_edges(x.edges, y.edges, permutations, pairings, threads, control):
        item, other = np.divmod(x.edges.keys[shared.at_x], x.edges.n)
        yield chunk, CommonPlaces(len(chunk), x.edges.n, shared.pairing, item, other, x.places[shared.at_x], y.places[shared.at_y])


def gone_before(columns: NDArray[np.int32], group: int, groups: int) -> NDArray[np.int32]:
    """(n, depth + 1) how many members of a list stand before each place and are deleted."""
    gone = np.zeros((len(columns), columns.shape[1] + 1), dtype=np.int32)
    np.cumsum(columns % groups == group, axis=1, dtype=np.int32, out=gone[:, 1:])
    return gone
