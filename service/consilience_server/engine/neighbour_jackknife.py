"""Mutual k-NN without each group of items, from the neighbour lists alone: what the `items` interval is made of."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.intervals import list_depth
from consilience_server.core.neighbour_sets import NeighbourSets
from consilience_server.engine.overlap import shared_edges
from consilience_server.engine.protocol import NeighbourTable


@dataclass(frozen=True)
class RankedLists:
    """The neighbour lists of one space down to a depth, best first, cut into runs of equal score.

    Row r (a canonical position) is the edges `starts[r]:starts[r + 1]`; a tie at the last place is there whole.

    Attributes:
        depth: places of a list.
        starts: (n + 1,) int64.
        columns: (m,) int32 canonical position of each neighbour.
        run_first, run_end: (m,) int64, where the run of each edge begins and ends.
        sorted_keys: (m,) int64, the keys row n + column, ascending.
        sorted_edges: (m,) int64, the edge of each of them.
    """

    depth: int
    starts: NDArray[np.int64]
    columns: NDArray[np.int32]
    run_first: NDArray[np.int64]
    run_end: NDArray[np.int64]
    sorted_keys: NDArray[np.int64]
    sorted_edges: NDArray[np.int64]

    @property
    def n(self) -> int:
        """Number of items."""
        return len(self.starts) - 1

    @property
    def rows(self) -> NDArray[np.int64]:
        """(m,) canonical position of each edge's query."""
        return np.repeat(np.arange(self.n), np.diff(self.starts))


def ranked_lists(table: NeighbourTable, depth: int, order: NDArray[np.int64], position: NDArray[np.int64]) -> RankedLists:
    """The lists of a self-join table down to `depth` (at most its k_max) in canonical positions. O(m log m).

    Args:
        table: of n items.
        depth: 1 <= depth <= table.k_max. A deeper table gives the same lists.
        order: (n,) the rows in canonical order.
        position: its inverse.
    """
    n = len(order)
    sets = table.sets(depth)
    lengths, tied = np.diff(sets.indptr)[order], sets.tied[order]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    columns = np.empty(starts[-1], dtype=np.int32)
    scores = np.empty(starts[-1])
    plain = np.flatnonzero(~tied)
    at = starts[plain][:, None] + np.arange(depth)
    columns[at], scores[at] = position[table.indices[order[plain], :depth]], table.scores[order[plain], :depth]
    if tied.any():
        at = np.flatnonzero(np.repeat(tied, lengths))
        columns[at], scores[at] = _tied_lists(table, sets, depth, order[tied], position)
    begins = np.ones(len(scores), dtype=bool)
    begins[1:] = scores[1:] != scores[:-1]
    begins[starts[:-1]] = True
    firsts = np.flatnonzero(begins)
    run = np.cumsum(begins) - 1
    keys = np.repeat(np.arange(n) * n, lengths) + columns
    by_key = np.argsort(keys)
    return RankedLists(depth, starts, columns, firsts[run], np.append(firsts[1:], len(scores))[run], keys[by_key], by_key)


def _tied_lists(
    table: NeighbourTable, sets: NeighbourSets, depth: int, rows: NDArray[np.int64], position: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Columns (canonical) and scores of the sets of `rows`, one row after the other, best first.

    Members that the table's columns do not show are tied at the last place and have its score.
    """
    n = len(position)
    lengths = np.diff(sets.indptr)[rows]
    line = np.repeat(np.arange(len(rows)), lengths)
    within = np.arange(len(line)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    members = position[sets.indices[sets.indptr[rows][line] + within]]
    shown = (np.arange(len(rows))[:, None] * n + position[table.indices[rows, :depth]]).reshape(-1)
    by_key = np.argsort(shown)
    found = np.searchsorted(shown, line * n + members, sorter=by_key)
    candidate = by_key.take(found, mode="clip")
    last = table.scores[rows, depth - 1]
    scores = np.where(shown[candidate] == line * n + members, table.scores[rows, :depth].reshape(-1)[candidate], last[line])
    best_first = np.lexsort((members, -scores, line))
    return members[best_first], scores[best_first]


def scores_without_groups(
    spaces: Sequence[RankedLists],
    ks: Sequence[int],
    groups: int,
    threads: int,
    control: Control,
    only: Sequence[tuple[int, int]] | None = None,
) -> dict[tuple[int, int], tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Mutual k-NN of every pair of spaces over all items, and over all but each group in turn.

    A deleted item leaves as a query and as a neighbour: every list that had it is refilled from below to k, with the tie weights
    (k - n_above) / n_tied of the items that are left. So each value is the score that the remaining items would get, searched anew, as
    long as the lists are deep enough (`core/intervals.py: list_depth`); a list that runs short is taken as long as it is, and the overlaps
    are divided by the mean length of the two lists instead of k.

    Args:
        spaces: M ranked lists over the same n items.
        ks: the k asked; lists are read down to `list_depth(k, n)` for each, so that a deeper table does not change the answer.
        groups: G >= 2; canonical position c belongs to group c mod G.
        threads: the answer does not depend on it.
        control: asked before every group.
        only: the pairs i < j wanted, None for all.

    Returns:
        For i < j the values over all items (len(ks),) and without each group (len(ks), G); NaN where no neighbour is left.

    Cost:
        O(G n depth) time for each space and each pair.
    """
    asked = combinations(range(len(spaces)), 2) if only is None else only
    pairs = {(i, j): _shared(spaces[i], spaces[j]) for i, j in asked}
    members = [space.columns % groups for space in spaces]
    ends = [[_reach(space, list_depth(k, space.n)) for k in ks] for space in spaces]
    of_row = np.arange(spaces[0].n) % groups

    def without(group: int) -> NDArray[np.float64]:
        """(pairs, ks); group -1 deletes nothing."""
        control.check()
        kept_rows = of_row != group
        # left[i][e]: how many edges before edge e are left.
        left = [np.concatenate([[0], np.cumsum(member != group, dtype=np.int64)]) for member in members]
        lengths = [
            [np.minimum(left[i][end] - left[i][space.starts[:-1]], k)[kept_rows].sum() for k, end in zip(ks, ends[i], strict=True)]
            for i, space in enumerate(spaces)
        ]
        values = np.empty((len(pairs), len(ks)))
        for at, ((i, j), shared) in enumerate(pairs.items()):
            kept = kept_rows[shared.rows] & (members[i][shared.edges_x] != group)
            rows, edges_x, edges_y = shared.rows[kept], shared.edges_x[kept], shared.edges_y[kept]
            left_x, left_y = _Left.of(spaces[i], left[i], rows, edges_x), _Left.of(spaces[j], left[j], rows, edges_y)
            for column, k in enumerate(ks):
                overlap = np.add.reduce(left_x.weights(k) * left_y.weights(k))
                length = 0.5 * (lengths[i][column] + lengths[j][column])
                values[at, column] = overlap / length if length else np.nan
        return values

    with ThreadPoolExecutor(max(1, threads)) as pool:
        results = np.array(list(pool.map(without, range(-1, groups))))
    return {pair: (results[0, at], results[1:, at].T) for at, pair in enumerate(pairs)}


@dataclass(frozen=True)
class _Shared:
    """Edges that two spaces share: their query, and where they stand in each space's lists."""

    rows: NDArray[np.int64]
    edges_x: NDArray[np.int64]
    edges_y: NDArray[np.int64]


def _shared(x: RankedLists, y: RankedLists) -> _Shared:
    at_x, at_y = shared_edges(x.sorted_keys, y.sorted_keys)
    return _Shared(x.sorted_keys[at_x] // x.n, x.sorted_edges[at_x], y.sorted_edges[at_y])


def _reach(space: RankedLists, depth: int) -> NDArray[np.int64]:
    """(n,) where each list ends for a k that reads `depth` places: after the run that holds the last of them."""
    last = np.minimum(space.starts[:-1] + depth, space.starts[1:]) - 1
    return np.asarray(space.run_end[last], dtype=np.int64)


@dataclass(frozen=True)
class _Left:
    """For chosen edges, what is left of their lists: items above the edge's run, items in the run, and the place where the run began."""

    above: NDArray[np.int64]
    tied: NDArray[np.int64]
    place: NDArray[np.int64]
    n: int

    @staticmethod
    def of(space: RankedLists, left: NDArray[np.int64], rows: NDArray[np.int64], edges: NDArray[np.int64]) -> "_Left":
        first = space.run_first[edges]
        start = space.starts[rows]
        before = left[first]
        return _Left(before - left[start], left[space.run_end[edges]] - before, first - start, space.n)

    def weights(self, k: int) -> NDArray[np.float64]:
        """The weight of each edge in the list of k."""
        weights: NDArray[np.float64] = np.clip((k - self.above) / self.tied, 0.0, 1.0)
        weights[self.place >= list_depth(k, self.n)] = 0.0
        return weights
