"""Exact neighbours: a float32 scan proposes, the float64 definition decides, a proven bound certifies, and what is in doubt is done again.

1. The gallery is put into scan form (`scan_form.py`), in which every scanned value is an upper bound of the exact one.
2. Tile by tile of queries a scan (`scan.py`) proposes a few more rows than the table has places.
3. What could belong to a row is scored exactly and ranked; a row is certified if its last exact value is above everything that was not
   proposed (`rerank.py`).
4. Any other row is refined (`exact_rows.py`).

So the answer is that of `core/neighbours.py` to the bit, whatever the scan, its tiles and its threads did.
"""

import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.errors import DimensionMismatch, InvalidK, ShapeMismatch
from consilience_server.core.similarity import Similarity
from consilience_server.engine.exact_rows import ExactRows
from consilience_server.engine.memory_estimate import search_bytes, tile_limit
from consilience_server.engine.neighbour_table import ExactNeighbourTable, RowTail, collect_tails, table_depth, tail_limit
from consilience_server.engine.prepared import PreparedGalleries
from consilience_server.engine.protocol import Certificate
from consilience_server.engine.rerank import Gallery, rerank
from consilience_server.engine.scan import Scan
from consilience_server.engine.scan_form import QueryForm, query_form

_TILE_SECONDS = 0.6
_FIRST_TILE_PRODUCTS = 1 << 33


class ExactNeighbours:
    """The `NeighbourEngine` over any scan. Thread-safe.

    Args:
        scan: proposes candidates.
        threads: threads for the exact scores.
        kept_bytes: bytes of scan forms of read-only galleries kept for the next query.
        tile_rows: queries in one tile; None sizes tiles so that each takes a fraction of a second.
    """

    def __init__(self, scan: Scan, threads: int, *, kept_bytes: int = 1 << 30, tile_rows: int | None = None) -> None:
        self._scan = scan
        self._threads = threads
        self._prepared = PreparedGalleries(scan, kept_bytes, threads)
        self._tile_rows = tile_rows

    @property
    def backend(self) -> str:
        """What scans."""
        return self._scan.backend

    @property
    def device(self) -> str:
        """Where it scans."""
        return self._scan.device

    @property
    def kept_bytes(self) -> int:
        """Bytes of scan forms that are kept now."""
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
        return search_bytes(n, n, d, k_max, self._threads)

    def query_bytes(self, m: int, n: int, d: int, k_max: int) -> int:
        """Peak bytes of `query` beyond queries and gallery."""
        return search_bytes(m, n, d, k_max, self._threads)

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
        _check_shapes(queries, vectors, exclude, bias, tie_keys)
        available = n if exclude is None else n - 1
        if not 1 <= k_max <= available:
            raise InvalidK(
                f"k = {k_max}, but k must be between 1 and {available}, the number of items to choose from",
                field="k",
                k=k_max,
                limit=available,
            )
        control.check()
        prepared = self._prepared.get(vectors, similarity, bias)
        gallery = Gallery(vectors, prepared.form, bias)
        depth = table_depth(k_max, available)
        count = proposal_count(depth, n)
        indices = np.empty((m, depth), dtype=np.int32)
        scores = np.empty((m, depth))
        certified = np.empty(m, dtype=np.bool_)
        tails: list[RowTail] = []
        exact_dots = 0
        error_bound = 0.0
        finite = prepared.form.allowance[np.isfinite(prepared.form.allowance)]
        widest = float(finite.max(initial=0.0))
        for tile in self._tiles(m, n, vectors.shape[1], count):
            control.check()
            form = query_form(queries[tile], prepared.form, prepared.form.norms[tile] if self_join else None)
            proposals = self._scan.propose(prepared.loaded, form.columns, count, control)
            own = None if exclude is None else exclude[tile]
            ranked = rerank(queries[tile], form, gallery, proposals, own, k_max, depth, self._threads)
            indices[tile], scores[tile], certified[tile] = ranked.indices, ranked.scores, ranked.certified
            tails += [RowTail(tile.start + tail.row, tail.items, tail.beyond, tail.ordered) for tail in ranked.tails]
            exact_dots += ranked.exact_dots
            error_bound = max(error_bound, _widest_error(form, widest))
            control.progress(0.9 * tile.stop / m)
        doubtful = np.flatnonzero(~certified)
        if len(doubtful):
            refiner = ExactRows(gallery, k_max, depth, tail_limit(n), tie_keys, self._threads)
            own = None if exclude is None else exclude[doubtful]
            reached = scores[doubtful, -1]
            for done, refined in enumerate(refiner.refine(queries[doubtful], reached, own, control)):
                row = int(doubtful[refined.row])
                indices[row], scores[row] = refined.indices, refined.scores
                if refined.tail is not None:
                    tails.append(RowTail(row, refined.tail.items, refined.tail.beyond, refined.tail.ordered))
                control.progress(0.9 + 0.1 * (done + 1) / len(doubtful))
            exact_dots += refiner.exact_dots
        control.progress(1.0)
        certificate = Certificate("float32", error_bound, m - len(doubtful), len(doubtful), exact_dots, self.backend)
        return ExactNeighbourTable(indices, scores, collect_tails(m, tails), k_max, n, self_join, certificate)

    def _tiles(self, m: int, n: int, d: int, count: int) -> Iterator[slice]:
        """Tiles of queries; each is sized by how long the one before took."""
        limit = tile_limit(d, count)
        rows = self._tile_rows or max(1, min(limit, _FIRST_TILE_PRODUCTS // (n * d)))
        start = 0
        while start < m:
            begun = time.monotonic()
            stop = min(m, start + rows)
            yield slice(start, stop)
            start = stop
            if self._tile_rows is None:
                seconds = max(time.monotonic() - begun, 1e-6)
                rows = max(1, min(limit, int(rows * min(4.0, max(0.25, _TILE_SECONDS / seconds)))))


def proposal_count(depth: int, n: int) -> int:
    """Rows to propose for a table of `depth` columns: one for the excluded item, and a margin for what the bound cannot tell apart."""
    return min(n, depth + 1 + min(64, 12 + depth // 8))


def _widest_error(form: QueryForm, allowance: float) -> float:
    """The largest bound on |proposed - exact| in units of the rank value, over the queries of a tile."""
    return float((2.0 * allowance / form.alpha).max(initial=0.0))


def _check_shapes(
    queries: NDArray[np.float32],
    vectors: NDArray[np.float32],
    exclude: NDArray[np.int64] | None,
    bias: NDArray[np.float64] | None,
    tie_keys: NDArray[np.uint64] | None,
) -> None:
    if queries.shape[1] != vectors.shape[1]:
        raise DimensionMismatch(
            f"the queries have {queries.shape[1]} dimensions, the gallery has {vectors.shape[1]}; both must be of one width",
            field="queries",
        )
    for name, array, length in (("exclude", exclude, len(queries)), ("bias", bias, len(vectors)), ("tie_keys", tie_keys, len(vectors))):
        if array is not None and array.shape != (length,):
            raise ShapeMismatch(f"{name} has the shape {array.shape}, but ({length},) is needed", field=name)
