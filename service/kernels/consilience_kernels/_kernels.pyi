"""What the native module offers. Arrays are C-contiguous; they are borrowed, so nobody may change them while a search lives."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

def supported() -> list[str]:
    """Names of the instruction sets that this processor runs, best first; the last is `portable`."""

def draw_permutations(seed: int, first: int, count: int, n: int, threads: int) -> NDArray[np.int32]:
    """(count, n) permutations number first, first + 1, ...: those of the server's `core/permutation.py`.

    Args:
        seed: 0 <= seed < 2^64.
        first: 0 <= first < 2^64.
        count: at least 1.
        n: 1 <= n < 2^31.
        threads: the answer does not depend on it; each holds about 40 bytes an item.
    """

def shared_items(x: NDArray[np.int32], y: NDArray[np.int32], threads: int, isa: str = "") -> int:
    """Sum over the rows of the items that two arrays of lists share.

    Args:
        x: (n, k) int32 items of 0..n-1, none twice in a row.
        y: (n, k) likewise.
        threads: the answer does not depend on it.
        isa: instruction set, one of `supported()`; empty for the best.

    Raises:
        ValueError: for other shapes, items out of range or another instruction set.
    """

def permuted_shared_items(
    x: NDArray[np.int32], y: NDArray[np.int32], permutations: NDArray[np.int32], threads: int, isa: str = ""
) -> NDArray[np.int64]:
    """(count,) sums over the rows r of |x[p(r)] and p(y[r])| for each row p of the (count, n) permutations; else as `shared_items`."""

class ScanCopy:
    """Vectors as int16 in panels, with the bounds of `src/scan_copy.h`.

    Args:
        count: n >= 1.
        dim: d >= 1.
        similarity: 0 cosine, 1 inner product, 2 squared L2.
        centre: (d,) float64, in the scale of y: any values are valid, those near the mean give tight bounds.
        exponent: E; y = x / |x| - centre for cosine, x / 2^E - centre otherwise.
        unit: what the scanned value grows by when what ranks grows by one.
        isa: instruction set, one of `supported()`; empty for the best.

    Raises:
        ValueError: for an instruction set that this processor does not run, or shapes that do not fit.
    """

    nbytes: Final[int]
    panel_columns: Final[int]
    isa: Final[str]
    def __init__(
        self, count: int, dim: int, similarity: int, centre: NDArray[np.float64], exponent: int, unit: float, isa: str = ""
    ) -> None: ...
    def fill(self, rows: NDArray[np.float32], bias: NDArray[np.float64] | None, start: int, threads: int) -> None:
        """Quantise rows [start, start + len(rows)); start is a multiple of `panel_columns`. Every row once, in any order."""

    def finish(self) -> None:
        """End the filling; before any use."""

    def error_bound(self, columns: ScanCopy) -> float:
        """The largest proven |scanned - exact| of rows of this copy with columns of the other, in units of what ranks."""

class NeighbourSearch:
    """One search; `src/neighbour_search.h` says how. Not thread-safe; it uses `threads` threads itself.

    Args:
        queries: copy of the (m, d) query vectors, of the same centre, exponent and isa as `gallery`.
        gallery: copy of the (n, d) gallery; the same object in a self-join.
        query_vectors: (m, d) float32 raw.
        gallery_vectors: (n, d) float32 raw.
        bias: (n,) float64; ranks by 2 s - bias. None ranks by s.
        exclude: (m,) int64 gallery row to leave out, -1 for none. None for none at all. A self-join excludes its own item without it.
        self_join: whether queries are the gallery.
        k_max: the largest k that will be asked.
        depth: columns of the table, at most the items that a row may choose from.
        capacity: candidates a row holds, at least depth + 12.
        tail_limit: tied items that a row may keep beyond its columns.
        threads: threads to use.
    """

    scanned: Final[float]
    ranked: Final[float]
    exact_dots: Final[int]
    refined_rows: Final[int]
    def __init__(
        self,
        queries: ScanCopy,
        gallery: ScanCopy,
        query_vectors: NDArray[np.float32],
        gallery_vectors: NDArray[np.float32],
        bias: NDArray[np.float64] | None,
        exclude: NDArray[np.int64] | None,
        self_join: bool,
        k_max: int,
        depth: int,
        capacity: int,
        tail_limit: int,
        threads: int,
    ) -> None: ...
    def scan(self, seconds: float) -> bool:
        """Scan for about this long; True when all is scanned."""

    def rank(self, seconds: float, items: NDArray[np.int32], scores: NDArray[np.float64]) -> bool:
        """Rank for about this long into (m, depth) arrays, the same ones in every call; True when all is ranked."""

    def unproven(self) -> NDArray[np.int64]:
        """Rows given up because their ties overflowed: ascending. The last column of their scores bounds the true one from below."""

    def tails(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """(rows, items) that tie with the last column beyond it where a k <= k_max reaches it, by row, then item."""
