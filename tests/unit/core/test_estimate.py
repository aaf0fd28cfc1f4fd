import numpy as np
import pytest
import scipy.stats

from consilience_server.core.estimate import Estimate, jackknife_estimate, mean_estimate, median_estimate


def test_the_mean_has_students_interval():
    values = np.random.default_rng(0).random(30)
    found = mean_estimate(values, 0.0, 1.0)
    low, high = scipy.stats.t.interval(0.95, 29, values.mean(), scipy.stats.sem(values))
    assert (found.value, found.low, found.high) == pytest.approx((values.mean(), low, high))


def test_a_range_is_never_left_and_one_query_tells_nothing():
    assert mean_estimate(np.array([0.0, 0.0, 1.0]), 0.0, 1.0).low == 0.0
    assert mean_estimate(np.array([0.5]), 0.0, 1.0) == Estimate(0.5, 0.0, 1.0)


def test_the_median_lies_between_order_statistics():
    values = np.random.default_rng(1).permutation(100)
    found = median_estimate(values)
    theirs = scipy.stats.quantile_test(values, q=49.5, p=0.5).confidence_interval(0.95)
    assert (found.value, found.low, found.high) == (49.5, theirs.low, theirs.high)


def test_the_median_covers():
    rng = np.random.default_rng(2)
    found = [median_estimate(rng.geometric(0.3, 41)) for _ in range(400)]
    assert np.mean([told.low <= 2 <= told.high for told in found]) >= 0.93


def test_equal_values_leave_room_for_values_that_were_not_drawn():
    for count in (2, 10, 300):
        found = mean_estimate(np.ones(count), 0.0, 1.0)
        assert (found.value, found.high) == (1.0, 1.0)
        assert found.low == pytest.approx(scipy.stats.binomtest(count, count, alternative="greater").proportion_ci(0.95).low)
    third = mean_estimate(np.full(7, 1 / 3), 0.0, 1.0)
    assert third.low < third.value == 1 / 3 < third.high
    assert (third.high - third.value) / (third.value - third.low) == pytest.approx(2.0)
    assert mean_estimate(np.zeros(5), -1.0, 1.0).low == pytest.approx(-(1 - 0.05 ** (1 / 5)))


def test_a_rare_failure_is_inside_the_interval_of_few_queries():
    rng = np.random.default_rng(4)
    found = [mean_estimate((rng.random(10) < 0.9).astype(float), 0.0, 1.0) for _ in range(400)]
    assert np.mean([told.low <= 0.9 <= told.high for told in found]) >= 0.9


def test_few_values_have_no_interval_of_the_median():
    rng = np.random.default_rng(5)
    for count in range(1, 6):
        assert median_estimate(np.arange(count)) is None
    found = [median_estimate(rng.random(6)) for _ in range(400)]
    assert np.mean([told.low <= 0.5 <= told.high for told in found]) >= 0.93


def test_the_jackknife_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(3).random(25)
    without = np.array([np.delete(values, i).mean() for i in range(25)])
    found = jackknife_estimate(float(values.mean()), without)
    low, high = scipy.stats.t.interval(0.95, 24, values.mean(), scipy.stats.sem(values))
    assert (found.low, found.high) == pytest.approx((low, high))
