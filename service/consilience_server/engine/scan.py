"""The contract between the exact engine and whatever proposes candidates: a float32 scan of a whole gallery."""

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
    """

    values: NDArray[np.float32]
    rows: NDArray[np.int64]
    ceiling: NDArray[np.float32]


class Scan(Protocol):
    """Finds large float32 inner products.

    The arithmetic must keep to float32: products exact or rounded to float32, sums rounded to float32 in any order, fused or not, as the
    bound of `scan_form.py` assumes. No TF32, no half precision. Thread-safe.
    """

    @property
    def backend(self) -> str:
        """`faiss-cpu`, `faiss-gpu`."""
        ...

    @property
    def device(self) -> str:
        """`cpu`, or the CUDA device's name."""
        ...

    @property
    def concurrent_tiles(self) -> int:
        """How many calls of `propose` at once serve a large search best."""
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
