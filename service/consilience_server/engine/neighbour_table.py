"""The neighbour table: the nearest items of every query, and whatever else ties with the last of them.

Columns: the table is one place deeper than the largest k it serves (where the gallery allows), so that a tie at any k-th place shows.
Tail: where the group tied at the last column goes on beyond the table and reaches back to a k-th place, its other members are kept beside
the table, so the fractional tie rule holds exactly for every k.
Ordered rows: a group with more than `tail_limit` members beyond the table is not kept. Its members count in the order of their tie keys, a
hash of (space, item), as if those scores differed: the tail holds the first of them by key. Neither way depends on the order of rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import InvalidK
from consilience_server.core.neighbour_sets import NeighbourSets
from consilience_server.engine.protocol import Certificate

_TAIL_ENTRIES = 1 << 24
_LEAST_LIMIT = 64


def table_depth(k_max: int, available: int) -> int:
    """Columns of a table for `k_max`, where each query may choose from `available` items."""
    return min(k_max + 1, available)


def tail_limit(gallery: int) -> int:
    """Tied members that one row may keep beyond its columns.

    At least 64, and so many that tails of `gallery` rows stay under 2^24 entries together: up to 4096 items every tie fits.
    """
    return max(_LEAST_LIMIT, _TAIL_ENTRIES // gallery)


@dataclass(frozen=True)
class Tails:
    """What ties with the last column beyond the table, in CSR form.

    Attributes:
        indptr: (n + 1,) int64.
        items: (m,) int32 gallery rows. Of an ordered row: its tied group's first members by tie key, those in the columns included,
            enough for every k <= k_max. Of any other row: the members beyond the columns, ascending.
        beyond: (n,) int32, members beyond the columns, kept or not.
        ordered: (n,) bool, whether the row's last tied group counts in the order of tie keys.
    """

    indptr: NDArray[np.int64]
    items: NDArray[np.int32]
    beyond: NDArray[np.int32]
    ordered: NDArray[np.bool_]

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.indptr.nbytes + self.items.nbytes + self.beyond.nbytes + self.ordered.nbytes


@dataclass(frozen=True)
class RowTail:
    """The tail of one row, as in `Tails`.

    Attributes:
        row: the row of the table.
        items: (t,) int32.
        beyond: members beyond the columns, kept or not.
        ordered: whether the group counts in the order of tie keys.
    """

    row: int
    items: NDArray[np.int32]
    beyond: int
    ordered: bool


def collect_tails(n: int, rows: Sequence[RowTail]) -> Tails:
    """Put the tails of the rows that have one, in any order, together for a table of `n` rows."""
    lengths = np.zeros(n, dtype=np.int64)
    beyond = np.zeros(n, dtype=np.int32)
    ordered = np.zeros(n, dtype=np.bool_)
    for tail in rows:
        lengths[tail.row] = len(tail.items)
        beyond[tail.row] = tail.beyond
        ordered[tail.row] = tail.ordered
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    items = np.empty(int(indptr[-1]), dtype=np.int32)
    for tail in rows:
        items[indptr[tail.row] : indptr[tail.row + 1]] = tail.items
    return Tails(indptr, items, beyond, ordered)


@dataclass(frozen=True)
class PlaceCounts:
    """What stands at the k-th place of every row.

    Attributes:
        n_above: (n,) int64, items strictly better than the k-th score: 0 <= n_above < k.
        n_tied: (n,) int64, items at the k-th score: n_above + n_tied >= k, and more where the place is tied.
        by_key: (n,) bool, whether that group counts in the order of tie keys, one item after the other, instead of sharing the place.
    """

    n_above: NDArray[np.int64]
    n_tied: NDArray[np.int64]
    by_key: NDArray[np.bool_]


@dataclass(frozen=True)
class ExactNeighbourTable:
    """The table of `engine/protocol.py`, with its tails.

    Attributes:
        indices: (n, depth) int32, best first.
        scores: (n, depth) float64.
        tails: what ties with the last column beyond it.
        k_max: the largest k that may be asked.
        gallery: number of gallery items.
        self_join: whether query i is gallery item i and was excluded.
        certificate: why it is exact.
    """

    indices: NDArray[np.int32]
    scores: NDArray[np.float64]
    tails: Tails
    k_max: int
    gallery: int
    self_join: bool
    certificate: Certificate

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.indices.nbytes + self.scores.nbytes + self.tails.nbytes

    def places(self, k: int) -> PlaceCounts:
        """What stands at the k-th place of every row.

        Raises:
            InvalidK: unless 1 <= k <= k_max.
        """
        if not 1 <= k <= self.k_max:
            raise InvalidK(f"k = {k}, but this table serves k from 1 to {self.k_max}", field="k", k=k, limit=self.k_max)
        kth = self.scores[:, k - 1 : k]
        n_above = np.asarray((self.scores[:, :k] > kth).sum(axis=1), dtype=np.int64)
        n_tied = np.asarray((self.scores == kth).sum(axis=1), dtype=np.int64)
        at_end = self.scores[:, -1] == kth[:, 0]
        n_tied[at_end] += self.tails.beyond[at_end]
        return PlaceCounts(n_above, n_tied, at_end & self.tails.ordered)

    def sets(self, k: int) -> NeighbourSets:
        """The k-neighbour sets with tie weights.

        Raises:
            InvalidK: unless 1 <= k <= k_max.
        """
        places = self.places(k)
        tied = places.n_above + places.n_tied > k
        lengths = np.where(tied & ~places.by_key, places.n_above + places.n_tied, k)
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        indices = np.empty(int(indptr[-1]), dtype=np.int32)
        weights = np.ones(len(indices))
        untied = np.flatnonzero(~tied)
        indices[(indptr[untied][:, None] + np.arange(k)).ravel()] = np.sort(self.indices[untied, :k], axis=1).ravel()
        rows = np.flatnonzero(tied)
        if len(rows):
            counts = lengths[rows]
            place = np.repeat(indptr[rows] - (np.cumsum(counts) - counts), counts) + np.arange(int(counts.sum()))
            indices[place], weights[place] = self._tied_members(rows, k, places)
        return NeighbourSets(indptr, indices, weights, k, self.gallery, tied)

    def _tied_members(self, rows: NDArray[np.int64], k: int, places: PlaceCounts) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Items and weights of the sets of the tied rows `rows`, row after row, ascending within each."""
        scores = self.scores[rows]
        kth = scores[:, k - 1 : k]
        by_key = places.by_key[rows]
        room = k - places.n_above[rows]
        # Of a row ordered by key, the columns give what is above the group and the tail gives the group.
        line, column = np.nonzero((scores > kth) | ((scores == kth) & ~by_key[:, None]))
        kept = np.diff(self.tails.indptr)[rows] * (scores[:, -1] == kth[:, 0])
        kept[by_key] = room[by_key]
        tail_line = np.repeat(np.arange(len(rows)), kept)
        within = np.arange(len(tail_line)) - np.repeat(np.cumsum(kept) - kept, kept)
        tail = self.tails.items[self.tails.indptr[rows][tail_line] + within]
        # One plain sort of (line, item, whether tied) as a single number does it all: these are the largest arrays of a tied space.
        columns = 2 * (line * self.gallery + self.indices[rows[line], column]) + (scores[line, column] == kth[line, 0])
        order = np.concatenate([columns, 2 * (tail_line * self.gallery + tail) + 1])
        order.sort()
        members, group = order >> 1, order & 1
        share = np.where(by_key, 1.0, room / places.n_tied[rows])
        return members % self.gallery, np.where(group, share[members // self.gallery], 1.0)
