"""Exact neighbours by the margin ratio (`core/margin.py`), which no single inner product ranks by.

With r_T(q) = a fixed and a level z, ratio(q, t) >= z is the same as 2 s(q, t) - z r_S(t) >= z a: for each level an additive correction,
which an engine searches (Dinkelbach's reduction of a fractional programme). So candidates come from searches by 2 s - z r_S, first at z = 1
(the order of CSLS), then, where that does not settle a query, deeper and at the level of its own k-th best ratio so far. They are ranked by
the exact ratio.

A certificate closes a query: whatever a search of depth D left out has 2 s - z r <= c, the last value of its table, hence

    ratio <= g(r) = (c + z r) / (2 max((a + r) / 2, floor)),   r_min <= r <= r_max of the gallery,

and g is monotone on either side of the r where the floor begins, so it is largest at an end. Where that stays below the k-th best ratio, by
more than rounding, nothing left out matters. What three rounds leave open is scored whole.

Source: Dinkelbach, "On nonlinear fractional programming", Management Science 13 (1967).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.exact_score import exact_scores
from consilience_server.core.margin import RATIO_FLOOR, ratio
from consilience_server.core.similarity import Similarity
from consilience_server.engine.gathered_scores import gathered_scores
from consilience_server.engine.protocol import Certificate, NeighbourEngine

_SPARE = 48
"""Candidates beyond k of the first round; later rounds have `_DEEPER` times those of the one before."""

_DEEPER = 4
_ROUNDS = 3
_MOST_LEVEL = 1e6
_LEVEL_STEP = 1.02
"""Queries whose levels lie within this factor share a search."""

_ROUNDING = 2.0**-44
"""Relative; the few float64 operations between a similarity and a bound err by less."""


@dataclass(frozen=True)
class RatioFound:
    """(m, k) each, best first: gallery rows, exact similarities, ratios; equal ratios by row.

    A query that the first round settles counts as certified, one that takes more as refined.
    """

    rows: NDArray[np.int32]
    similarities: NDArray[np.float64]
    ratios: NDArray[np.float64]
    certificate: Certificate


def ratio_depth(k: int, n: int) -> int:
    """Candidates of the deepest round among n items: what memory is estimated by."""
    deepest: int = (k + _SPARE) * _DEEPER ** (_ROUNDS - 1)
    return min(n, deepest)


def ratio_nearest(
    engine: NeighbourEngine,
    queries: NDArray[np.float32],
    gallery: NDArray[np.float32],
    k: int,
    near: NDArray[np.float64],
    bias: NDArray[np.float64],
    *,
    exclude: NDArray[np.int64] | None = None,
    control: Control,
) -> RatioFound:
    """The k gallery items of the largest ratio for each query.

    Args:
        engine: searches by 2 s - z bias.
        queries: (m, d) float32, compared by cosine.
        gallery: (n, d) float32.
        k: 1 <= k <= n, one less where `exclude` is given.
        near: (m,) float64, r_T of the queries.
        bias: (n,) float64, r_S of the items.
        exclude: (m,) the gallery row that query i must not be matched with, -1 for none.
        control: cancellation.
    """
    search = _Search(engine, queries, gallery, k, near, bias, exclude, control)
    most = len(gallery) - (exclude is not None)
    depth = min(most, k + _SPARE)
    search.ask(np.arange(len(queries)), 1.0, depth)
    refined = int(search.open.sum())
    for _ in range(_ROUNDS - 1):
        depth = min(most, depth * _DEEPER)
        for asked, level in search.levels():
            search.ask(asked, level, depth)
    search.score_whole()
    certificate = replace(search.certificates[0], certified_rows=len(queries) - refined, refined_rows=refined, exact_dots=search.exact_dots)
    certificate = replace(certificate, error_bound=max(told.error_bound for told in search.certificates))
    return RatioFound(search.rows, search.similarities, search.ratios, certificate)


class _Search:
    """What is known so far: the k best of each query among the candidates seen last, and which queries are still open."""

    def __init__(
        self,
        engine: NeighbourEngine,
        queries: NDArray[np.float32],
        gallery: NDArray[np.float32],
        k: int,
        near: NDArray[np.float64],
        bias: NDArray[np.float64],
        exclude: NDArray[np.int64] | None,
        control: Control,
    ) -> None:
        m = len(queries)
        self._engine, self._queries, self._gallery, self._k = engine, queries, gallery, k
        self._near, self._bias, self._exclude, self._control = near, bias, exclude, control
        self.rows = np.zeros((m, k), dtype=np.int32)
        self.similarities, self.ratios = np.zeros((m, k)), np.zeros((m, k))
        self.open = np.ones(m, dtype=bool)
        self.certificates: list[Certificate] = []
        self.exact_dots = 0

    def ask(self, asked: NDArray[np.int64], level: float, depth: int) -> None:
        """Candidates of some queries at one level; closes those that they settle."""
        queries = np.ascontiguousarray(self._queries[asked])
        own = None if self._exclude is None else self._exclude[asked]
        table = self._engine.query(
            queries, self._gallery, Similarity.COSINE, depth, exclude=own, bias=level * self._bias, control=self._control
        )
        found, last = table.indices[:, :depth], table.scores[:, depth - 1]
        self._keep(asked, found, gathered_scores(queries, self._gallery, Similarity.COSINE, found, self._control))
        self.certificates.append(table.certificate)
        self.exact_dots += table.certificate.exact_dots + found.size
        candidates = len(self._gallery) - (np.zeros(len(asked), dtype=np.int64) if own is None else (own >= 0))
        self.open[asked] = (depth < candidates) & ~(self._most_left_out(asked, level, last) < self.ratios[asked, -1])

    def levels(self) -> Iterator[tuple[NDArray[np.int64], float]]:
        """Open queries whose k-th best ratios are nearly the same, and a level for them."""
        waiting = np.flatnonzero(self.open)
        waiting = waiting[np.argsort(self.ratios[waiting, -1], kind="stable")]
        while len(waiting):
            least = self.ratios[waiting[0], -1]
            # Only candidates come from a level: any is right, and one below zero would reward hubs.
            count = int(np.searchsorted(self.ratios[waiting, -1], max(least, 0.0) * _LEVEL_STEP, side="right"))
            group, waiting = waiting[: max(1, count)], waiting[max(1, count) :]
            yield np.sort(group), float(np.clip(self.ratios[group, -1].mean(), 0.0, _MOST_LEVEL))

    def score_whole(self) -> None:
        """Score everything for the queries that are still open."""
        every = np.arange(len(self._gallery), dtype=np.int32)
        for row in np.flatnonzero(self.open):
            self._control.check()
            found = every
            if self._exclude is not None and self._exclude[row] >= 0:
                found = np.delete(every, self._exclude[row])
            scores = exact_scores(self._queries[row : row + 1], self._gallery, Similarity.COSINE)
            self._keep(np.array([row]), found[None, :], scores[:, found])
            self.exact_dots += len(found)
            self.open[row] = False

    def _most_left_out(self, asked: NDArray[np.int64], level: float, last: NDArray[np.float64]) -> NDArray[np.float64]:
        """(len(asked),) float64: no item that a table left out has a larger ratio."""
        a, low, high = self._near[asked], float(self._bias.min()), float(self._bias.max())
        c = last + _ROUNDING * (np.abs(last) + level * max(abs(low), abs(high)) + 1.0)
        ends = np.stack([np.full_like(a, low), np.full_like(a, high), np.clip(2.0 * RATIO_FLOOR - a, low, high)])
        most: NDArray[np.float64] = ratio((c + level * ends) / 2.0, a, ends).max(axis=0)
        return most + _ROUNDING * np.abs(most)

    def _keep(self, asked: NDArray[np.int64], found: NDArray[np.int32], similarities: NDArray[np.float64]) -> None:
        """Rank candidates by ratio, then row, and keep the k best."""
        by_row = np.argsort(found, axis=1)
        found, similarities = np.take_along_axis(found, by_row, axis=1), np.take_along_axis(similarities, by_row, axis=1)
        ratios = ratio(similarities, self._near[asked][:, None], self._bias[found])
        best = np.argsort(-ratios, axis=1, kind="stable")[:, : self._k]
        self.rows[asked] = np.take_along_axis(found, best, axis=1)
        self.similarities[asked] = np.take_along_axis(similarities, best, axis=1)
        self.ratios[asked] = np.take_along_axis(ratios, best, axis=1)
