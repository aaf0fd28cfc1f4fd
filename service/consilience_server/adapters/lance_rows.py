"""Rows of a space in Lance: read in order, picked by id, appended, removed."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from lance import LanceDataset, LanceOperation
from lance.fragment import write_fragments
from numpy.typing import NDArray

from consilience_server.adapters.lance_files import STORAGE_VERSION
from consilience_server.adapters.space_columns import ID, VECTOR, vector_matrix
from consilience_server.core.errors import CorruptData

# Blocks that stay in the processor's cache on their way into the matrix: larger ones were slower.
_SCAN_ROWS = 2048
_SCAN_BUFFER_BYTES = 256 << 20
# Lance joins the ids to remove in memory; more at once would exceed its pool.
_REMOVE_IDS = 250_000


def stored_ids(dataset: Any) -> Any:
    """All ids in Lance's own row order; Arrow strings in chunks."""
    return dataset.scanner(columns=[ID], scan_in_order=True).to_table().column(ID)


def read_sorted(dataset: Any, dim: int, item_count: int) -> tuple[NDArray[np.object_], NDArray[np.float32]]:
    """All ids in byte order, and their vectors in one C-contiguous matrix; each vector is copied once, from Lance's buffer to its place.

    Returns:
        (n,) object array of str, (n, dim) float32.

    Raises:
        CorruptData: other rows than `item_count`, an id twice, or vectors of another width.
    """
    table = dataset.scanner(columns=[ID], scan_in_order=True, with_row_address=True).to_table()
    ids, addresses = table.column(ID), table.column("_rowaddr").to_numpy()
    if len(ids) != item_count:
        raise CorruptData(f"{len(ids):,} rows are stored where the catalog says {item_count:,}; restore the space from a backup")
    order = pc.sort_indices(ids).to_numpy()
    in_order = ids.take(pa.array(order))
    if item_count > 1 and pc.any(pc.equal(in_order[1:], in_order[:-1])).as_py():
        raise CorruptData("an item id is stored twice in one version; restore the space from a backup")
    place = np.empty(item_count, dtype=np.int64)
    place[order] = np.arange(item_count)
    vectors = np.empty((item_count, dim), dtype=np.float32)
    row = 0
    scanner = dataset.scanner(
        columns=[VECTOR], scan_in_order=True, with_row_address=True, batch_size=_SCAN_ROWS, io_buffer_size=_SCAN_BUFFER_BYTES
    )
    for batch in scanner.to_batches():
        until = row + batch.num_rows
        block = vector_matrix(batch.column(VECTOR))
        if block.shape[1] != dim or not np.array_equal(batch.column("_rowaddr").to_numpy(), addresses[row:until]):
            raise CorruptData("ids and vectors of one version do not fit each other; restore the space from a backup")
        vectors[place[row:until]] = block
        row = until
    if row != item_count:
        raise CorruptData(f"{row:,} vectors are stored for {item_count:,} ids; restore the space from a backup")
    return in_order.to_numpy(), vectors


def take_rows(dataset: Any, positions: NDArray[np.int64], columns: Sequence[str]) -> Any:
    """The rows at positions of `stored_ids`, in the order asked; an Arrow table of `columns`."""
    ascending = np.argsort(positions, kind="stable")
    table = dataset.take(positions[ascending].tolist(), columns=list(columns))
    back = np.empty(len(positions), dtype=np.int64)
    back[ascending] = np.arange(len(positions))
    return table.take(pa.array(back))


def find_ids(wanted: Any, stored: Any) -> NDArray[np.int64]:
    """Where each wanted id stands among the stored ones; (n,) int64, -1 where absent. Both are Arrow strings."""
    positions: NDArray[np.int64] = pc.fill_null(pc.index_in(wanted, value_set=stored), -1).to_numpy().astype(np.int64)
    return positions


def write_rows(directory: Path, schema: Any, batches: Iterable[Any]) -> list[Any]:
    """Write rows into new files that no version of the dataset refers to yet; returns their fragments.

    `batches` must not call Lance: it is read on one of Lance's own threads.
    """
    reader = pa.RecordBatchReader.from_batches(schema, batches)
    fragments: list[Any] = write_fragments(reader, str(directory), schema=schema, mode="append", data_storage_version=STORAGE_VERSION)
    return fragments


def append_fragments(directory: Path, dataset: Any, fragments: Sequence[Any]) -> Any:
    """Commit fragments to the dataset; returns it at its new Lance version."""
    return LanceDataset.commit(str(directory), LanceOperation.Append(list(fragments)), read_version=dataset.version)


def remove_ids(dataset: Any, ids: Any) -> None:
    """Remove the rows of these ids (Arrow strings, all present) from the dataset, in Lance versions of their own."""
    for start in range(0, len(ids), _REMOVE_IDS):
        part = pa.table({ID: ids[start : start + _REMOVE_IDS]})
        removed = dataset.merge_insert(ID).when_matched_delete().execute(part)["num_deleted_rows"]
        if removed != part.num_rows:
            raise CorruptData(f"{removed:,} rows were found for {part.num_rows:,} item ids; restore the space from a backup")


def fragmentation(dataset: Any) -> tuple[int, float]:
    """Fragments, and the share of their rows that are deleted, in [0, 1]."""
    fragments = [fragment.metadata for fragment in dataset.get_fragments()]
    rows = sum(fragment.physical_rows for fragment in fragments)
    deleted = sum(fragment.deletion_file.num_deleted_rows for fragment in fragments if fragment.deletion_file is not None)
    return len(fragments), deleted / rows if rows else 0.0
