"""Positions for items of which only some are asked: as many as the lists need, however large the gallery."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import ShapeMismatch
from consilience_server.core.permutation import Pairings
from consilience_server.core.query_pairings import parted, query_pairing
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.protocol import NeighbourTable


@dataclass(frozen=True)
class QueryPositions:
    """The queries at the first positions, then the other items that some list has, each by item hash, then one place for all the rest.

    Attributes:
        of_row: (n,) int64, the position of each gallery row.
        queries: number m of queries; their positions are 0 to m - 1.
        listed: number of other items that some list of some space has.
        of_query: (m,) int64, the position of each row of the tables.
    """

    of_row: NDArray[np.int64]
    queries: int
    listed: int
    of_query: NDArray[np.int64]

    @property
    def count(self) -> int:
        """Number of positions."""
        return self.queries + self.listed + 1


@dataclass(frozen=True)
class QueryPairings:
    """Random pairings that send queries to queries (`core/query_pairings.py`), over these positions.

    Attributes:
        positions: of the items.
        seed: names them.
        first: number of the first pairing that is drawn.
        parts: (n,) the part of its group that each gallery row is in, within which every item stays; None restricts nothing. Then a pairing
            costs O(n log n), as it sorts the items of every part.
    """

    positions: QueryPositions
    seed: int
    first: int = 0
    parts: NDArray[np.int64] | None = None

    def draw(self, index: int) -> NDArray[np.int64]:
        """(count,) where pairing number `first + index` sends each position.

        An item that goes to one which no list has goes to the place of the rest: no edge is found there.
        """
        at = self.positions
        if self.parts is not None:
            to = self._within.draw(index)[: at.count - 1]
            return np.append(np.minimum(to, at.count - 1), at.count - 1)
        queries, places = query_pairing(self.seed, self.first + index, at.queries, len(at.of_row) - at.queries, at.listed)
        return np.concatenate([queries, at.queries + np.minimum(places, at.listed), [at.count - 1]])

    @cached_property
    def _within(self) -> Pairings:
        """Of all n items, in the order of their positions, those that no list has last."""
        assert self.parts is not None
        order = np.argsort(self.positions.of_row, kind="stable")
        return Pairings(len(order), self.seed, self.parts[order], self.first)

    def at_positions(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(count,) the part of each position, that of the rest a part of its own without edges; and the items of each part."""
        assert self.parts is not None
        rest = int(self.parts.max()) + 1
        parts = np.full(self.positions.count, rest, dtype=np.int64)
        listed = np.flatnonzero(self.positions.of_row < self.positions.count - 1)
        parts[self.positions.of_row[listed]] = self.parts[listed]
        return parts, np.append(np.bincount(self.parts), 1).astype(np.int64)


def query_pairings(positions: QueryPositions, rows: NDArray[np.int64], options: ScoreOptions) -> QueryPairings:
    """The random pairings of a null over the queries at `rows`, within the groups of the options where there are some."""
    parts = None if options.groups is None else parted(options.groups, rows)
    return QueryPairings(positions, options.seed, options.first, parts)


def query_positions(
    tables: Sequence[NeighbourTable], rows: NDArray[np.int64], item_order: NDArray[np.uint64], depth: int
) -> QueryPositions:
    """Positions for tables whose query i is the gallery row `rows[i]`, for lists down to `depth` with what is tied there.

    Raises:
        ShapeMismatch: tables of other queries or another gallery, or an item_order of another size.
    """
    n = len(item_order)
    if any(table.gallery != n or len(table.indices) != len(rows) for table in tables):
        sizes = ", ".join(f"{len(table.indices):,} queries of {table.gallery:,}" for table in tables)
        raise ShapeMismatch(f"tables of {sizes}; {len(rows):,} queries and {n:,} items in item_order are expected")
    asked = np.zeros(n, dtype=bool)
    asked[rows] = True
    is_listed = np.zeros(n, dtype=bool)
    for table in tables:
        is_listed[table.sets(depth).indices] = True
    listed = np.flatnonzero(is_listed & ~asked)
    of_row = np.full(n, len(rows) + len(listed), dtype=np.int64)
    of_row[_by_hash(rows, item_order)] = np.arange(len(rows))
    of_row[_by_hash(listed, item_order)] = len(rows) + np.arange(len(listed))
    return QueryPositions(of_row, len(rows), len(listed), of_row[rows])


def _by_hash(rows: NDArray[np.int64], item_order: NDArray[np.uint64]) -> NDArray[np.int64]:
    return rows[np.argsort(item_order[rows], kind="stable")]
