"""The contract between the exact engine and whatever proposes candidates: a scan of a whole gallery."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control


@dataclass(frozen=True)
class Proposals:
    """The best scanned values of each query.

    Attributes:
        values: (m, c) float32, in no promised order.
        rows: (m, c) int64 gallery rows, none twice in a line.
        ceiling: (m,) float32, which no value of a row that is not proposed exceeds; -infinity where all are.
        margin: by how much an upper bound that chose the rows may exceed T, for any query; 0 where `values` themselves chose them.
    """

    values: NDArray[np.float32]
    rows: NDArray[np.int64]
    ceiling: NDArray[np.float32]
    margin: float = 0.0


class Scan(Protocol):
    """Finds large float32 inner products.

    The values it proposes must keep to float32: products exact or rounded to float32, sums rounded to float32 in any order, fused or not,
    as the bound of `scan_form.py` assumes. Whatever else it chooses rows by must be an upper bound of T. Thread-safe.
    """

    @property
    def backend(self) -> str:
        """`faiss-cpu`, `faiss-gpu`, `torch`."""
        ...

    @property
    def scan_dtype(self) -> str:
        """The arithmetic that chooses rows: `float32`, `float16`."""
        ...

    @property
    def device(self) -> str:
        """`cpu`, or the CUDA device's name."""
        ...

    @property
    def concurrent_tiles(self) -> int:
        """How many calls of `propose` at once serve a large search best."""
        ...

    def held_bytes(self, n: int, d: int) -> int:
        """Bytes of the CPU's memory that a loaded gallery of n vectors of width d takes beside its columns."""
        ...

    @property
    def tile_bytes(self) -> int:
        """Bytes of the CPU's memory that one call of `propose` takes at most, beyond what it returns and a block of products."""
        ...

    def load(self, columns: NDArray[np.float32]) -> Any:
        """Make a gallery (n, D) float32 ready for `propose`; what it holds on a device is freed with the returned value."""
        ...

    def propose(self, loaded: Any, queries: NDArray[np.float32], count: int, threads: int, control: Control) -> Proposals:
        """Propose `count` gallery rows or more (at most all) for each of `queries`.

        Args:
            loaded: what `load` returned.
            queries: (m, D) float32.
            count: rows wanted for each query.
            threads: threads of the CPU that this call may keep busy.
            control: checked at least once a second.
        """
        ...


def merge_proposals(parts: list[Proposals], count: int) -> Proposals:
    """One answer from the answers of consecutive parts of a gallery (rows already counted from its start)."""
    if len(parts) == 1:
        return parts[0]
    values = np.concatenate([part.values for part in parts], axis=1)
    rows = np.concatenate([part.rows for part in parts], axis=1)
    ceiling = np.max([part.ceiling for part in parts], axis=0)
    if values.shape[1] > count:
        best = np.argpartition(-values, count - 1, axis=1)[:, :count]
        values, rows = np.take_along_axis(values, best, axis=1), np.take_along_axis(rows, best, axis=1)
        ceiling = np.maximum(ceiling, values.min(axis=1))
    return Proposals(values, rows, ceiling)
