"""One search of queries in a gallery, corrected or not: what ranks, what is raw, and why it is exact."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.item_terms import ItemTerms
from consilience_server.app.ports import Metrics
from consilience_server.core.control import Control
from consilience_server.core.csls import neighbourhood_mean
from consilience_server.core.index_recall import IndexRecall
from consilience_server.core.similarity import Similarity
from consilience_server.engine.gathered_scores import gathered_scores
from consilience_server.engine.protocol import Certificate, NeighbourEngine
from consilience_server.engine.ratio_search import ratio_depth, ratio_nearest


@dataclass(frozen=True)
class Search:
    """Queries and gallery in the space where they meet.

    Attributes:
        queries: (m, d) float32.
        gallery: (n, d) float32.
        similarity: how nearness is measured.
        exclude: (m,) int64, the gallery row that is each query itself; None where queries are no gallery items.
        terms: of every gallery item under a correction; None without one.
    """

    queries: NDArray[np.float32]
    gallery: NDArray[np.float32]
    similarity: Similarity
    exclude: NDArray[np.int64] | None
    terms: ItemTerms | None

    @property
    def candidates(self) -> int:
        """Gallery items that a query can be matched with."""
        return len(self.gallery) - (self.exclude is not None)

    @property
    def neighbourhood(self) -> int:
        """Nearest items of each query that its correction looks at; 0 for none."""
        return self.terms.correction.k if self.terms is not None and self.terms.correction.has_neighbourhoods else 0


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


def find(search: Search, k: int, engine: NeighbourEngine, metrics: Metrics, control: Control) -> Found:
    """The k best of each query, by similarity or by the score of the correction."""
    metrics.batch(engine.backend, len(search.queries))
    return ranked(search, k, near_means(search, engine, metrics, control), engine, metrics, control)


def find_bytes(search: Search, k: int, engine: NeighbourEngine, items: int | None = None) -> int:
    """Peak bytes of `find` beyond queries and gallery; among so many `items` where it is not all of the gallery."""
    m, (n, d) = len(search.queries), search.gallery.shape
    n = n if items is None else items
    depth = max(ratio_depth(k, n) if _is_ratio(search) else k, search.neighbourhood)
    return engine.query_bytes(m, n, d, depth) + 40 * m * depth + (8 * n if search.terms is not None else 0)


def near_means(search: Search, engine: NeighbourEngine, metrics: Metrics, control: Control) -> NDArray[np.float64] | None:
    """(m,) float64, r_T: the mean similarity of each query to its nearest of the gallery; None where the correction has no such mean."""
    k = search.neighbourhood
    if not k:
        return None
    table = engine.query(search.queries, search.gallery, search.similarity, k, exclude=search.exclude, control=control)
    metrics.rows(table.certificate.backend, table.certificate.certified_rows, table.certificate.refined_rows)
    return neighbourhood_mean(table.scores, k)


def ranked(search: Search, k: int, near: NDArray[np.float64] | None, engine: NeighbourEngine, metrics: Metrics, control: Control) -> Found:
    """The k best of each query, given its mean `near` (`near_means`, perhaps of a larger gallery)."""
    terms = search.terms
    if _is_ratio(search) and terms is not None and near is not None:
        best = ratio_nearest(engine, search.queries, search.gallery, k, near, terms.bias, exclude=search.exclude, control=control)
        metrics.rows(best.certificate.backend, best.certificate.certified_rows, best.certificate.refined_rows)
        return Found(best.rows, best.similarities, best.ratios, best.certificate)
    bias = None if terms is None else terms.bias
    table = engine.query(search.queries, search.gallery, search.similarity, k, exclude=search.exclude, bias=bias, control=control)
    metrics.rows(table.certificate.backend, table.certificate.certified_rows, table.certificate.refined_rows)
    rows, scores = table.indices[:, :k], table.scores[:, :k]
    if terms is None:
        return Found(rows, scores, scores, table.certificate)
    similarities = gathered_scores(search.queries, search.gallery, search.similarity, rows, control)
    return Found(rows, similarities, terms.scores(scores, near), table.certificate)


def part_of(search: Search, rows: NDArray[np.int64], exclude: NDArray[np.int64] | None) -> Search:
    """The same queries against some rows of the gallery, copied; `exclude` in places among them."""
    terms = None if search.terms is None else search.terms.of(rows)
    return replace(search, gallery=search.gallery[rows], terms=terms, exclude=exclude)


def _is_ratio(search: Search) -> bool:
    return search.terms is not None and search.terms.correction.name == "margin_ratio"
