"""p-value, threshold and calibrated score against their definitions."""

import numpy as np
import pytest

from consilience_server.core.calibration import calibrate, excess


def test_excess_is_zero_at_chance_and_one_at_full_agreement():
    assert excess(0.2, 0.2) == 0.0
    assert excess(1.0, 0.2) == 1.0
    assert excess(0.1, 0.2) == pytest.approx(-0.125)
    assert excess(1.0, 1.0) == 0.0


@pytest.mark.parametrize(
    ("k", "alpha", "rank"), [(999, 0.05, 950), (999, 0.1, 900), (199, 0.05, 190), (99, 0.01, 99), (10, 0.05, 11), (19, 0.05, 19)]
)
def test_threshold_is_the_order_statistic_that_includes_the_observed_score(k, alpha, rank):
    null = np.random.default_rng(k).permutation(k) / k
    found = calibrate(-1.0, null, alpha)
    assert found.threshold == np.sort(np.append(null, -1.0))[rank - 1]
    assert found.p_value == 1.0
    assert calibrate(2.0, null, alpha).p_value == 1 / (k + 1)


def test_a_positive_calibrated_score_means_significant():
    draw = np.random.default_rng(0)
    for alpha in (0.01, 0.05, 0.1, 0.3):
        for k in (7, 19, 99, 100, 999):
            null = draw.integers(0, 40, k) / 40
            for score in np.arange(41) / 40:
                found = calibrate(float(score), null, alpha)
                if found.calibrated > 0:
                    assert found.p_value <= alpha
                    assert found.calibrated == pytest.approx((score - found.threshold) / (1 - found.threshold))


def test_scores_that_differ_by_rounding_only_are_equal():
    null = np.full(99, 0.15873015873015872)
    found = calibrate(0.15873015873015878, null, 0.05)
    assert found.p_value == 1.0
    assert found.calibrated == 0.0


def test_moments_of_the_null():
    null = np.array([0.1, 0.2, 0.3])
    found = calibrate(0.5, null, 0.05)
    assert found.null_mean == pytest.approx(0.2)
    assert found.null_sd == pytest.approx(0.1)
    assert calibrate(0.5, null[:1], 0.05).null_sd == 0.0
