"""What an upload changes, decided before anything is written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from consilience_server.adapters.lance_rows import find_ids, stored_ids, take_rows
from consilience_server.adapters.space_columns import ID, VECTOR, StoredColumn, same_bits, vector_matrix
from consilience_server.adapters.upload_staging import StagedRows
from consilience_server.core.errors import CorruptData


@dataclass(frozen=True)
class PlannedBatch:
    """One staged batch and what becomes of it.

    Attributes:
        staged: its rows.
        write: (rows,) bool, those to be written.
        carried: by attribute name, values that replaced items keep because the batch has no such column; null for new items.
    """

    staged: StagedRows
    write: NDArray[np.bool_]
    carried: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class UpsertPlan:
    """The whole upload; `replaced_ids` is Arrow strings."""

    batches: list[PlannedBatch]
    inserted: int
    replaced: int
    unchanged: int
    replaced_ids: Any


def plan_upsert(dataset: Any | None, columns: Sequence[StoredColumn], staged: Sequence[StagedRows]) -> UpsertPlan:
    """Compare an upload with what is stored, bit for bit.

    An item that is there is unchanged where its vector and all attributes that the batch carries equal the stored ones; columns that the
    batch does not carry keep their stored values.

    Args:
        dataset: the space now; None while it is empty and untouched.
        columns: the attributes stored now.
        staged: the upload, no id twice.
    """
    ids = pa.chunked_array([rows.ids for rows in staged], type=pa.string())
    if dataset is None:
        batches = [PlannedBatch(rows, np.ones(len(rows.ids), dtype=np.bool_)) for rows in staged]
        return UpsertPlan(batches, inserted=len(ids), replaced=0, unchanged=0, replaced_ids=ids[:0])
    positions = find_ids(ids, stored_ids(dataset))
    planned: list[PlannedBatch] = []
    replaced: list[Any] = []
    row = 0
    for rows in staged:
        until = row + len(rows.ids)
        batch, changed = _plan_batch(dataset, columns, rows, positions[row:until])
        planned.append(batch)
        replaced.append(rows.ids.filter(pa.array(changed)))
        row = until
    replaced_ids = pa.chunked_array(replaced, type=pa.string())
    found = int((positions >= 0).sum())
    return UpsertPlan(planned, len(ids) - found, len(replaced_ids), found - len(replaced_ids), replaced_ids)


def plan_replacement(plan: UpsertPlan) -> UpsertPlan:
    """The plan of an upload after which nothing else is there: every row is written, whatever is stored."""
    batches = [PlannedBatch(batch.staged, np.ones(len(batch.write), dtype=np.bool_), batch.carried) for batch in plan.batches]
    return UpsertPlan(batches, plan.inserted, plan.replaced, plan.unchanged, plan.replaced_ids[:0])


def _plan_batch(
    dataset: Any, columns: Sequence[StoredColumn], rows: StagedRows, positions: NDArray[np.int64]
) -> tuple[PlannedBatch, NDArray[np.bool_]]:
    """The plan of one batch, and its rows that replace stored ones, (rows,) bool."""
    present = positions >= 0
    if not present.any():
        return PlannedBatch(rows, np.ones(len(present), dtype=np.bool_)), present
    stored = take_rows(dataset, positions[present], [ID, VECTOR, *(column.column for column in columns)])
    mine = pa.array(np.flatnonzero(present))
    if not stored.column(ID).combine_chunks().equals(rows.ids.take(mine)):
        raise CorruptData("rows picked by position carry other ids; restore the space from a backup")
    old = vector_matrix(stored.column(VECTOR)).view(np.uint32)
    new = vector_matrix(rows.vectors)[present].view(np.uint32)
    # A kernel of more or fewer items has wider or narrower rows.
    same = (old == new).all(axis=1) if old.shape == new.shape else np.zeros(len(new), dtype=np.bool_)
    known = {column.name: column.column for column in columns}
    for name, values in rows.attributes.items():
        mine_now = values.take(mine)
        before = stored.column(known[name]).combine_chunks() if name in known else pa.nulls(len(mine), values.type)
        same &= same_bits(before, mine_now)
    changed = np.zeros(len(present), dtype=np.bool_)
    changed[present] = ~same
    spread = np.zeros(len(present), dtype=np.int64)
    spread[present] = np.arange(len(mine))
    back = pa.array(spread, mask=~present)
    carried = {
        column.name: stored.column(column.column).combine_chunks().take(back) for column in columns if column.name not in rows.attributes
    }
    return PlannedBatch(rows, ~present | changed, carried), changed


def rows_to_write(plan: UpsertPlan, columns: Sequence[StoredColumn], schema: Any) -> Iterator[Any]:
    """The rows that an upload adds or replaces, batch by batch, as `schema` has them; `columns` are those after the upload."""
    for batch in plan.batches:
        if not batch.write.any():
            continue
        arrays = [batch.staged.ids, batch.staged.vectors]
        for column in columns:
            values = batch.staged.attributes.get(column.name, batch.carried.get(column.name))
            arrays.append(pa.nulls(len(batch.write), schema.field(column.column).type) if values is None else values)
        table = pa.record_batch(arrays, schema=schema)
        yield table if batch.write.all() else table.filter(pa.array(batch.write))
