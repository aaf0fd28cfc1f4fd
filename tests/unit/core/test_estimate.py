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


def test_few_values_give_all_of_them():
    assert median_estimate(np.array([3, 1, 2])) == Estimate(2.0, 1.0, 3.0)


def test_the_jackknife_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(3).random(25)
    without = np.array([np.delete(values, i).mean() for i in range(25)])
    found = jackknife_estimate(float(values.mean()), without)
    low, high = scipy.stats.t.interval(0.95, 24, values.mean(), scipy.stats.sem(values))
    assert (found.low, found.high) == pytest.approx((low, high))
