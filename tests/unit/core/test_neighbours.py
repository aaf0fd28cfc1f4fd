"""The oracle on cases small enough to work out by hand."""

import numpy as np
import pytest

from consilience_server.core.errors import InvalidK
from consilience_server.core.neighbours import nearest, neighbour_sets, self_scores
from consilience_server.core.similarity import Similarity


def test_order_is_by_score_then_by_row():
    scores = np.array([[0.5, 0.9, 0.5, 0.9, 0.1]])
    indices, values = nearest(scores, 4)
    assert indices.tolist() == [[1, 3, 0, 2]]
    assert values.tolist() == [[0.9, 0.9, 0.5, 0.5]]
    assert indices.dtype == np.int32


def test_self_is_excluded_by_position_not_by_value():
    x = np.array([[1.0], [1.0], [2.0]], dtype=np.float32)
    indices, values = nearest(self_scores(x, Similarity.SQUARED_L2), 2)
    assert indices.tolist() == [[1, 2], [0, 2], [0, 1]]
    assert values.tolist() == [[0.0, -1.0], [0.0, -1.0], [-1.0, -1.0]]


def test_tied_items_share_the_last_places():
    # One item above, three tied for the two places left.
    sets = neighbour_sets(np.array([[-np.inf, 1.0, 3.0, 1.0, 1.0, 0.0]]), 3)
    assert sets.indices.tolist() == [1, 2, 3, 4]
    assert sets.weights.tolist() == [2 / 3, 1.0, 2 / 3, 2 / 3]
    assert sets.weights.sum() == pytest.approx(3)
    assert sets.tied.tolist() == [True]
    assert (sets.k, sets.gallery, sets.n) == (3, 6, 1)


def test_a_group_that_fits_is_no_tie():
    sets = neighbour_sets(np.array([[2.0, 1.0, 1.0, 0.0]]), 3)
    assert sets.indices.tolist() == [0, 1, 2]
    assert sets.weights.tolist() == [1.0, 1.0, 1.0]
    assert sets.tied.tolist() == [False]


@pytest.mark.parametrize("k", [0, 3])
def test_k_out_of_range_is_refused_with_the_range(k):
    scores = np.array([[-np.inf, 1.0, 2.0]])
    for function in (nearest, neighbour_sets):
        with pytest.raises(InvalidK, match=f"k = {k}, but k must be between 1 and 2") as refused:
            function(scores, k)
        assert refused.value.field == "k"
