"""Candidates become answers by the definition, whatever an index hands over."""

import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled
from consilience_server.core.exact_score import exact_scores
from consilience_server.core.neighbours import nearest
from consilience_server.core.similarity import Similarity
from consilience_server.engine.approximate_ranking import rank_candidates

X = np.random.default_rng(0).standard_normal((60, 70)).astype(np.float32)
X[7] = X[3]


@pytest.mark.parametrize("similarity", list(Similarity))
@pytest.mark.parametrize("excluding", [False, True])
@pytest.mark.parametrize("threads", [1, 3])
def test_all_candidates_give_the_oracle(similarity, excluding, threads):
    random = np.random.default_rng(1)
    candidates = np.array([random.permutation(60) for _ in range(20)])
    exclude = np.where(np.arange(20) % 3, np.arange(20), -1) if excluding else None
    rows, scores, short = rank_candidates(X[:20], X, similarity, candidates, exclude, 9, threads, Control())
    expected = exact_scores(X[:20], X, similarity)
    if excluding:
        own = exclude >= 0
        expected[np.flatnonzero(own), exclude[own]] = -np.inf
    indices, values = nearest(expected, 9)
    assert np.array_equal(rows, indices)
    assert np.array_equal(scores, values)
    assert not short.any()


def test_gaps_repetitions_and_the_item_itself_do_not_count():
    candidates = np.array([[5, 5, 2, -1], [1, 2, 3, -1], [-1, -1, -1, -1], [3, 9, 10, 11]])
    exclude = np.array([2, -1, -1, 3])
    rows, scores, short = rank_candidates(X[:4], X, Similarity.COSINE, candidates, exclude, 2, 1, Control())
    assert short.tolist() == [True, False, True, False]
    assert (rows[0, 0], np.isneginf(scores[0, 1]), np.isneginf(scores[2]).all()) == (5, True, True)
    assert set(rows[3]) <= {9, 10, 11}


def test_equal_scores_go_by_row():
    rows, scores, _ = rank_candidates(X[3:4], X, Similarity.COSINE, np.array([[9, 7, 3]]), None, 2, 1, Control())
    assert rows.tolist() == [[3, 7]]
    assert scores[0, 0] == scores[0, 1]


def test_cancelled_work_stops():
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        rank_candidates(X, X, Similarity.COSINE, np.zeros((60, 3), np.int64), None, 1, 1, control)
