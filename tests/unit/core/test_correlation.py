import math

import numpy as np
import pytest
from scipy import stats

from consilience_server.core.correlation import line, pairing_test, pearson, pearson_interval, spearman, spearman_interval


def pairs(m, seed=0, strength=0.6):
    random = np.random.default_rng(seed)
    x = random.standard_normal(m)
    return x, strength * x + random.standard_normal(m)


@pytest.mark.parametrize("m", [3, 5, 8, 30])
def test_coefficients_and_line_are_those_of_scipy(m):
    x, y = pairs(m, seed=m)
    x[1] = x[0]
    assert pearson(x, y) == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-12)
    assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
    fitted = stats.linregress(x, y)
    assert line(x, y) == pytest.approx((fitted.slope, fitted.intercept), abs=1e-12)


def test_pearson_interval_is_that_of_scipy():
    x, y = pairs(12)
    expected = stats.pearsonr(x, y).confidence_interval(0.9)
    assert pearson_interval(pearson(x, y), 12, 0.9) == pytest.approx(tuple(expected), abs=1e-12)


def test_numbers_of_any_size_correlate_alike():
    x, y = pairs(9)
    for scale in (1e-200, 1e200):
        assert pearson(scale * x, y) == pytest.approx(pearson(x, y), abs=1e-12)


def test_a_constant_side_has_no_correlation():
    x, y = np.full(6, 0.1 + 0.2), np.arange(6.0)
    x[0] = 0.3
    assert math.isnan(pearson(x, y))
    assert math.isnan(line(x, y)[0])
    assert spearman_interval(math.nan, 6, 0.95) == (-1.0, 1.0)
    test = pairing_test(x, y, 99, 0)
    assert test.pearson == 1.0


@pytest.mark.parametrize("m", [4, 6, 8])
def test_of_few_pairs_all_pairings_are_tried(m):
    x, y = pairs(m, seed=m)
    told = pairing_test(x, y, 1, 0)
    assert (told.exact, told.pairings) == (True, math.factorial(m))
    for p, measure in ((told.pearson, stats.pearsonr), (told.spearman, stats.spearmanr)):
        if m < 8:
            exact = stats.permutation_test(
                (x,),
                lambda one, measure=measure: abs(measure(one, y).statistic),
                permutation_type="pairings",
                alternative="greater",
                n_resamples=10**6,
            )
            assert p == pytest.approx(exact.pvalue, abs=1e-12)
        assert p * math.factorial(m) == pytest.approx(round(p * math.factorial(m)), abs=1e-6)


def test_a_perfect_order_of_four_has_the_least_p_that_four_can_have():
    x = np.arange(4.0)
    assert pairing_test(x, x**3, 999, 0).spearman == pytest.approx(2 / 24)
    assert pairing_test(x, -x, 999, 0).spearman == pytest.approx(2 / 24)


def test_of_many_pairs_random_pairings_are_and_the_observed_one_counts():
    x = np.arange(20.0)
    told = pairing_test(x, x, 99, 0)
    assert (told.exact, told.pairings, told.spearman) == (False, 99, 0.01)
    assert pairing_test(x, x, 0, 0) is None


def test_the_order_of_the_pairs_does_not_matter():
    x, y = pairs(15)
    shuffled = np.random.default_rng(1).permutation(15)
    assert pairing_test(x, y, 199, 3) == pairing_test(x[shuffled], y[shuffled], 199, 3)


def test_chance_is_called_a_trend_as_often_as_the_level_says():
    random = np.random.default_rng(0)
    for m, draws in ((6, 60), (12, 400)):
        rejected = sum(
            pairing_test(random.standard_normal(m), random.exponential(size=m), 199, seed).spearman <= 0.05 for seed in range(draws)
        )
        assert rejected <= 0.05 * draws + 3 * math.sqrt(0.05 * 0.95 * draws)


@pytest.mark.parametrize(("m", "rho"), [(6, 0.0), (8, 0.8), (20, 0.5)])
def test_intervals_cover(m, rho):
    random = np.random.default_rng(m)
    truth = 6 / math.pi * math.asin(rho / 2)
    covered = covered_rank = 0
    for _ in range(600):
        x = random.standard_normal(m)
        y = rho * x + math.sqrt(1 - rho * rho) * random.standard_normal(m)
        low, high = pearson_interval(pearson(x, y), m, 0.95)
        covered += low <= rho <= high
        low, high = spearman_interval(spearman(x, y), m, 0.95)
        covered_rank += low <= truth <= high
    assert covered >= 0.93 * 600
    assert covered_rank >= 0.92 * 600


def test_a_perfect_order_of_few_proves_little():
    low, high = spearman_interval(1.0, 5, 0.95)
    assert high == 1.0
    assert low < 0.5
    assert spearman_interval(1.0, 3, 0.95) == (-1.0, 1.0)
    assert spearman_interval(1.0, 40, 0.95)[0] > 0.99
