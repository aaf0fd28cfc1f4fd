"""Calibration on data drawn from a known model, its properties, and the assignment against brute force."""

import itertools

import numpy as np
import pytest

from consilience_server.core.match_calibration import expected_calibration_error, fit_calibration
from consilience_server.core.one_to_one import one_to_one


def drawn(m, k=8, slope=6.0, offset=-2.0, seed=0):
    """Scores, partners drawn by the model itself, and the probabilities that drew them."""
    rng = np.random.default_rng(seed)
    scores = -np.sort(-rng.normal(0.5, 0.3, (m, k)), axis=1)
    parts = np.exp(slope * scores + offset)
    truth = parts / (1 + parts.sum(axis=1, keepdims=True))
    chosen = (rng.random((m, 1)) > np.cumsum(truth, axis=1)).sum(axis=1)
    return scores, np.where(chosen < k, chosen, -1), truth


def test_the_model_that_drew_the_data_is_found():
    model = fit_calibration(*drawn(4000)[:2])
    scores, _, truth = drawn(500, seed=1)
    assert np.abs(model.probabilities(scores) - truth).max() < 0.05
    assert model.slope / model.scale == pytest.approx(6.0, rel=0.1)
    assert model.across > 0.8
    assert model.pairs == 4000


def test_scores_may_order_matches_and_tell_little_across_queries():
    """A level of its own for each query, which says nothing of whether its partner was found."""
    scores, places, truth = drawn(3000, offset=-2.0)
    level = np.random.default_rng(9).normal(0, 1.0, (3000, 1))
    model = fit_calibration(scores + level, places)
    assert model.across < 0.2
    told = model.probabilities(scores + level)
    assert expected_calibration_error(told[:, 0], places == 0) < 0.04
    assert np.abs(told.sum(axis=1).mean() - truth.sum(axis=1).mean()) < 0.02


def test_held_out_probabilities_are_frequencies():
    model = fit_calibration(*drawn(500)[:2])
    scores, places, _ = drawn(5000, seed=2)
    assert expected_calibration_error(model.probabilities(scores)[:, 0], places == 0) < 0.04
    assert model.error < 0.1
    assert model.accuracy == pytest.approx(np.mean(drawn(500)[1] == 0))


def test_it_is_monotone_in_the_own_score_and_in_the_gap():
    model = fit_calibration(*drawn(500)[:2])
    one = np.array([[0.9, 0.5, 0.2]])
    for step in (0.01, 0.1, 0.5):
        assert model.probabilities(one + np.array([step, 0, 0]))[0, 0] > model.probabilities(one)[0, 0]
        assert model.probabilities(one + np.array([0, step, 0]))[0, 0] < model.probabilities(one)[0, 0]
    scores, _, _ = drawn(200, seed=3)
    told = model.probabilities(scores)
    assert (np.diff(told, axis=1) <= 0).all()
    assert (told.sum(axis=1) < 1).all()
    assert (told > 0).all()


@pytest.mark.parametrize("places", [0, -1])
def test_where_all_are_found_or_none_it_stays_finite(places):
    scores, _, _ = drawn(100)
    told = fit_calibration(scores, np.full(100, places)).probabilities(scores)
    assert np.isfinite(told).all()
    # Best ones that lie close to the next stay uncertain, whatever happened so far.
    assert told[:, 0].mean() > 0.9 if places == 0 else (told.sum(axis=1) < 0.05).all()


def test_scores_that_tell_nothing_get_the_base_rate():
    rng = np.random.default_rng(0)
    scores = -np.sort(-rng.random((2000, 5)), axis=1)
    places = np.where(rng.random(2000) < 0.4, rng.integers(0, 5, 2000), -1)
    told = fit_calibration(scores, places).probabilities(scores)
    assert np.allclose(told, 0.08, atol=0.02)


def test_equal_scores_are_no_division_by_zero():
    told = fit_calibration(np.ones((60, 1)), np.where(np.arange(60) % 2, 0, -1)).probabilities(np.ones((1, 1)))
    assert told[0, 0] == pytest.approx(0.5, abs=0.02)


def test_expected_calibration_error_by_hand():
    probabilities = np.repeat([0.2, 0.8], 5)
    right = np.array([True, False, False, False, False] + [True] * 5)
    assert expected_calibration_error(probabilities, right) == pytest.approx((0.8 + 4 * 0.2 + 5 * 0.2) / 10)


@pytest.mark.parametrize(("m", "n"), [(1, 1), (3, 3), (4, 6)])
def test_an_assignment_has_the_largest_sum(m, n):
    scores = np.random.default_rng(m * n).standard_normal((m, n))
    best = max(itertools.permutations(range(n), m), key=lambda places: sum(scores[row, place] for row, place in enumerate(places)))
    assert one_to_one(scores).tolist() == list(best)
