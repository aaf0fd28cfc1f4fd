"""A table after items were inserted, without searching anew what is known: O(m n d) for m new items, not O(n^2 d).

New items ask the whole gallery, old items ask the new ones only; lists are merged by score, then row. Rows whose ties cannot be told from
what is known (tied groups in the order of keys, or groups among the new items that outgrow what was asked) are searched again. The result
equals the table that `NeighbourEngine.self_join` makes of all vectors, to the byte.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.errors import ShapeMismatch
from consilience_server.core.similarity import Similarity
from consilience_server.engine.neighbour_table import ExactNeighbourTable, RowTail, collect_tails, table_depth, tail_limit
from consilience_server.engine.protocol import Certificate, NeighbourEngine


def extend_table(
    table: ExactNeighbourTable,
    vectors: NDArray[np.float32],
    rows: NDArray[np.int64],
    similarity: Similarity,
    *,
    engine: NeighbourEngine,
    tie_keys: NDArray[np.uint64],
    control: Control,
) -> ExactNeighbourTable:
    """The self-join of `vectors`, made from that of some of them.

    Args:
        table: self-join of `vectors[rows]`, made with the same similarity and their tie keys.
        vectors: (n, d) float32, old and new items.
        rows: (n_old,) int64, strictly ascending: where each item of the old table stands now.
        similarity: how nearness is measured.
        engine: searches.
        tie_keys: (n,) uint64 of all items.
        control: cancellation and progress.

    Returns:
        The table for the same k_max.

    Raises:
        ShapeMismatch: if `rows` do not fit the table and the vectors.
        Cancelled: within a second of `control.cancel()`.
    """
    n, old = len(vectors), len(rows)
    if old != len(table.indices) or (old and (rows[0] < 0 or rows[-1] >= n or bool((np.diff(rows) <= 0).any()))):
        raise ShapeMismatch(f"{old} ascending rows of {n} vectors are needed for a table of {len(table.indices)}", field="rows")
    k_max, depth = table.k_max, table_depth(table.k_max, n - 1)
    inserted = np.setdiff1d(np.arange(n), rows)
    if not len(inserted):
        return table
    if table.indices.shape[1] < depth:
        # The old gallery was too small for all columns: what lies beyond was never asked.
        return _exact(engine.self_join(vectors, similarity, k_max, tie_keys=tie_keys, control=control))
    fresh = _exact(
        engine.query(vectors[inserted], vectors, similarity, k_max, exclude=inserted, tie_keys=tie_keys, control=control.part(0.0, 0.5))
    )
    among = min(depth, len(inserted))
    near = _exact(engine.query(vectors[rows], vectors[inserted], similarity, among, control=control.part(0.5, 0.9)))
    indices, scores = np.empty((n, depth), dtype=np.int32), np.empty((n, depth))
    indices[inserted], scores[inserted] = fresh.indices, fresh.scores
    merged_items = np.concatenate([rows[table.indices], inserted[near.indices]], axis=1)
    merged_scores = np.concatenate([table.scores, near.scores], axis=1)
    order = np.lexsort((merged_items, -merged_scores), axis=1)
    merged_items, merged_scores = np.take_along_axis(merged_items, order, axis=1), np.take_along_axis(merged_scores, order, axis=1)
    indices[rows], scores[rows] = merged_items[:, :depth], merged_scores[:, :depth]

    last = merged_scores[:, depth - 1]
    reached = merged_scores[:, k_max - 1] == last
    whole = near.indices.shape[1] == len(inserted)
    unclear = reached & ((table.tails.ordered & (table.scores[:, -1] == last)) | (~np.bool_(whole) & (near.scores[:, -1] == last)))
    tails = [replace(tail, row=int(inserted[tail.row])) for tail in _row_tails(fresh)]
    limit = tail_limit(n)
    for row in np.flatnonzero(reached & ~unclear):
        beyond = merged_items[row, depth:][merged_scores[row, depth:] == last[row]]
        if table.scores[row, -1] == last[row]:
            kept = table.tails.items[table.tails.indptr[row] : table.tails.indptr[row + 1]]
            beyond = np.concatenate([beyond, rows[kept]])
        if len(beyond) > limit:
            unclear[row] = True
        elif len(beyond):
            tails.append(RowTail(int(rows[row]), np.sort(beyond).astype(np.int32), len(beyond), ordered=False))
    again = rows[unclear]
    certificates = [table.certificate, fresh.certificate, near.certificate]
    if len(again):
        redone = _exact(
            engine.query(vectors[again], vectors, similarity, k_max, exclude=again, tie_keys=tie_keys, control=control.part(0.9, 1.0))
        )
        indices[again], scores[again] = redone.indices, redone.scores
        tails += [replace(tail, row=int(again[tail.row])) for tail in _row_tails(redone)]
        certificates.append(redone.certificate)
    control.progress(1.0)
    return ExactNeighbourTable(indices, scores, collect_tails(n, tails), k_max, n, True, _together(certificates, n))


def _together(parts: list[Certificate], rows: int) -> Certificate:
    """One certificate of rows that were proven in several searches: refined counts every search that had to refine a row."""
    refined = min(rows, sum(part.refined_rows for part in parts))
    return Certificate(
        parts[1].scan_dtype,
        max(part.error_bound for part in parts),
        rows - refined,
        refined,
        sum(part.exact_dots for part in parts),
        parts[1].backend,
    )


def _row_tails(table: ExactNeighbourTable) -> list[RowTail]:
    tails = table.tails
    return [
        RowTail(int(row), tails.items[tails.indptr[row] : tails.indptr[row + 1]], int(tails.beyond[row]), bool(tails.ordered[row]))
        for row in np.flatnonzero(tails.beyond)
    ]


def _exact(table: object) -> ExactNeighbourTable:
    if not isinstance(table, ExactNeighbourTable):
        raise TypeError(f"an ExactNeighbourTable can be extended, not a {type(table).__name__}")
    return table
