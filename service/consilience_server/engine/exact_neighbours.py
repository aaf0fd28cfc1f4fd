"""Exact neighbours: a scan proposes, the float64 definition decides, a proven bound certifies, and what is in doubt is done again.

1. The gallery is put into scan form (`scan_form.py`), in which every scanned value is an upper bound of the exact one.
2. Tile by tile of queries a scan (`scan.py`) proposes a few more rows than the table has places.
3. What could belong to a row is scored exactly and ranked; a row is certified if its last exact value is above everything that was not
   proposed (`rerank.py`).
4. Any other row is refined (`exact_rows.py`).

So the answer is that of `core/neighbours.py` to the bit, whatever the scan, its tiles and its threads did.
"""

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.similarity import Similarity
from consilience_server.engine.exact_rows import redo_rows
from consilience_server.engine.memory_estimate import search_bytes, tile_limit
from consilience_server.engine.neighbour_table import ExactNeighbourTable, RowTail, collect_tails, table_depth
from consilience_server.engine.prepared import PreparedGalleries
from consilience_server.engine.protocol import Certificate
from consilience_server.engine.rerank import Gallery, rerank
from consilience_server.engine.scan import Scan
from consilience_server.engine.scan_form import GalleryForm, QueryForm, gallery_form, query_form
from consilience_server.engine.search_arguments import check_search
from consilience_server.engine.tiles import Tiles, run_workers

_LEAST_TILE_ROWS = 64
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
        self._prepared = PreparedGalleries(self._load, kept_bytes)
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
        return self.query_bytes(n, n, d, k_max)

    def query_bytes(self, m: int, n: int, d: int, k_max: int) -> int:
        """Peak bytes of `query` beyond queries and gallery."""
        return self._scan.held_bytes(n, d) + self._scan.tile_bytes + search_bytes(m, n, d, k_max, self._threads)

    def _load(
        self, vectors: NDArray[np.float32], similarity: Similarity, bias: NDArray[np.float64] | None, control: Control
    ) -> "_LoadedGallery":
        control.check()
        form = gallery_form(vectors, similarity, bias, threads=self._threads)
        return _LoadedGallery(form, self._scan.load(form.columns), self._scan.held_bytes(*vectors.shape))

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
        prepared = self._prepared.get(vectors, similarity, bias, control)
        gallery = Gallery(vectors, prepared.form, bias)
        depth = table_depth(k_max, available)
        count = proposal_count(depth, n)
        indices = np.empty((m, depth), dtype=np.int32)
        scores = np.empty((m, depth))
        certified = np.empty(m, dtype=np.bool_)
        tails: list[RowTail] = []
        summary = _Summary(prepared.form, m, control)
        # Whole tiles side by side: nobody waits for anybody, as the threads of one product would.
        workers = max(1, min(self._scan.concurrent_tiles, m // _LEAST_TILE_ROWS))
        team = max(1, self._threads // workers)

        def search_tile(tile: slice) -> None:
            control.check()
            form = query_form(queries[tile], prepared.form, prepared.form.norms[tile] if self_join else None)
            proposals = self._scan.propose(prepared.loaded, form.columns, count, team, control)
            own = None if exclude is None else exclude[tile]
            ranked = rerank(queries[tile], form, gallery, proposals, own, k_max, depth, team)
            indices[tile], scores[tile], certified[tile] = ranked.indices, ranked.scores, ranked.certified
            tails.extend(RowTail(tile.start + tail.row, tail.items, tail.beyond, tail.ordered) for tail in ranked.tails)
            summary.add(form, proposals.margin, ranked.exact_dots)

        first = max(1, _FIRST_TILE_PRODUCTS // (n * vectors.shape[1]))
        tiles = Tiles(m, workers, first=first, limit=tile_limit(vectors.shape[1], count, self._threads), fixed=self._tile_rows)
        run_workers(tiles, workers, search_tile)
        doubtful = np.flatnonzero(~certified)
        again, exact_dots = redo_rows(doubtful, queries, gallery, k_max, exclude, tie_keys, indices, scores, self._threads, control)
        tails += again
        exact_dots += summary.exact_dots
        control.progress(1.0)
        certificate = Certificate(self._scan.scan_dtype, summary.error_bound, m - len(doubtful), len(doubtful), exact_dots, self.backend)
        return ExactNeighbourTable(indices, scores, collect_tails(m, tails), k_max, n, self_join, certificate)


@dataclass(frozen=True)
class _LoadedGallery:
    """A gallery in scan form, and what the scan made of it."""

    form: GalleryForm
    loaded: Any
    held_bytes: int

    @property
    def nbytes(self) -> int:
        return self.form.nbytes + self.held_bytes


class _Summary:
    """What the tiles of one search add up to; shared by its workers."""

    def __init__(self, form: GalleryForm, rows: int, control: Control) -> None:
        self._rows = rows
        self._control = control
        finite = form.allowance[np.isfinite(form.allowance)]
        self._widest = float(finite.max(initial=0.0))
        self._lock = threading.Lock()
        self._done = 0
        self.exact_dots = 0
        self.error_bound = 0.0

    def add(self, form: QueryForm, margin: float, exact_dots: int) -> None:
        """Count a tile, and tell how far the scan is."""
        # |proposed - exact| <= 2 e, in units of the rank value.
        error = float((max(2.0 * self._widest, margin) / form.alpha).max(initial=0.0))
        with self._lock:
            self._done += len(form.columns)
            self.exact_dots += exact_dots
            self.error_bound = max(self.error_bound, error)
            self._control.progress(0.9 * self._done / self._rows)


def proposal_count(depth: int, n: int) -> int:
    """Rows to propose for a table of `depth` columns: one for the excluded item, and a margin for what the bound cannot tell apart."""
    return min(n, depth + 1 + min(64, 12 + depth // 8))
