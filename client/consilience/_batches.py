"""Uploads cut by bytes: what is sent, where it is cut, and how long it may take."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from consilience._attributes import Column, to_columns
from consilience._convert import Vectors, to_ids, to_vectors
from consilience._results.server_info import Limits
from consilience._wire import upload_batch
from consilience.errors import InvalidArgumentError

_DEFAULT_BATCH_BYTES = 4 << 20
_SLOWEST_BYTES_PER_SECOND = 2e6
_ID_OVERHEAD = 6


@dataclass(frozen=True)
class Block:
    """Rows in memory: ids, vectors and attribute columns of one length."""

    ids: Sequence[str]
    vectors: Vectors
    columns: Sequence[Column]

    def __len__(self) -> int:
        return len(self.ids)

    def rows_from(self, start: int) -> "Block":
        """The rows from `start` on."""
        count = len(self)
        columns = [column.rows(start, count) for column in self.columns]
        return Block(self.ids[start:], self.vectors.rows(start, count), columns) if start else self


class RowSource(Protocol):
    """Rows to upload, readable from any row on, so that a broken upload can go on where it stopped."""

    @property
    def rows(self) -> int:
        """How many rows; 0 where that is not known before the end."""
        ...

    @property
    def dim(self) -> int:
        """Width of the vectors."""
        ...

    @property
    def nbytes(self) -> int:
        """About how many bytes."""
        ...

    def blocks(self, first_row: int) -> Iterator[Block]:
        """The rows from `first_row` on."""
        ...


@dataclass(frozen=True)
class ArraySource:
    """Rows that are in memory whole."""

    block: Block

    @property
    def rows(self) -> int:
        """How many rows."""
        return len(self.block)

    @property
    def dim(self) -> int:
        """Width of the vectors."""
        return self.block.vectors.columns

    @property
    def nbytes(self) -> int:
        """Bytes of the vectors."""
        return int(self.block.vectors.data.nbytes)

    def blocks(self, first_row: int) -> Iterator[Block]:
        """The rest in one block."""
        if first_row < len(self.block):
            yield self.block.rows_from(first_row)


def to_block(ids: Any, vectors: Any, attributes: Any = None) -> Block:
    """What a caller gave, checked against each other.

    Raises:
        InvalidArgumentError: numbers of rows differ, or anything that `_convert` and `_attributes` refuse.
    """
    names, matrix = to_ids(ids), to_vectors(vectors)
    if len(names) != len(matrix):
        raise InvalidArgumentError(
            f"{len(names):,} ids came with {len(matrix):,} vectors; give one a row", reason="SHAPE_MISMATCH", field="ids"
        )
    return Block(names, matrix, to_columns(attributes, len(names)))


def encoded(source: RowSource, first_row: int, limits: Limits) -> Iterator[tuple[bytes, int]]:
    """The rows from `first_row` on as encoded requests, each with the number of its rows.

    No request exceeds the server's batch size, unless a single row does; the server then refuses that row with its limit.
    """
    most_bytes = limits.upload_batch_bytes or _DEFAULT_BATCH_BYTES
    most_rows = limits.max_items_per_message or np.iinfo(np.int64).max
    for block in source.blocks(first_row):
        for start, stop in cuts(_row_bytes(block), most_bytes, most_rows):
            yield upload_batch(block.ids, block.vectors, block.columns, start, stop), stop - start


def cuts(row_bytes: NDArray[np.int64], most_bytes: int, most_rows: int) -> Iterator[tuple[int, int]]:
    """Ranges [start, stop) of consecutive rows, as long as fit the limits, at least one row each."""
    ends = np.cumsum(row_bytes)
    start, count = 0, len(row_bytes)
    while start < count:
        before = int(ends[start - 1]) if start else 0
        stop = int(np.searchsorted(ends, before + most_bytes, side="right"))
        stop = min(max(stop, start + 1), start + most_rows, count)
        yield start, stop
        start = stop


def cuts_of_rows(vectors: Vectors, limits: Limits) -> Iterator[tuple[int, int]]:
    """The same for rows without ids."""
    sizes = np.full(len(vectors), vectors.columns * vectors.data.itemsize, dtype=np.int64)
    return cuts(sizes, limits.upload_batch_bytes or _DEFAULT_BATCH_BYTES, limits.max_items_per_message or np.iinfo(np.int64).max)


def upload_seconds(timeout: float, nbytes: int) -> float:
    """The default time of an upload: that of a call, and what its bytes take over a slow line (2 MB/s)."""
    return timeout + nbytes / _SLOWEST_BYTES_PER_SECOND


def _row_bytes(block: Block) -> NDArray[np.int64]:
    """An upper bound of each row's encoded size."""
    sizes = np.fromiter((len(item.encode()) + _ID_OVERHEAD for item in block.ids), dtype=np.int64, count=len(block))
    sizes += block.vectors.columns * block.vectors.data.itemsize
    for column in block.columns:
        sizes += column.value_bytes() + _ID_OVERHEAD
    return sizes
