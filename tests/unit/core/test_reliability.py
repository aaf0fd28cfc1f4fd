import numpy as np
import pytest

from consilience_server.core.errors import ShapeMismatch, TooFewItems
from consilience_server.core.reliability import column_correlations, column_reliability, reliability

DRAW = np.random.default_rng(0)


def test_correlations_are_those_of_numpy_and_nan_for_constant_columns():
    x, y = DRAW.normal(size=(2, 20, 4)) + 1e6
    x[:, 2] = 7
    expected = [np.corrcoef(x[:, column], y[:, column])[0, 1] if column != 2 else np.nan for column in range(4)]
    np.testing.assert_allclose(column_correlations(x, y), expected, atol=1e-9)


def test_two_repeats_are_split_halves():
    assert reliability(np.array([0.0, 0.5, 1.0]), 2) == pytest.approx([0, 2 / 3, 1])
    assert reliability(np.array([0.25]), 4) == pytest.approx([4 * 0.25 / 1.75])
    assert np.isnan(reliability(np.array([-1.0, np.nan]), 2)).all()


def test_it_is_the_squared_correlation_of_the_mean_with_the_truth():
    truth = DRAW.normal(size=(4000, 3))
    repeats = truth + DRAW.normal(size=(5, 4000, 3)) * np.array([0.5, 1, 3])
    expected = column_correlations(truth, repeats.mean(axis=0)) ** 2
    assert column_reliability(repeats) == pytest.approx(expected, abs=0.04)


def test_too_little_is_refused():
    with pytest.raises(ShapeMismatch, match="two repeats"):
        column_reliability(np.ones((1, 5, 2)))
    with pytest.raises(TooFewItems, match="3 items"):
        column_reliability(np.ones((2, 2, 2)))
