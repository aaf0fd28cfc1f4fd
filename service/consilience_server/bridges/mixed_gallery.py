"""A gallery of which some items are re-embedded and the others still old: two kinds of scores in one ranking."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.upgrade_lists import Side
from consilience_server.core.centring import unit
from consilience_server.core.control import Control
from consilience_server.core.exact_score import exact_scores
from consilience_server.core.similarity import Similarity
from consilience_server.engine.protocol import NeighbourEngine

_BANK_QUERIES = 512
_BANK_ITEMS = 4096


@dataclass(frozen=True)
class Scale:
    """Mean and deviation of the scores of one source: of a bank of queries with the items."""

    mean: float
    deviation: float

    def standardised(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Z = (score - mean) / deviation."""
        scaled: NDArray[np.float64] = (scores - self.mean) / self.deviation
        return scaled


def scale_of(queries: NDArray[np.float32], gallery: NDArray[np.float32], similarity: Similarity) -> Scale:
    """The scale of a source from a bank of queries: mean and deviation of their scores with up to 4,096 items.

    Args:
        queries: (m, d) float32, the bank; the first 512 are used.
        gallery: (n, d) float32, in an order that says nothing; the first 4,096 are used.
        similarity: of the source.

    Agrees to 1e-12 on any machine. A source without spread has a deviation of 1.
    """
    asked, items = queries[:_BANK_QUERIES].astype(np.float64), gallery[:_BANK_ITEMS].astype(np.float64)
    if similarity is Similarity.COSINE:
        asked, items = unit(asked), unit(items)
    scores = asked @ items.T
    if similarity is Similarity.SQUARED_L2:
        scores = 2.0 * scores - (asked * asked).sum(axis=1)[:, None] - (items * items).sum(axis=1)
    deviation = float(scores.std())
    return Scale(float(scores.mean()), deviation if deviation > 0.0 else 1.0)


def mixed_lists(
    native: Side,
    translated: Side,
    scales: tuple[Scale, Scale],
    is_native: NDArray[np.bool_],
    own: NDArray[np.int64],
    depth: int,
    engine: NeighbourEngine,
    control: Control,
) -> NDArray[np.int64]:
    """(m, depth) rows of the best by the standardised score of the source that holds each item; equal scores go by row.

    The best of either source are found exactly, then the two lists become one.

    Args:
        native: new queries and the gallery of new vectors.
        translated: the queries bridged, and the gallery of old vectors where they meet.
        scales: of the two.
        is_native: (n,) which items are re-embedded.
        own: (m,) the row a query must not find, -1 for none.
        depth: of the lists, less than the number of items.
        engine: searches.
        control: cancellation.
    """
    rows, scores = [], []
    for side, scale, held in ((native, scales[0], is_native), (translated, scales[1], ~is_native)):
        there = np.flatnonzero(held)
        if len(there) <= depth:
            rows.append(np.where(own[:, None] == there, -1, there))
            scores.append(scale.standardised(exact_scores(side.queries, side.gallery[there], side.similarity)))
            continue
        place = np.full(len(is_native) + 1, -1, dtype=np.int64)
        place[there] = np.arange(len(there))
        table = engine.query(side.queries, side.gallery[there], side.similarity, depth, exclude=place[own], control=control)
        rows.append(there[table.indices[:, :depth]])
        scores.append(scale.standardised(table.scores[:, :depth]))
    found, merit = np.concatenate(rows, axis=1), np.concatenate(scores, axis=1)
    merit = np.where(found < 0, -np.inf, merit)
    order = np.lexsort((found, -merit), axis=1)[:, :depth]
    return np.take_along_axis(found, order, axis=1)
