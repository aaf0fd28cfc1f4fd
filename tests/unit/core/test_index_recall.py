"""Recall of an index against hand-made answers, and the coverage of its interval by simulation."""

import numpy as np
import pytest

from consilience_server.core.index_recall import index_recall_at_k


def test_the_share_of_the_exact_answer():
    exact = np.array([[9.0, 8, 7], [5, 4, 3]])
    found = np.array([[9.0, 7, 6], [5, 4, 3]])
    assert index_recall_at_k(found, exact, 1).value == 1.0
    assert index_recall_at_k(found, exact, 2).value == 0.75
    assert index_recall_at_k(found, exact, 3).value == pytest.approx(5 / 6)


def test_items_that_tie_with_the_last_place_count():
    exact = np.array([[1.0, 1.0, 1.0]])
    assert index_recall_at_k(exact.copy(), exact, 2).value == 1.0
    assert index_recall_at_k(np.array([[1.0, np.nextafter(1.0, 0)]]), exact, 2).value == 0.5
    assert index_recall_at_k(np.array([[1.0, -np.inf]]), exact, 2).value == 0.5


def test_wilsons_interval_by_its_published_values():
    """Newcombe 1998, table I: 81 of 263 and 0 of 20."""
    found = np.zeros((263, 1))
    found[:81] = 1.0
    recall = index_recall_at_k(found, np.ones((263, 1)), 1)
    assert (round(recall.low, 4), round(recall.high, 4)) == (0.2553, 0.3662)
    recall = index_recall_at_k(np.zeros((20, 1)), np.ones((20, 1)), 1)
    assert (recall.low, round(recall.high, 4)) == (0.0, 0.1611)


def test_a_probe_that_is_answered_in_full_proves_no_certainty():
    recall = index_recall_at_k(np.ones((256, 10)), np.ones((256, 10)), 10)
    assert (recall.value, recall.high, recall.k, recall.probe_queries) == (1.0, 1.0, 10, 256)
    assert 0.98 < recall.low < 0.99


@pytest.mark.parametrize("truth", [0.5, 0.9, 0.99])
def test_the_interval_covers_the_mean_at_least_as_often_as_it_says(truth):
    """Answers of a query stand and fall together in part, as those of a graph's searches do."""
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        chance = random.beta(20 * truth, 20 * (1 - truth), size=(64, 1))
        hits = -np.sort(-(random.random((64, 10)) < chance).astype(np.float64), axis=1)
        recall = index_recall_at_k(hits, np.ones((64, 10)), 10)
        covered += recall.low <= truth <= recall.high
    assert covered >= 0.95 * 400
