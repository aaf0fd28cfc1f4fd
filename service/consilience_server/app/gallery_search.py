"""One search of queries in a gallery, corrected or not: what ranks, what is raw, and why it is exact."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.ports import Metrics
from consilience_server.core.control import Control
from consilience_server.core.csls import neighbourhood_mean
from consilience_server.core.exact_score import exact_pair_scores
from consilience_server.core.index_recall import IndexRecall
from consilience_server.core.similarity import Similarity
from consilience_server.engine.protocol import Certificate, NeighbourEngine

_GATHER_BYTES = 32 << 20


@dataclass(frozen=True)
class Search:
    """Queries and gallery in the space where they meet.

    Attributes:
        queries: (m, d) float32.
        gallery: (n, d) float32.
        similarity: how nearness is measured.
        exclude: (m,) int64, the gallery row that is each query itself; None where queries are no gallery items.
        term: (n,) float64, r_S of every gallery item; None without correction.
    """

    queries: NDArray[np.float32]
    gallery: NDArray[np.float32]
    similarity: Similarity
    exclude: NDArray[np.int64] | None
    term: NDArray[np.float64] | None

    @property
    def candidates(self) -> int:
        """Gallery items that a query can be matched with."""
        return len(self.gallery) - (self.exclude is not None)


@dataclass(frozen=True)
class Found:
    """(m, k) each, best first: gallery rows, raw similarities, and the scores that ranked.

    Either the certificate tells why they are exact, or the recall how much of the exact answer they are.
    """

    rows: NDArray[np.int32]
    similarities: NDArray[np.float64]
    scores: NDArray[np.float64]
    certificate: Certificate | None
    recall: IndexRecall | None = None


def find(search: Search, k: int, correction_k: int, engine: NeighbourEngine, metrics: Metrics, control: Control) -> Found:
    """The k best of each query.

    Without a term by similarity. With one by 2 s(q, t) - r_S(t), which for one query ranks as CSLS does; the scores answered are 2 s(q, t)
    - r_S(t) - r_T(q), r_T(q) from a search of its own for the `correction_k` nearest.
    """
    metrics.batch(engine.backend, len(search.queries))

    def scan(depth: int, bias: NDArray[np.float64] | None) -> tuple[NDArray[np.int32], NDArray[np.float64], Certificate]:
        table = engine.query(search.queries, search.gallery, search.similarity, depth, exclude=search.exclude, bias=bias, control=control)
        metrics.rows(table.certificate.backend, table.certificate.certified_rows, table.certificate.refined_rows)
        return table.indices[:, :depth], table.scores[:, :depth], table.certificate

    if search.term is None:
        rows, scores, certificate = scan(k, None)
        return Found(rows, scores, scores, certificate)
    _, near, _ = scan(correction_k, None)
    rows, ranked, certificate = scan(k, search.term)
    return Found(rows, raw_similarities(search, rows), ranked - neighbourhood_mean(near, correction_k)[:, None], certificate)


def raw_similarities(search: Search, rows: NDArray[np.int32]) -> NDArray[np.float64]:
    """Exact similarities of each query with its matches, (m, k); only the matches are gathered, never the whole gallery."""
    m, k = rows.shape
    similarities = np.empty((m, k))
    step = max(1, _GATHER_BYTES // (4 * k * search.gallery.shape[1]))
    for start in range(0, m, step):
        matches = search.gallery[rows[start : start + step].ravel()]
        queries = search.queries[start : start + step]
        asked = np.repeat(np.arange(len(queries)), k)
        scores = exact_pair_scores(queries, matches, search.similarity, asked, np.arange(len(matches)))
        similarities[start : start + step] = scores.reshape(-1, k)
    return similarities
