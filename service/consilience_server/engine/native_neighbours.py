"""Exact neighbours by the native kernels: an int16 scan selects, the float64 definition decides; nothing is left to chance.

The kernels (`service/kernels/src/neighbour_search.h`) keep every pair whose proven upper bound reaches a value that `depth` items of the
row reach, so what remains holds the whole answer; `service/kernels/src/scan_copy.h` derives the bound. In a self-join each pair is
multiplied once and asked by both sides. Rows whose equal scores overflow what a row may hold, and rows of vectors that no scale fits
beside the others, are done anew by `exact_rows.py`. The answer is that of `core/neighbours.py` to the bit, whatever the instruction set
and the threads.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.errors import ExtraMissing
from consilience_server.core.similarity import Similarity
from consilience_server.engine.exact_rows import redo_rows
from consilience_server.engine.kernels import chosen_isa, load_kernels
from consilience_server.engine.memory_estimate import native_search_bytes
from consilience_server.engine.neighbour_table import ExactNeighbourTable, RowTail, collect_tails, table_depth, tail_limit
from consilience_server.engine.prepared import PreparedGalleries
from consilience_server.engine.protocol import Certificate
from consilience_server.engine.rerank import Gallery
from consilience_server.engine.scan_form import centre_and_exponent, gallery_form
from consilience_server.engine.search_arguments import check_search

_KINDS = {Similarity.COSINE: 0, Similarity.INNER_PRODUCT: 1, Similarity.SQUARED_L2: 2}
_STEP_SECONDS = 0.2
_FILL_VALUES = 1 << 26


@dataclass(frozen=True)
class _Copy:
    """Vectors as the kernels scan them, and how they were moved and scaled."""

    scan: Any
    centre: NDArray[np.float64]
    exponent: int

    @property
    def nbytes(self) -> int:
        return int(self.scan.nbytes)


class NativeNeighbours:
    """The `NeighbourEngine` of the native kernels. Thread-safe.

    Args:
        threads: threads of one search.
        kept_bytes: bytes of scan copies of read-only galleries kept for the next query.
        isa: instruction set, one of the kernels' `supported()`; None for the best, or what CONSILIENCE_KERNELS_ISA names.

    Raises:
        ExtraMissing: if the kernels are not installed.
        InvalidArgument: if this processor does not run the instruction set.
    """

    def __init__(self, threads: int, *, kept_bytes: int = 1 << 30, isa: str | None = None) -> None:
        kernels = load_kernels()
        if kernels is None:
            raise ExtraMissing(
                "the native kernels are not installed: pip install ./service/kernels, which needs a C++ compiler, "
                "or choose another engine (engine=auto takes the best there is)",
                extra="native",
            )
        self._kernels = kernels
        self._isa = chosen_isa(kernels) if isa is None else isa
        self._threads = threads
        self._prepared = PreparedGalleries(self._copy_of, kept_bytes)

    @property
    def backend(self) -> str:
        """What scans."""
        return "native"

    @property
    def device(self) -> str:
        """Where it scans."""
        return "cpu"

    @property
    def isa(self) -> str:
        """The instruction set of its kernels."""
        return self._isa

    @property
    def kept_bytes(self) -> int:
        """Bytes of scan copies that are kept now."""
        return self._prepared.nbytes

    def self_join(
        self,
        vectors: NDArray[np.float32],
        similarity: Similarity,
        k_max: int,
        *,
        tie_keys: NDArray[np.uint64],
        control: Control,
    ) -> ExactNeighbourTable:
        """As in `NeighbourEngine`.

        Raises:
            InvalidK: unless 1 <= k_max <= n - 1.
            Cancelled: within a second of `control.cancel()`.
        """
        own = np.arange(len(vectors))
        return self._search(vectors, vectors, similarity, k_max, own, None, tie_keys, control, self_join=True)

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
    ) -> ExactNeighbourTable:
        """As in `NeighbourEngine`.

        Raises:
            InvalidK: unless 1 <= k_max <= n, or n - 1 where `exclude` is given.
            DimensionMismatch: if queries and gallery differ in width.
            ShapeMismatch: if `exclude`, `bias` or `tie_keys` do not fit.
            Cancelled: within a second of `control.cancel()`.
        """
        return self._search(queries, gallery, similarity, k_max, exclude, bias, tie_keys, control, self_join=False)

    def self_join_bytes(self, n: int, d: int, k_max: int) -> int:
        """Peak bytes of `self_join` beyond the vectors themselves."""
        return native_search_bytes(n, n, d, k_max, row_capacity(table_depth(k_max, n - 1)), self._threads, self_join=True)

    def query_bytes(self, m: int, n: int, d: int, k_max: int) -> int:
        """Peak bytes of `query` beyond queries and gallery."""
        return native_search_bytes(m, n, d, k_max, row_capacity(table_depth(k_max, n)), self._threads, self_join=False)

    def _copy_of(self, vectors: NDArray[np.float32], similarity: Similarity, bias: NDArray[np.float64] | None, control: Control) -> _Copy:
        centre, exponent = centre_and_exponent(vectors, cosine=similarity is Similarity.COSINE)
        return self._filled(vectors, similarity, bias, np.ldexp(centre, -exponent), exponent, control)

    def _filled(
        self,
        vectors: NDArray[np.float32],
        similarity: Similarity,
        bias: NDArray[np.float64] | None,
        centre: NDArray[np.float64],
        exponent: int,
        control: Control,
    ) -> _Copy:
        n, d = vectors.shape
        unit = float(np.ldexp(0.5 if similarity is Similarity.SQUARED_L2 else 1.0, -2 * exponent)) / (1.0 if bias is None else 2.0)
        scan = self._kernels.ScanCopy(n, d, _KINDS[similarity], centre, exponent, unit, self._isa)
        step = max(1, _FILL_VALUES // (d * scan.panel_columns)) * scan.panel_columns
        for start in range(0, n, step):
            control.check()
            scan.fill(vectors[start : start + step], None if bias is None else bias[start : start + step], start, self._threads)
        scan.finish()
        return _Copy(scan, centre, exponent)

    def _search(
        self,
        queries: NDArray[np.float32],
        vectors: NDArray[np.float32],
        similarity: Similarity,
        k_max: int,
        exclude: NDArray[np.int64] | None,
        bias: NDArray[np.float64] | None,
        tie_keys: NDArray[np.uint64] | None,
        control: Control,
        *,
        self_join: bool,
    ) -> ExactNeighbourTable:
        m, n = len(queries), len(vectors)
        available = n if exclude is None else n - 1
        check_search(queries, vectors, available, k_max, exclude, bias, tie_keys)
        control.check()
        gallery = self._prepared.get(vectors, similarity, bias, control)
        rows = gallery if self_join else self._filled(queries, similarity, None, gallery.centre, gallery.exponent, control)
        depth = table_depth(k_max, available)
        search = self._kernels.NeighbourSearch(
            rows.scan,
            gallery.scan,
            queries,
            vectors,
            bias,
            None if self_join else exclude,
            self_join,
            k_max,
            depth,
            row_capacity(depth),
            tail_limit(n),
            self._threads,
        )
        while not search.scan(_STEP_SECONDS):
            control.check()
            control.progress(0.85 * search.scanned)
        indices, scores = np.empty((m, depth), dtype=np.int32), np.empty((m, depth))
        while not search.rank(_STEP_SECONDS, indices, scores):
            control.check()
            control.progress(0.85 + 0.05 * search.ranked)
        unproven = search.unproven()
        tails = _row_tails(*search.tails())
        exact_dots, refined = search.exact_dots, search.refined_rows
        error_bound = rows.scan.error_bound(gallery.scan)
        # What the rows held is free before a worst case takes memory of its own.
        del search
        if len(unproven):
            whole = Gallery(vectors, gallery_form(vectors, similarity, bias, threads=self._threads), bias)
            again, dots = redo_rows(unproven, queries, whole, k_max, exclude, tie_keys, indices, scores, self._threads, control)
            tails += again
            exact_dots += dots
        control.progress(1.0)
        certificate = Certificate("int16", error_bound, m - refined, refined, exact_dots, self.backend)
        return ExactNeighbourTable(indices, scores, collect_tails(m, tails), k_max, n, self_join, certificate)


def row_capacity(depth: int) -> int:
    """Candidates that a row may hold: enough that rows seldom fill up, and O(depth)."""
    return depth + max(43, depth // 2)


def _row_tails(rows: NDArray[np.int64], items: NDArray[np.int32]) -> list[RowTail]:
    """Tails of the kernels, given as (row, item) by row."""
    tied, starts = np.unique(rows, return_index=True)
    parts = np.split(items, starts[1:])
    return [RowTail(int(row), part, len(part), ordered=False) for row, part in zip(tied, parts, strict=True)] if len(tied) else []
