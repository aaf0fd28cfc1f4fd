"""Exact neighbours from a stored matrix: the backend of kernel spaces. Nothing is scanned; the entries are the scores.

The score of items i and j is the entry [i, j] in float64, of a dissimilarity its negative (`core/kernel_kind.py`). Order, ties, tails and
self-exclusion are those of `engine/protocol.py`, so every list metric reads the table as it reads any other.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.errors import InvalidK, ShapeMismatch
from consilience_server.core.kernel_kind import KernelKind, nearness
from consilience_server.engine.neighbour_table import ExactNeighbourTable, RowTail, collect_tails, table_depth, tail_limit
from consilience_server.engine.protocol import Certificate

_TILE_SCORES = 1 << 22
"""float64 scores held at once."""

_COPIES = 5
"""Arrays of a tile's size held at once."""

BACKEND = "precomputed"


def kernel_join(
    matrix: NDArray[np.float32],
    kind: KernelKind,
    k_max: int,
    *,
    queries: NDArray[np.int64] | None = None,
    tie_keys: NDArray[np.uint64],
    control: Control,
) -> ExactNeighbourTable:
    """All items, or some of them, against all others: what alignments read.

    Args:
        matrix: (n, n) float32, finite, symmetric.
        kind: what its entries are.
        k_max: 1 <= k_max <= n - 1.
        queries: (m,) rows that are asked; None asks all.
        tie_keys: (n,) uint64 order of tied groups that outgrow the table.
        control: cancellation and progress.

    Raises:
        ShapeMismatch: the matrix is not square, or `tie_keys` do not fit.
        InvalidK: `k_max` outside its range.

    Cost:
        O(n^2) time, `kernel_join_bytes` of memory beside the matrix.
    """
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ShapeMismatch(f"a kernel of shape {matrix.shape} is not square", field="matrix")
    if queries is not None:
        return _table(matrix[queries], queries, kind, k_max, None, tie_keys, control, self_join=False)
    return _table(matrix, np.arange(len(matrix)), kind, k_max, None, tie_keys, control, self_join=True)


def kernel_query(
    rows: NDArray[np.float32],
    own: NDArray[np.int64],
    kind: KernelKind,
    k_max: int,
    *,
    bias: NDArray[np.float64] | None = None,
    control: Control,
) -> ExactNeighbourTable:
    """Some items of a kernel space against all others; equal scores go by row.

    Args:
        rows: (m, n) float32, the rows of the items asked.
        own: (m,) int64, the row that each is: an item is not its own neighbour.
        kind: what the entries are.
        k_max: 1 <= k_max <= n - 1.
        bias: (n,) float64 subtracted from twice the score, as in `NeighbourEngine.query`.
        control: cancellation and progress.

    Raises:
        ShapeMismatch, InvalidK: as `kernel_join`.
    """
    return _table(rows, own, kind, k_max, bias, None, control, self_join=False)


def kernel_join_bytes(m: int, n: int, k_max: int) -> int:
    """Peak bytes of either beyond the matrix: m items asked, n in the space."""
    return 4 * m * n * (m < n) + 12 * m * table_depth(k_max, n) + _COPIES * 8 * max(n, min(m * n, _TILE_SCORES))


def _table(
    rows: NDArray[np.float32],
    own: NDArray[np.int64],
    kind: KernelKind,
    k_max: int,
    bias: NDArray[np.float64] | None,
    tie_keys: NDArray[np.uint64] | None,
    control: Control,
    *,
    self_join: bool,
) -> ExactNeighbourTable:
    m, n = rows.shape
    for name, array, length in (("own", own, m), ("bias", bias, n), ("tie_keys", tie_keys, n)):
        if array is not None and array.shape != (length,):
            raise ShapeMismatch(f"{name} has the shape {array.shape}, but ({length},) is needed", field=name)
    if not 1 <= k_max <= n - 1:
        raise InvalidK(
            f"k = {k_max}, but k must be between 1 and {n - 1}, the number of items to choose from", field="k", k=k_max, limit=n - 1
        )
    depth = table_depth(k_max, n - 1)
    indices, scores = np.empty((m, depth), dtype=np.int32), np.empty((m, depth))
    tails: list[RowTail] = []
    step = max(1, _TILE_SCORES // n)
    for start in range(0, m, step):
        control.check()
        tile = slice(start, min(start + step, m))
        values = nearness(rows[tile], kind)
        values = values.copy() if bias is None else 2.0 * values - bias
        values[np.arange(len(values)), own[tile]] = -np.inf
        indices[tile], scores[tile], found = _ranked(values, k_max, depth, tie_keys)
        tails += [RowTail(start + tail.row, tail.items, tail.beyond, tail.ordered) for tail in found]
        control.progress(tile.stop / m)
    certificate = Certificate("float32", 0.0, m, 0, 0, BACKEND)
    return ExactNeighbourTable(indices, scores, collect_tails(m, tails), k_max, n, self_join, certificate)


def _ranked(
    values: NDArray[np.float64], k_max: int, depth: int, tie_keys: NDArray[np.uint64] | None
) -> tuple[NDArray[np.int32], NDArray[np.float64], list[RowTail]]:
    """The `depth` best of each row by descending value, equal values by ascending column, and what ties with the last beyond."""
    m, n = values.shape
    last = np.partition(values, n - depth, axis=1)[:, n - depth]
    lines, columns = np.nonzero(values >= last[:, None])
    found = values[lines, columns]
    order = np.lexsort((columns, -found, lines))
    lines, columns, found = lines[order], columns[order], found[order]
    ends = np.searchsorted(lines, np.arange(m + 1))
    places = ends[:-1, None] + np.arange(depth)
    indices, scores = columns[places].astype(np.int32), found[places]
    reached = (np.diff(ends) > depth) & (scores[:, k_max - 1] == last)
    return indices, scores, list(_tails(np.flatnonzero(reached), columns, found, ends, last, n, k_max, depth, tie_keys))


def _tails(
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    found: NDArray[np.float64],
    ends: NDArray[np.int64],
    last: NDArray[np.float64],
    n: int,
    k_max: int,
    depth: int,
    tie_keys: NDArray[np.uint64] | None,
) -> Iterator[RowTail]:
    """The tails of `rows`; every line of candidates ends with the whole group that ties with its last place."""
    limit = tail_limit(n)
    for row in rows:
        line = slice(int(ends[row]), int(ends[row + 1]))
        beyond = line.stop - line.start - depth
        if beyond <= limit:
            yield RowTail(int(row), columns[line.start + depth : line.stop].astype(np.int32), beyond, ordered=False)
            continue
        group = columns[line][found[line] == last[row]]
        above = line.stop - line.start - len(group)
        by_key = group if tie_keys is None else group[np.lexsort((group, tie_keys[group]))]
        yield RowTail(int(row), by_key[: k_max - above].astype(np.int32), beyond, ordered=True)
