"""One search with an approximate index: its candidates scored exactly, and what it finds too little for answered exactly."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.gallery_search import Found, Search, ranked
from consilience_server.app.ports import Metrics
from consilience_server.core.control import Control
from consilience_server.core.csls import neighbourhood_mean
from consilience_server.core.margin import ratio
from consilience_server.engine.approximate import ApproximateIndex
from consilience_server.engine.approximate_ranking import rank_candidates
from consilience_server.engine.biased_form import biased_queries
from consilience_server.engine.gathered_scores import gathered_scores
from consilience_server.engine.protocol import NeighbourEngine

GATHER_BYTES = 32 << 20
_Scores = Callable[[NDArray[np.float64], NDArray[np.int64]], NDArray[np.float64]]


@dataclass(frozen=True)
class IndexedSearch:
    """How one index is asked.

    Attributes:
        index: of the gallery, with the term as one dimension more where the search has one.
        effort: how hard it looks.
        count: candidates of each query.
        engine: answers exactly where the index finds fewer than k.
        metrics: hears of exact searches.
        threads: for exact scores.
    """

    index: ApproximateIndex
    effort: int
    count: int
    engine: NeighbourEngine
    metrics: Metrics
    threads: int

    def nbytes(self, search: Search, k: int) -> int:
        """Peak bytes of `find`."""
        m, d = len(search.queries), int(search.queries.shape[1])
        exact: int = self.engine.query_bytes(m, len(search.gallery), d, max(k, search.neighbourhood))
        return m * (16 * d + 96 * self.count) + self.threads * GATHER_BYTES + exact

    def find(self, search: Search, k: int, control: Control) -> Found:
        """The k best candidates of each query."""
        near = self._near(search, control)
        rows, scores, short = self.candidates(search, k, near, control)
        if short.any():
            asked = np.flatnonzero(short)
            own = None if search.exclude is None else search.exclude[asked]
            part = replace(search, queries=np.ascontiguousarray(search.queries[asked]), exclude=own)
            exact = ranked(part, k, None if near is None else near[asked], self.engine, self.metrics, control)
            rows[asked], scores[asked] = exact.rows, exact.scores
        if search.terms is None:
            return Found(rows, scores, scores, None)
        return Found(rows, gathered_scores(search.queries, search.gallery, search.similarity, rows, control), scores, None)

    def candidates(
        self, search: Search, k: int, near: NDArray[np.float64] | None, control: Control
    ) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.bool_]]:
        """As `rank_candidates`: rows, scores, and whether there are fewer than k of them."""
        queries = search.queries if search.terms is None else biased_queries(search.queries, search.similarity)
        return self._ranked(search, self.index.search(queries, self.count, self.effort, control), k, _scores(search, near), control)

    def _near(self, search: Search, control: Control) -> NDArray[np.float64] | None:
        """r_T of each query among what the index finds by similarity."""
        k = search.neighbourhood
        if not k:
            return None
        queries = biased_queries(search.queries, search.similarity, plain=True)
        _, scores, short = self._ranked(search, self.index.search(queries, self.count, self.effort, control), k, None, control)
        if short.any():
            asked = np.flatnonzero(short)
            own = None if search.exclude is None else search.exclude[asked]
            few = np.ascontiguousarray(search.queries[asked])
            scores[asked] = self.engine.query(few, search.gallery, search.similarity, k, exclude=own, control=control).scores[:, :k]
        return neighbourhood_mean(scores, k)

    def _ranked(
        self, search: Search, candidates: NDArray[np.int64], k: int, scores: _Scores | None, control: Control
    ) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.bool_]]:
        return rank_candidates(
            search.queries, search.gallery, search.similarity, candidates, search.exclude, k, self.threads, control, scores
        )


def _scores(search: Search, near: NDArray[np.float64] | None) -> _Scores | None:
    """The scores of candidates from their similarities; None where those are the scores."""
    terms = search.terms
    if terms is None:
        return None
    if terms.correction.name == "margin_ratio" and near is not None:
        return lambda similarities, rows: ratio(similarities, near[:, None], terms.bias[rows])
    return lambda similarities, rows: terms.scores(2.0 * similarities - terms.bias[rows], near)
