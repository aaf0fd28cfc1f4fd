"""Candidates from FAISS's flat scan on the CPU."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.engine.blas import load_faiss
from consilience_server.engine.scan import Proposals, merge_proposals
from consilience_server.engine.threads import size_openmp_team

_LEAST_ROWS = 1 << 14
_PART_PRODUCTS = 1 << 27
"""Multiplications of one query with one part of the gallery: a tile of 64 queries takes well under a second."""


class FaissCpuScan:
    """FAISS's brute-force inner product straight on the prepared columns: no index, no second copy."""

    def __init__(self, threads: int) -> None:
        self._faiss = load_faiss()
        self._threads = threads

    @property
    def backend(self) -> str:
        """Name of the backend."""
        return "faiss-cpu"

    @property
    def scan_dtype(self) -> str:
        """What it scans in."""
        return "float32"

    @property
    def device(self) -> str:
        """Name of the device."""
        return "cpu"

    @property
    def concurrent_tiles(self) -> int:
        """One for each thread: single-threaded products side by side need no barriers."""
        return self._threads

    def held_bytes(self, n: int, d: int) -> int:  # noqa: ARG002 - as in `Scan`
        """Nothing: it searches the columns themselves."""
        return 0

    @property
    def tile_bytes(self) -> int:
        """Nothing beyond a block of products."""
        return 0

    def load(self, columns: NDArray[np.float32]) -> Any:
        """The columns themselves."""
        return columns

    def propose(self, loaded: Any, queries: NDArray[np.float32], count: int, threads: int, control: Control) -> Proposals:
        """As in `Scan`; exactly `count` rows, or all."""
        size_openmp_team(threads)
        columns: NDArray[np.float32] = loaded
        n, width = columns.shape
        step = max(_LEAST_ROWS, _PART_PRODUCTS // width)
        parts = []
        for start in range(0, n, step):
            control.check()
            part = columns[start : start + step]
            kept = min(count, len(part))
            values, rows = self._faiss.knn(queries, part, kept, metric=self._faiss.METRIC_INNER_PRODUCT)
            ceiling = np.full(len(queries), -np.inf, dtype=np.float32) if kept == len(part) else values.min(axis=1)
            parts.append(Proposals(values, rows + start, ceiling))
        return merge_proposals(parts, count)
