"""What an approximate index found, scored and ranked by the definition."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.exact_score import exact_pair_scores
from consilience_server.core.similarity import Similarity
from consilience_server.engine.row_blocks import for_row_blocks

_GATHER_BYTES = 16 << 20
"""Candidates of a block of queries, gathered by each thread."""


def rank_candidates(
    queries: NDArray[np.float32],
    gallery: NDArray[np.float32],
    similarity: Similarity,
    candidates: NDArray[np.int64],
    exclude: NDArray[np.int64] | None,
    k: int,
    threads: int,
    control: Control,
    corrected: Callable[[NDArray[np.float64], NDArray[np.int64]], NDArray[np.float64]] | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.bool_]]:
    """The k best of each query's candidates, by exact similarity or corrected score, and then by row.

    Args:
        queries: (m, d) float32, raw.
        gallery: (n, d) float32, raw.
        similarity: how nearness is measured.
        candidates: (m, c) gallery rows, c >= k, -1 where the index found nothing; a row named twice counts once.
        exclude: (m,) the gallery row that is each query itself, -1 for none.
        k: matches of each query.
        threads: threads for the exact scores.
        control: cancellation.
        corrected: the scores to rank by, from (m, c) exact similarities, -inf where nothing was found, and (m, c) rows; None ranks by the
            similarities.

    Returns:
        (m, k) int32 rows and (m, k) float64 scores, best first; and (m,) bool, whether a query has fewer than k candidates: its line is
        then not to be used.
    """
    m, c = candidates.shape
    rows = np.sort(candidates, axis=1)
    usable = rows >= 0
    usable[:, 1:] &= rows[:, 1:] != rows[:, :-1]
    if exclude is not None:
        usable &= rows != exclude[:, None]
    scores = np.full((m, c), -np.inf)

    def score(block: slice) -> None:
        control.check()
        asked, places = np.nonzero(usable[block])
        # An item that several queries found is gathered, and its norm taken, once.
        matches, which = np.unique(rows[block][asked, places], return_inverse=True)
        scores[block][asked, places] = exact_pair_scores(queries[block], gallery[matches], similarity, asked, which)

    step = min(-(-m // threads), _GATHER_BYTES // (4 * c * gallery.shape[1]))
    for_row_blocks(m, step, threads, score)
    if corrected is not None:
        scores = corrected(scores, rows)
    # Ascending rows, stably by score: equal scores stay by row.
    best = np.argsort(np.where(usable, -scores, np.inf), axis=1, kind="stable")[:, :k]
    taken = np.take_along_axis(rows, best, axis=1).astype(np.int32)
    return taken, np.take_along_axis(scores, best, axis=1), usable.sum(axis=1) < k
