"""Exact similarities of queries with some gallery items each, gathered a few mebibytes at a time."""

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.exact_score import exact_pair_scores
from consilience_server.core.similarity import Similarity

_GATHER_BYTES = 32 << 20


def gathered_scores(
    queries: NDArray[np.float32], gallery: NDArray[np.float32], similarity: Similarity, rows: NDArray[np.int32], control: Control
) -> NDArray[np.float64]:
    """The score of query i with gallery item rows[i, j], (m, k) float64 (`core/exact_score.py`); never the whole gallery is copied.

    Args:
        queries: (m, d) float32.
        gallery: (n, d) float32.
        similarity: how nearness is measured.
        rows: (m, k) int32 gallery rows.
        control: cancellation.
    """
    m, k = rows.shape
    scores = np.empty((m, k))
    step = max(1, _GATHER_BYTES // (4 * k * gallery.shape[1]))
    for start in range(0, m, step):
        control.check()
        block = slice(start, start + step)
        # An item that several queries found is gathered, and its norm taken, once.
        items, which = np.unique(rows[block].ravel(), return_inverse=True)
        asked = np.repeat(np.arange(len(rows[block])), k)
        scores[block] = exact_pair_scores(queries[block], gallery[items], similarity, asked, which).reshape(-1, k)
    return scores
