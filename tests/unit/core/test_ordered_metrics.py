"""Cycle k-NN, LCS and edit distance by hand, on lists that tell them apart, and their refusals."""

from itertools import permutations

import numpy as np
import pytest

from consilience_server.core.cycle_knn import chance, cycle_knn
from consilience_server.core.edit_distance_knn import edit_distance_knn
from consilience_server.core.errors import InvalidK, ShapeMismatch
from consilience_server.core.lcs_knn import lcs_knn
from consilience_server.core.ordered_lists import OrderedLists, ordered_lists


def lists(*rows):
    return OrderedLists(np.array(rows, dtype=np.int32))


def test_order_metrics_see_what_sets_do_not():
    a, reversed_a, shifted = lists([1, 2, 3, 4]), lists([4, 3, 2, 1]), lists([2, 3, 4, 5])
    assert lcs_knn(a, a) == edit_distance_knn(a, a) == 1.0
    assert lcs_knn(a, reversed_a) == 0.25
    assert edit_distance_knn(a, reversed_a) == 0.0
    assert lcs_knn(a, shifted) == 0.75
    assert edit_distance_knn(a, shifted) == 0.5  # one deletion and one insertion
    assert lcs_knn(a, lists([5, 6, 7, 8])) == edit_distance_knn(a, lists([5, 6, 7, 8])) == 0.0


def test_a_cycle_goes_out_in_the_second_space_and_comes_back_in_the_first():
    x, y = lists([1], [2], [0]), lists([2], [0], [1])
    assert cycle_knn(x, y) == 1.0  # y: 0 to 2, x: 2 to 0
    assert cycle_knn(x, x) == 0.0
    hub, spokes = lists([1], [0], [0]), lists([2], [2], [1])
    assert cycle_knn(hub, spokes) == pytest.approx(1 / 3)  # only 0: spokes leads to 2, hub back to 0
    assert cycle_knn(spokes, hub) == pytest.approx(1 / 3)


@pytest.mark.parametrize("k", [1, 2])
def test_the_chance_of_cycles_is_the_mean_over_all_pairings(k):
    draw = np.random.default_rng(k)
    n = 6
    x, y = (ordered_lists(draw.normal(size=(n, n)), k, np.arange(n, dtype=np.uint64)) for _ in range(2))
    scores = []
    for pairing in permutations(range(n)):
        moved = np.empty_like(y.indices)
        moved[list(pairing)] = np.array(pairing)[y.indices]
        scores.append(cycle_knn(x, OrderedLists(moved)))
    assert chance(np.bincount(x.indices.ravel(), minlength=n), k) == pytest.approx(np.mean(scores), abs=1e-12)


def test_ties_are_decided_by_key():
    scores = np.array([[0, 1.0, 1.0, 2.0], [1, 0, 1, 1], [3, 2, 0, 1], [1, 1, 2, 0]])
    keys = np.array([9, 5, 3, 7], dtype=np.uint64)
    assert ordered_lists(scores, 3, keys).indices.tolist() == [[3, 2, 1], [2, 3, 0], [0, 1, 3], [2, 1, 0]]
    assert ordered_lists(scores, 1, keys).indices.tolist() == [[3], [2], [0], [2]]


@pytest.mark.parametrize("metric", [cycle_knn, lcs_knn, edit_distance_knn])
def test_lists_that_do_not_belong_together_are_refused(metric):
    with pytest.raises(ShapeMismatch, match="join"):
        metric(lists([1], [0]), lists([1], [0], [1]))
    with pytest.raises(InvalidK, match="same k"):
        metric(lists([1], [0]), lists([1, 0], [0, 1]))


@pytest.mark.parametrize("k", [0, 4])
def test_k_outside_its_range_is_refused(k):
    with pytest.raises(InvalidK):
        ordered_lists(np.eye(4), k, np.arange(4, dtype=np.uint64))
    with pytest.raises(InvalidK):
        chance(np.ones(4, dtype=np.int64), k)
