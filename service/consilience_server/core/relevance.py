"""What found items are worth where relevant ones are known: recall@k, reciprocal rank, nDCG@k, as trec_eval has them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Relevance:
    """The relevant items of each query.

    Attributes:
        queries: (r,) int64, the query of each judgement, ascending.
        items: (r,) int64, the gallery row judged, each once a query.
        grades: (r,) float64, how relevant, above 0.
        count: number of queries m.
    """

    queries: NDArray[np.int64]
    items: NDArray[np.int64]
    grades: NDArray[np.float64]
    count: int

    @classmethod
    def of_lists(cls, lists: NDArray[np.integer]) -> "Relevance":
        """All items of each query's list (m, k), equally relevant."""
        m, k = lists.shape
        return cls(np.repeat(np.arange(m), k), lists.ravel().astype(np.int64), np.ones(m * k), m)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(m,) relevant items of each query."""
        return np.bincount(self.queries, minlength=self.count).astype(np.int64)

    def some(self, queries: NDArray[np.int64]) -> "Relevance":
        """The judgements of some queries, ascending, which are numbered anew."""
        place = np.full(self.count, -1, dtype=np.int64)
        place[queries] = np.arange(len(queries))
        kept = place[self.queries] >= 0
        return Relevance(place[self.queries[kept]], self.items[kept], self.grades[kept], len(queries))

    def gains(self, lists: NDArray[np.integer]) -> NDArray[np.float64]:
        """(m, k) the grade of each item of a list, 0 where it is not relevant."""
        asked, k = lists.shape
        width = int(max(lists.max(initial=0), self.items.max(initial=0))) + 1
        keys = self.queries * width + self.items
        order = np.argsort(keys)
        sought = (np.arange(asked)[:, None] * width + lists).ravel()
        place = np.minimum(np.searchsorted(keys[order], sought), max(len(keys) - 1, 0))
        if not len(keys):
            return np.zeros((asked, k))
        found = keys[order][place] == sought
        return np.where(found, self.grades[order][place], 0.0).reshape(asked, k)


def recalls_at(gains: NDArray[np.float64], sizes: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """(m,) the share of each query's relevant items that are among its first k, in [0, 1].

    Args:
        gains: (m, depth >= k) of `Relevance.gains`, best first.
        sizes: (m,) relevant items, at least 1.
        k: of the cut.
    """
    shares: NDArray[np.float64] = (gains[:, :k] > 0.0).sum(axis=1) / sizes
    return shares


def reciprocal_ranks_at(gains: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """(m,) 1 / the place of the first relevant item among the first k, 0 where there is none."""
    hits = gains[:, :k] > 0.0
    return np.where(hits.any(axis=1), 1.0 / (hits.argmax(axis=1) + 1.0), 0.0)


def ndcgs_at(gains: NDArray[np.float64], relevance: Relevance, k: int) -> NDArray[np.float64]:
    """(m,) normalised discounted cumulated gain of the first k, in [0, 1].

    DCG = sum over places p of grade_p / log2(p + 1), over that of the relevant items in falling order of grade: gains as they are, not
    2^grade - 1, as trec_eval (ndcg_cut) has it.

    Source: Järvelin and Kekäläinen, ACM TOIS 20 (2002).
    """
    k = min(k, gains.shape[1])
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.zeros((relevance.count, k))
    order = np.lexsort((-relevance.grades, relevance.queries))
    starts = np.concatenate(([0], np.cumsum(relevance.sizes)[:-1]))
    place = np.arange(len(order)) - starts[relevance.queries[order]]
    first = place < k
    ideal[relevance.queries[order][first], place[first]] = relevance.grades[order][first]
    best = ideal @ discounts
    scores: NDArray[np.float64] = np.divide(gains[:, :k] @ discounts, best, out=np.zeros(len(best)), where=best > 0.0)
    return scores
