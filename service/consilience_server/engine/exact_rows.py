"""Rows that a scan could not prove, done again so that they are: by threshold, on distinct vectors only.

The last value of such a row's first ranking is a lower bound of the true one. A float32 product with the whole gallery gives an upper bound
of every value (`scan_form.py`), and whatever reaches the threshold is scored exactly: this finds all ties, however many. Identical vectors
are scored once and identical queries are answered once, so copies and one-hot codes cost no more than their distinct vectors.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.engine.identical_rows import IdenticalRows, group_identical_rows
from consilience_server.engine.neighbour_table import RowTail, tail_limit
from consilience_server.engine.rerank import Gallery, exact_rank_values
from consilience_server.engine.scan_form import proven, query_form

TILE_SCORES = 1 << 21
"""float32 upper bounds held at once."""

_PAIRS_PER_CHECK = 1 << 16


@dataclass(frozen=True)
class RefinedRow:
    """One row of the table, exact.

    Attributes:
        row: position among the rows asked for.
        indices: (depth,) int32.
        scores: (depth,) float64.
        tail: what ties with the last place beyond, None where nothing does or no k reaches it. Its `row` is `row`.
    """

    row: int
    indices: NDArray[np.int32]
    scores: NDArray[np.float64]
    tail: RowTail | None


@dataclass(frozen=True)
class _Line:
    """All items that may stand in the rows of one distinct query, by descending value, equal values by ascending item."""

    items: NDArray[np.int64]
    values: NDArray[np.float64]


class ExactRows:
    """Refines rows against one gallery; the grouping of its vectors is made once.

    Args:
        gallery: what is searched.
        k_max: the largest k that will be asked.
        depth: columns of the table.
        limit: members of a tied group that a row may keep beyond its columns (`neighbour_table.tail_limit`).
        tie_keys: (n,) uint64 order of groups beyond the limit; None orders them by row.
        threads: threads for the exact scores.
    """

    def __init__(self, gallery: Gallery, k_max: int, depth: int, limit: int, tie_keys: NDArray[np.uint64] | None, threads: int) -> None:
        self._gallery = gallery
        self._k_max = k_max
        self._depth = depth
        self._limit = limit
        self._tie_keys = tie_keys
        self._threads = threads
        self._groups = group_identical_rows(gallery.vectors, gallery.bias)
        first, columns = self._groups.first, gallery.form.columns
        self._columns = columns if len(first) == len(columns) else columns[first]
        self.exact_dots = 0

    def refine(
        self, queries: NDArray[np.float32], reached: NDArray[np.float64], exclude: NDArray[np.int64] | None, control: Control
    ) -> Iterator[RefinedRow]:
        """Refine rows, in no particular order.

        Args:
            queries: (m, d) float32, the raw queries of the rows.
            reached: (m,) float64, a value that `depth` items of each row are known to reach.
            exclude: (m,) gallery row to leave out of each row, -1 for none; None where there is none at all.
            control: checked at least once a second.
        """
        distinct = group_identical_rows(queries)
        # One place more where each row leaves its own item out.
        needed = self._depth + (exclude is not None)
        step = max(1, TILE_SCORES // len(self._columns))
        for start in range(0, len(distinct.first), step):
            control.check()
            tile = np.arange(start, min(start + step, len(distinct.first)))
            threshold = np.minimum.reduceat(reached[distinct.members], distinct.indptr[:-1])[tile]
            for position, line in self._lines(queries[distinct.first[tile]], threshold, needed, control):
                group = start + position
                finish = _Finish(line, self._k_max, self._depth, self._limit, self._tie_keys)
                for row in distinct.members[distinct.indptr[group] : distinct.indptr[group + 1]]:
                    control.check()
                    yield finish(int(row), -1 if exclude is None else int(exclude[row]))

    def _lines(
        self, queries: NDArray[np.float32], threshold: NDArray[np.float64], needed: int, control: Control
    ) -> Iterator[tuple[int, _Line]]:
        """The line of each of `queries`, in order, down to the `needed`-th place."""
        form = query_form(queries, self._gallery.form)
        bounds = proven(form.columns @ self._columns.T)
        query_rows, groups = np.nonzero(bounds >= form.least(threshold)[:, None])
        values = np.empty(len(query_rows))
        for start in range(0, len(values), _PAIRS_PER_CHECK):
            control.check()
            block = slice(start, start + _PAIRS_PER_CHECK)
            values[block] = exact_rank_values(
                queries, form.norms, self._gallery, query_rows[block], self._groups.first[groups[block]], self._threads
            )
        self.exact_dots += len(values)
        ends = np.searchsorted(query_rows, np.arange(len(queries) + 1))
        for position in range(len(queries)):
            own = slice(ends[position], ends[position + 1])
            yield position, _expand(self._groups, groups[own], values[own], needed)


def _expand(groups: IdenticalRows, chosen: NDArray[np.int64], values: NDArray[np.float64], needed: int) -> _Line:
    """The items of the `chosen` groups down to the `needed`-th place, and all that tie with it."""
    order = np.argsort(-values, kind="stable")
    filled = np.cumsum(groups.sizes[chosen[order]])
    last = values[order[min(int(np.searchsorted(filled, needed)), len(order) - 1)]]
    kept = order[values[order] >= last]
    sizes = groups.sizes[chosen[kept]]
    starts = np.repeat(groups.indptr[chosen[kept]] - (np.cumsum(sizes) - sizes), sizes)
    items = groups.members[starts + np.arange(len(starts))]
    item_values = np.repeat(values[kept], sizes)
    line = np.lexsort((items, -item_values))
    return _Line(items[line], item_values[line])


class _Finish:
    """Makes the rows of one line, each without its own excluded item."""

    def __init__(self, line: _Line, k_max: int, depth: int, limit: int, tie_keys: NDArray[np.uint64] | None) -> None:
        self._items = line.items
        self._values = line.values
        self._descending = -line.values
        self._by_item = np.argsort(line.items)
        self._k_max = k_max
        self._depth = depth
        self._limit = limit
        self._tie_keys = tie_keys
        self._by_key: dict[int, NDArray[np.int64]] = {}

    def __call__(self, row: int, excluded: int) -> RefinedRow:
        gone = self._position(excluded)
        end = self._depth + (gone < self._depth)
        top = np.arange(end)
        top = top[top != gone]
        scores = self._values[top]
        last = scores[-1]
        tail = None
        if scores[self._k_max - 1] == last:
            low, high = self._span(last)
            beyond = high - end - (gone >= end and gone < high)
            if beyond > self._limit:
                above = low - (gone < low)
                tail = RowTail(row, self._first_by_key(low, high, self._k_max - above, excluded), beyond, ordered=True)
            elif beyond > 0:
                members = self._items[end:high]
                tail = RowTail(row, members[members != excluded].astype(np.int32), beyond, ordered=False)
        return RefinedRow(row, self._items[top].astype(np.int32), scores, tail)

    def _span(self, value: float) -> tuple[int, int]:
        """First place and end of the group that has this value."""
        return int(np.searchsorted(self._descending, -value)), int(np.searchsorted(self._descending, -value, side="right"))

    def _position(self, item: int) -> int:
        """Place of `item` in the line, beyond its end where it is not there."""
        place = int(np.searchsorted(self._items, item, sorter=self._by_item)) if item >= 0 else len(self._items)
        if place == len(self._items) or self._items[self._by_item[place]] != item:
            return len(self._items)
        return int(self._by_item[place])

    def _first_by_key(self, low: int, high: int, count: int, excluded: int) -> NDArray[np.int32]:
        """The first `count` items of the group by tie key, the excluded one left out."""
        if low not in self._by_key:
            members = self._items[low:high]
            self._by_key[low] = members if self._tie_keys is None else members[np.lexsort((members, self._tie_keys[members]))]
        chosen = self._by_key[low][: count + 1]
        first: NDArray[np.int32] = chosen[chosen != excluded][:count].astype(np.int32)
        return first


def redo_rows(
    rows: NDArray[np.int64],
    queries: NDArray[np.float32],
    gallery: Gallery,
    k_max: int,
    exclude: NDArray[np.int64] | None,
    tie_keys: NDArray[np.uint64] | None,
    indices: NDArray[np.int32],
    scores: NDArray[np.float64],
    threads: int,
    control: Control,
) -> tuple[list[RowTail], int]:
    """Do chosen rows of a table anew, in place.

    Args:
        rows: (r,) positions in the table; none costs nothing.
        queries: (m, d) float32, raw.
        gallery: what is searched.
        k_max: the largest k that will be asked.
        exclude: (m,) gallery row to leave out of each row, or None.
        tie_keys: (n,) uint64 order of tied groups that outgrow the table, or None for order by row.
        indices: (m, depth) int32, written at `rows`.
        scores: (m, depth) float64, whose last column holds, for each of `rows`, a value that `depth` items are known to reach; written.
        threads: threads for the exact scores.
        control: cancellation, and progress from .9 to 1.

    Returns:
        The tails of these rows and the number of exact scores computed.
    """
    tails: list[RowTail] = []
    if not len(rows):
        return tails, 0
    refiner = ExactRows(gallery, k_max, indices.shape[1], tail_limit(len(gallery.vectors)), tie_keys, threads)
    own = None if exclude is None else exclude[rows]
    for done, refined in enumerate(refiner.refine(queries[rows], scores[rows, -1], own, control)):
        row = int(rows[refined.row])
        indices[row], scores[row] = refined.indices, refined.scores
        if refined.tail is not None:
            tails.append(RowTail(row, refined.tail.items, refined.tail.beyond, refined.tail.ordered))
        control.progress(0.9 + 0.1 * (done + 1) / len(rows))
    return tails, refiner.exact_dots
