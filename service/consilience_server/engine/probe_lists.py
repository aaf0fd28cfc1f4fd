"""Neighbour lists of a watch's probes, deep enough to be read again after items have left."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import InvalidK
from consilience_server.core.neighbour_sets import NeighbourSets
from consilience_server.engine.neighbour_table import ExactNeighbourTable
from consilience_server.engine.overlap import shared_edges
from consilience_server.engine.protocol import NeighbourTable


def list_depth(k: int, gallery: int) -> int:
    """Neighbours kept for lists of `k`: half of them, and five more, may leave before a list of k runs short."""
    return min(gallery - 1, 2 * k + 10)


@dataclass(frozen=True)
class ProbeLists:
    """The nearest gallery items of every probe with their scores, best first, in CSR form.

    A tied group that a table keeps is kept whole; the members of one that it does not stand in the order of their tie keys.

    Attributes:
        indptr: (m + 1,) int64.
        items: (t,) int32 gallery rows.
        scores: (t,) float64.
        ordered: (m,) bool, whether the last tied group counts in that order.
    """

    indptr: NDArray[np.int64]
    items: NDArray[np.int32]
    scores: NDArray[np.float64]
    ordered: NDArray[np.bool_]

    @property
    def m(self) -> int:
        """Number of probes."""
        return len(self.ordered)

    def nearest(self, probe: int, count: int) -> NDArray[np.int32]:
        """The first `count` gallery rows of one probe's list."""
        return self.items[self.indptr[probe] : self.indptr[probe + 1]][:count]

    def sets(self, k: int, place: NDArray[np.int64], gallery: int) -> tuple[NeighbourSets, NDArray[np.bool_]]:
        """The k-neighbour sets among the items that are left, by the tie rule of `NeighbourSets`.

        Args:
            k: neighbours a list.
            place: (n,) the row that each gallery item has now; -1 where it has left.
            gallery: number of items left.

        Returns:
            The sets of all probes, empty where a list ran short; and (m,) bool, where it did not.

        Raises:
            InvalidK: k is not below the number of items left.
        """
        if not 1 <= k < gallery:
            raise InvalidK(f"k is {k}; among {gallery:,} items it must be 1 to {gallery - 1:,}", field="k", k=k, n=gallery)
        now = place[self.items]
        left = np.flatnonzero(now >= 0)
        owner = np.repeat(np.arange(self.m), np.diff(self.indptr))[left]
        scores, counts = self.scores[left], np.bincount(owner, minlength=self.m)
        starts = np.concatenate([[0], np.cumsum(counts)])
        rank = np.arange(len(left)) - starts[owner]
        enough = counts >= k
        kth = np.full(self.m, np.inf)
        kth[enough] = scores[starts[:-1][enough] + k - 1]
        above = np.bincount(owner, weights=scores > kth[owner], minlength=self.m)
        tied = np.bincount(owner, weights=scores == kth[owner], minlength=self.m)
        by_key = enough & self.ordered & (kth == self._last_scores())
        share = np.where(by_key | ~enough, 1.0, (k - above) / np.maximum(tied, 1.0))
        kept = enough[owner] & (scores >= kth[owner]) & (~by_key[owner] | (rank < k))
        weights = np.where(scores > kth[owner], 1.0, share[owner])[kept]
        owner, indices = owner[kept], now[left][kept]
        order = np.lexsort((indices, owner))
        indptr = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=self.m))]).astype(np.int64)
        return NeighbourSets(indptr, indices[order].astype(np.int32), weights[order], k, gallery, enough & (above + tied > k)), enough

    def ranked(
        self, k: int, place: NDArray[np.int64], gallery: int, tie_keys: NDArray[np.uint64]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The ordered k-lists among the items that are left, equal scores by tie key: `core/ordered_lists.py`.

        Args:
            k: neighbours a list.
            place: (n,) the row that each gallery item has now; -1 where it has left.
            gallery: number of items left.
            tie_keys: (n,) uint64 by gallery row, those that the lists were searched with.

        Returns:
            (m, k) rows of now, -1 where a list ran short; and (m,) bool, where it did not.

        Raises:
            InvalidK: k is not below the number of items left.
        """
        if not 1 <= k < gallery:
            raise InvalidK(f"k is {k}; among {gallery:,} items it must be 1 to {gallery - 1:,}", field="k", k=k, n=gallery)
        left = np.flatnonzero(place[self.items] >= 0)
        owner = np.repeat(np.arange(self.m), np.diff(self.indptr))[left]
        items = self.items[left]
        order = np.lexsort((tie_keys[items], -self.scores[left], owner))
        counts = np.bincount(owner, minlength=self.m)
        enough = counts >= k
        starts = np.concatenate([[0], np.cumsum(counts)])[:-1]
        lists = np.full((self.m, k), -1, dtype=np.int64)
        lists[enough] = place[items[order[starts[enough][:, None] + np.arange(k)]]]
        return lists, enough

    def _last_scores(self) -> NDArray[np.float64]:
        return self.scores[self.indptr[1:] - 1]


def probe_lists(table: NeighbourTable) -> ProbeLists:
    """The lists of a table of probes. Its last column is left out where it may belong to a tied group that the table did not look for."""
    if not isinstance(table, ExactNeighbourTable):
        raise TypeError(f"probes need a table with tails, not {type(table).__name__}")
    m, depth = table.indices.shape
    tails, last = table.tails, table.scores[:, -1]
    complete = depth >= table.gallery - 1
    columns = np.broadcast_to(np.arange(depth), (m, depth))
    kept = (columns < table.k_max) | (table.scores[:, table.k_max - 1] == last)[:, None] | complete
    # Of an ordered row the tail has the last group from its first member on.
    kept &= ~(tails.ordered[:, None] & (table.scores == last[:, None]))
    lengths = kept.sum(axis=1) + np.diff(tails.indptr)
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    items = np.empty(int(indptr[-1]), dtype=np.int32)
    scores = np.empty(len(items))
    row, column = np.nonzero(kept)
    at = indptr[row] + np.arange(len(row)) - np.concatenate([[0], np.cumsum(kept.sum(axis=1))])[row]
    items[at], scores[at] = table.indices[row, column], table.scores[row, column]
    owner = np.repeat(np.arange(m), np.diff(tails.indptr))
    at = indptr[owner + 1] - tails.indptr[owner + 1] + np.arange(len(tails.items))
    items[at], scores[at] = tails.items, last[owner]
    return ProbeLists(indptr, items, scores, tails.ordered)


def overlaps(x: NeighbourSets, y: NeighbourSets) -> NDArray[np.float64]:
    """(m,) the overlap of each probe's two lists: `core/mutual_knn.py: overlaps`, without a loop; 0 where a list is empty."""
    keys = [np.repeat(np.arange(s.n, dtype=np.int64) * s.gallery, np.diff(s.indptr)) + s.indices for s in (x, y)]
    at_x, at_y = shared_edges(*keys)
    sums = np.bincount(keys[0][at_x] // x.gallery, weights=x.weights[at_x] * y.weights[at_y], minlength=x.n)
    return np.minimum(sums / x.k, 1.0)


def occurrences(sets: NeighbourSets) -> NDArray[np.float64]:
    """(gallery,) how many lists each gallery item is in; tied items count by their weight."""
    return np.bincount(sets.indices, weights=sets.weights, minlength=sets.gallery).astype(np.float64)
