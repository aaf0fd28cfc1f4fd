"""`.npy`: one (n, d) array, memory-mapped, with its ids beside it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience._batches import Block, RowSource, to_block
from consilience.errors import InvalidArgumentError
from consilience.ingest.columns import read_ids

_BLOCK_BYTES = 16 << 20


@dataclass(frozen=True)
class NpySource:
    """Rows of a memory-mapped array; only the block being sent is in memory."""

    array: NDArray[Any]
    ids: list[str]

    @property
    def rows(self) -> int:
        """How many rows."""
        return len(self.ids)

    @property
    def dim(self) -> int:
        """Width of the vectors."""
        return int(self.array.shape[1])

    @property
    def nbytes(self) -> int:
        """Bytes of the vectors."""
        return int(self.array.nbytes)

    def blocks(self, first_row: int) -> Iterator[Block]:
        """The rows from `first_row` on, some megabytes at a time."""
        step = max(1, _BLOCK_BYTES // max(1, self.array.itemsize * self.dim))
        for start in range(first_row, self.rows, step):
            yield to_block(self.ids[start : start + step], self.array[start : start + step])


def open_npy(path: Path, ids: Any) -> RowSource:
    """The rows of a file; InvalidArgumentError where it holds no (n, d) array of numbers, or n differs from the number of ids."""
    names = read_ids(ids)
    array = load_npy(path)
    if array.ndim != 2:
        raise InvalidArgumentError(
            f"{path.name} holds an array of shape {array.shape}; it must be (n, d)", reason="SHAPE_MISMATCH", field="path"
        )
    if len(array) != len(names):
        raise InvalidArgumentError(
            f"{path.name} has {len(array):,} rows, {len(names):,} ids were given", reason="SHAPE_MISMATCH", field="ids"
        )
    return NpySource(array, names)


def load_npy(path: Path) -> NDArray[Any]:
    """A file's array, memory-mapped; pickled objects are refused."""
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InvalidArgumentError(f"{path.name} is no readable .npy file: {error}", field="path") from error
    return array
