"""Parquet and Arrow IPC: a column of ids, a list column of vectors, the rest attributes; read batch by batch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consilience._batches import Block, RowSource, to_block
from consilience.errors import InvalidArgumentError, MissingExtraError
from consilience.ingest.columns import find_columns

_BLOCK_BYTES = 16 << 20


@dataclass(frozen=True)
class ArrowSource:
    """Rows of a dataset file; only the batch being sent is in memory."""

    dataset: Any
    id_column: str
    vector_column: str
    attribute_columns: list[str]
    rows: int
    dim: int

    @property
    def nbytes(self) -> int:
        """About the bytes of the vectors."""
        return self.rows * self.dim * 4

    def blocks(self, first_row: int) -> Iterator[Block]:
        """The rows from `first_row` on; batches before it are read and passed over."""
        columns = [self.id_column, self.vector_column, *self.attribute_columns]
        step = max(1, _BLOCK_BYTES // max(1, 4 * self.dim))
        passed = 0
        for batch in self.dataset.to_batches(columns=columns, batch_size=step, batch_readahead=1, fragment_readahead=1):
            skipped = min(max(first_row - passed, 0), batch.num_rows)
            passed += batch.num_rows
            if skipped < batch.num_rows:
                yield self._block(batch.slice(skipped))

    def _block(self, batch: Any) -> Block:
        attributes = {name: batch.column(name) for name in self.attribute_columns}
        return to_block(batch.column(self.id_column), batch.column(self.vector_column), attributes)


def open_arrow(path: Path, id_column: str, vector_column: str, attribute_columns: Sequence[str] | None) -> RowSource:
    """The rows of a file.

    Raises:
        InvalidArgumentError: unreadable, a column is missing, or the vectors are no list column of one width.
        MissingExtraError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.dataset as ds
    except ImportError as error:
        raise MissingExtraError(f"{path.suffix} files need pyarrow: pip install 'consilience[report]'", reason="EXTRA_MISSING") from error
    kind = "parquet" if path.suffix.lower() in {".parquet", ".pq"} else "ipc"
    try:
        dataset = ds.dataset(path, format=kind)
        ids, vectors, attributes = find_columns(dataset.schema.names, id_column, vector_column, attribute_columns)
        width = _width(dataset, vectors)
        rows = int(dataset.count_rows())
    except (pa.ArrowException, OSError) as error:
        raise InvalidArgumentError(f"{path.name} is no readable {kind} file: {error}", field="path") from error
    return ArrowSource(dataset, ids or "", vectors, attributes, rows, width)


def _width(dataset: Any, column: str) -> int:
    kind = dataset.schema.field(column).type
    if not hasattr(kind, "value_type"):
        raise InvalidArgumentError(
            f"column {column!r} is of type {kind}; vectors are a FixedSizeList or List of numbers", field="vector_column"
        )
    size = getattr(kind, "list_size", None)
    if size is not None:
        return int(size)
    first = dataset.head(1, columns=[column]).column(column)
    return len(first[0]) if len(first) else 0
