"""The contract of exact neighbours. Every convention of the engine is written here, and only here.

**Score.** `core/exact_score.py` defines it: for float32 vectors, float64 products (exact) summed in one fixed order: 64 interleaved lanes
(lane l takes positions l, l + 64, l + 128, ... one after the other, starting from +0.0), then the lanes are halved pairwise (l with l + 32,
l + 16, ..., l + 1). cosine = dot / (norm_q * norm_x) with norm = sqrt(dot(x, x)); inner product = dot; squared L2 = -(the same sum over the
float64 (q - x)^2). Never BLAS, never fused multiply-add where a product is inexact. **Larger is nearer in all three.**

**Order.** Descending score; equal scores by ascending gallery row. **Self** is excluded in a self-join by position, never by value.
**Padding** does not exist: k < gallery size (k <= gallery size where self is not excluded) is checked before the work.
**Indices** are int32 positions in the gallery; ids are somebody else's job. **Results never depend** on tiles, threads, backend or device.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.neighbour_sets import NeighbourSets
from consilience_server.core.similarity import Similarity

ENGINE_VERSION = "1"
"""Part of every cache key: raised whenever an answer may change by a bit."""


@dataclass(frozen=True)
class Certificate:
    """Why a table is exact.

    Attributes:
        scan_dtype: the arithmetic that proposed candidates: `int16` (native kernels), `float16` (torch) or `float32` (FAISS).
        error_bound: the largest proven bound on |proposed score - exact score| over all rows.
        certified_rows: rows that the bound proved at once.
        refined_rows: rows that it did not: refined with exact scores in place, or done again exactly.
        exact_dots: exact scores computed.
        backend: what scanned: `native`, `faiss-cpu`, `faiss-gpu` or `torch`; `precomputed` where scores were read from a stored matrix.
    """

    scan_dtype: str
    error_bound: float
    certified_rows: int
    refined_rows: int
    exact_dots: int
    backend: str


class NeighbourTable(Protocol):
    """The nearest gallery items of every query, computed once, kept, and shared by every k <= k_max."""

    @property
    def indices(self) -> NDArray[np.int32]:
        """(n, depth) with depth >= k_max, best first."""
        ...

    @property
    def scores(self) -> NDArray[np.float64]:
        """(n, depth), exact."""
        ...

    @property
    def k_max(self) -> int:
        """The largest k that may be asked."""
        ...

    @property
    def gallery(self) -> int:
        """Number of gallery items."""
        ...

    @property
    def self_join(self) -> bool:
        """Whether query i is gallery item i and was excluded."""
        ...

    @property
    def certificate(self) -> Certificate:
        """Why it is exact."""
        ...

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        ...

    def sets(self, k: int) -> NeighbourSets:
        """The k-neighbour sets with tie weights; 1 <= k <= k_max, else InvalidK."""
        ...


class NeighbourEngine(Protocol):
    """Finds exact neighbours. Thread-safe; immutable inputs."""

    @property
    def backend(self) -> str:
        """`native`, `faiss-cpu`, `faiss-gpu`, `torch`; `torch+faiss-gpu` where the first joins spaces and the second answers queries."""
        ...

    @property
    def device(self) -> str:
        """`cpu`, or the CUDA device's name."""
        ...

    def self_join(
        self,
        vectors: NDArray[np.float32],
        similarity: Similarity,
        k_max: int,
        *,
        tie_keys: NDArray[np.uint64],
        control: Control,
    ) -> NeighbourTable:
        """All items against all others.

        Args:
            vectors: (n, d) float32, C-contiguous, finite, no zero rows under cosine.
            similarity: how nearness is measured.
            k_max: 1 <= k_max <= n - 1.
            tie_keys: (n,) uint64, a hash of (space, item) that orders a tied group which outgrows what a table may hold
                (`core/tie_order.py`).
            control: cancellation and progress.
        """
        ...

    def query(
        self,
        queries: NDArray[np.float32],
        gallery: NDArray[np.float32],
        similarity: Similarity,
        k_max: int,
        *,
        exclude: NDArray[np.int64] | None = None,
        bias: NDArray[np.float64] | None = None,
        tie_keys: NDArray[np.uint64] | None = None,
        control: Control,
    ) -> NeighbourTable:
        """Queries against a gallery.

        Args:
            queries: (m, d) float32.
            gallery: (n, d) float32.
            similarity: how nearness is measured.
            k_max: 1 <= k_max <= n (minus 1 where `exclude` is given).
            exclude: (m,) the gallery row that query i must not be matched with, -1 for none.
            bias: (n,) float64 subtracted from twice the score, ranking by 2 s(q, x) - bias(x) (CSLS); `scores` are then the ranked values.
            tie_keys: (n,) uint64 as in `self_join`; None orders tied groups that outgrow the table by row, which an alignment must not do.
            control: cancellation and progress.
        """
        ...

    def self_join_bytes(self, n: int, d: int, k_max: int) -> int:
        """Peak bytes of `self_join` beyond the vectors themselves: what admission asks."""
        ...

    def query_bytes(self, m: int, n: int, d: int, k_max: int) -> int:
        """Peak bytes of `query` beyond queries and gallery."""
        ...
