"""Exact neighbours by the definition, as slow and as plain as it gets: the referee of every engine.

All scores, a full sort, no shortcut. An engine must agree with it to the bit, in items and in scores.
"""

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import InvalidK
from consilience_server.core.exact_score import exact_scores
from consilience_server.core.neighbour_sets import NeighbourSets
from consilience_server.core.similarity import Similarity


def self_scores(vectors: NDArray[np.float32], similarity: Similarity) -> NDArray[np.float64]:
    """Scores of all items of `vectors` (n, d) with each other: (n, n) float64, -inf on the diagonal, as self is excluded by position."""
    scores = exact_scores(vectors, vectors, similarity)
    np.fill_diagonal(scores, -np.inf)
    return scores


def nearest(scores: NDArray[np.float64], k: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """The k best of each row, by descending score, equal scores by ascending column.

    Args:
        scores: (m, n) float64; -inf marks an excluded column.
        k: 1 <= k <= the number of columns that are not excluded, in every row.

    Returns:
        (m, k) int32 columns and their (m, k) float64 scores, best first.

    Raises:
        InvalidK: if some row has fewer than k columns.
    """
    _check_k(scores, k)
    columns = np.arange(scores.shape[1])
    order = np.array([np.lexsort((columns, -row))[:k] for row in scores], dtype=np.int32).reshape(len(scores), k)
    return order, np.take_along_axis(scores, order, axis=1)


def neighbour_sets(scores: NDArray[np.float64], k: int) -> NeighbourSets:
    """The k-neighbour sets of each row with the weights of the tie rule, for groups of any size.

    An item above the k-th score weighs 1; an item equal to it weighs (k - n_above) / n_tied.

    Args:
        scores: (m, n) float64; -inf marks an excluded column.
        k: as in `nearest`.

    Raises:
        InvalidK: if some row has fewer than k columns.
    """
    _check_k(scores, k)
    indices, weights, tied, lengths = [], [], [], []
    for row in scores:
        kth = np.sort(row)[::-1][k - 1]
        above = np.flatnonzero(row > kth)
        equal = np.flatnonzero(row == kth)
        share = (k - len(above)) / len(equal)
        weight = np.zeros(len(row))
        weight[above] = 1.0
        weight[equal] = share
        members = np.flatnonzero(weight)
        indices.append(members)
        weights.append(weight[members])
        tied.append(share < 1.0)
        lengths.append(len(members))
    return NeighbourSets(
        indptr=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        indices=np.concatenate([np.empty(0, np.int64), *indices]).astype(np.int32),
        weights=np.concatenate([np.empty(0), *weights]),
        k=k,
        gallery=scores.shape[1],
        tied=np.array(tied, dtype=np.bool_),
    )


def _check_k(scores: NDArray[np.float64], k: int) -> None:
    available = int(np.isfinite(scores).sum(axis=1).min()) if scores.size else 0
    if not 1 <= k <= available:
        raise InvalidK(
            f"k = {k}, but k must be between 1 and {available}, the number of items to choose from", field="k", k=k, limit=available
        )
