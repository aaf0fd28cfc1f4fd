"""The two kinds of interval: formulas, limits, and coverage of the sampling of queries."""

import math

import numpy as np
import pytest
from scipy import optimize, stats

from consilience_server.core.intervals import (
    GROUPS,
    group_sizes,
    half_interval,
    item_interval,
    jackknife_variance,
    list_depth,
    query_interval,
)


def test_all_queries_asked_leave_nothing_uncertain():
    overlaps = np.random.default_rng(0).random(50)
    assert query_interval(overlaps, 50, 0.95, 0.0, 1.0) == (overlaps.mean(), overlaps.mean())
    assert query_interval(overlaps[:1], 50, 0.95, 0.0, 1.0) == (0.0, 1.0)


def test_sampled_queries_by_the_finite_population_formula():
    overlaps = np.random.default_rng(0).random(20)
    mean, error = overlaps.mean(), overlaps.std(ddof=1) / math.sqrt(20) * math.sqrt(1 - 20 / 80)

    def excess_of(u):
        """Of the distance over t standard errors, where the error at u has the sample's ratio to that of a proportion."""
        return abs(mean - u) - stats.t.ppf(0.95, 19) * error * math.sqrt(u * (1 - u) / (mean * (1 - mean)))

    expected = (optimize.brentq(excess_of, 1e-9, mean), optimize.brentq(excess_of, mean, 1 - 1e-9))
    assert query_interval(overlaps, 80, 0.9, 0.0, 1.0) == pytest.approx(expected)
    assert query_interval(2 * overlaps - 1, 80, 0.9, -1.0, 1.0) == pytest.approx([2 * end - 1 for end in expected])
    many = np.tile(overlaps, 200)
    plain = stats.t.interval(0.9, 3999, mean, many.std(ddof=1) / math.sqrt(4000) * math.sqrt(1 - 4000 / 16000))
    assert query_interval(many, 16000, 0.9, 0.0, 1.0) == pytest.approx(plain, abs=2e-5)


def test_queries_that_all_score_alike_leave_something_uncertain():
    low, high = query_interval(np.zeros(30), 3000, 0.95, 0.0, 1.0)
    assert low == 0.0
    assert high == pytest.approx(stats.t.ppf(0.975, 29) ** 2 * 0.99 / (30 + stats.t.ppf(0.975, 29) ** 2 * 0.99))
    low, high = query_interval(np.full(30, 0.5), 3000, 0.95, 0.0, 1.0)
    assert low < 0.5 < high


@pytest.mark.parametrize(("share", "m"), [(0.03, 20), (0.03, 64), (0.008, 64)])
def test_few_queries_of_sparse_agreement_are_covered_too(share, m):
    draw = np.random.default_rng(2)
    population = draw.binomial(10, np.where(draw.random(4000) < 0.3, share / 0.3, 0.0)) / 10
    ends = np.array([query_interval(draw.choice(population, m, replace=False), 4000, 0.95, 0.0, 1.0) for _ in range(1000)])
    covered = np.mean((ends[:, 0] <= population.mean()) & (population.mean() <= ends[:, 1]))
    assert 0.93 <= covered <= 0.985


def test_sampled_queries_cover_the_mean_over_all():
    draw = np.random.default_rng(1)
    population = draw.binomial(10, draw.beta(1, 3, 2000)) / 10
    covered = 0
    for _ in range(1000):
        low, high = query_interval(draw.choice(population, 200, replace=False), 2000, 0.95, 0.0, 1.0)
        covered += low <= population.mean() <= high
    assert 0.93 <= covered / 1000 <= 0.97


@pytest.mark.parametrize("n", [40, 64, 100, 333])
def test_the_jackknife_of_a_mean_is_the_textbook_standard_error(n):
    values = np.random.default_rng(n).normal(0.5, 0.01, n)
    sizes = group_sizes(n)
    without = np.array([np.delete(values, np.s_[g :: len(sizes)]).mean() for g in range(len(sizes))])
    low, high = item_interval(values.mean(), values.mean(), without, sizes, 0.95, 0.0, 1.0)
    textbook = values.std(ddof=1) / math.sqrt(n)
    assert (high - low) / 2 == pytest.approx(stats.t.ppf(0.975, len(sizes) - 1) * widened(len(sizes)) * textbook, rel=0.35)


def widened(groups):
    """By how much an error grows whose square is taken one standard error of itself higher."""
    return math.sqrt(1 + math.sqrt(2 / (groups - 1)))


def test_single_items_as_groups_give_the_textbook_standard_error_but_for_its_own_error():
    values = np.random.default_rng(0).normal(0.5, 0.05, 20)
    without = np.array([np.delete(values, g).mean() for g in range(20)])
    low, high = item_interval(values.mean(), values.mean(), without, group_sizes(20), 0.95, 0.0, 1.0)
    textbook = values.std(ddof=1) / math.sqrt(20)
    assert math.sqrt(jackknife_variance(values.mean(), without, group_sizes(20))) == pytest.approx(textbook)
    assert (low, high) == pytest.approx(stats.t.interval(0.95, 19, values.mean(), widened(20) * textbook))


def test_skewed_items_are_covered_as_often_as_promised():
    """Means of exponential items, two a group: the variance falls with the mean, and unwidened 93.4% are covered."""
    draw, sizes, covered = np.random.default_rng(3), group_sizes(64), 0
    for values in draw.exponential(size=(4000, 64)):
        without = (values.sum() - values.reshape(2, 32).sum(axis=0)) / 62
        low, high = item_interval(values.mean(), values.mean(), without, sizes, 0.95, 0.0, math.inf)
        covered += low <= 1.0 <= high
    assert covered / 4000 >= 0.95


def test_groups_of_unequal_size_do_not_fake_variance():
    sizes = group_sizes(40)
    assert set(sizes) == {1, 2}
    # A statistic that only grows with what is deleted: its bias is no variance.
    without = 0.5 - 0.1 * sizes / (40 - sizes) * (1 - sizes / 40)
    assert jackknife_variance(0.5, without, sizes) < (1e-3 / (2 * stats.t.ppf(0.975, 31))) ** 2


def test_the_interval_is_cut_to_the_range_and_whole_where_nothing_is_known():
    sizes = group_sizes(64)
    without = 0.98 + 0.02 * np.random.default_rng(0).random(32)
    low, high = item_interval(0.99, 0.99, without, sizes, 0.95, 0.0, 1.0)
    assert 0.0 <= low < 0.99 < high == 1.0
    without[3] = np.nan
    assert item_interval(0.99, 0.99, without, sizes, 0.95, -1.0, 1.0) == (-1.0, 1.0)
    assert item_interval(0.5, 0.5, np.array([0.5]), np.array([1]), 0.95, 0.0, 1.0) == (0.0, 1.0)


def test_lists_are_deep_enough_to_be_refilled():
    draw = np.random.default_rng(0)
    for k in (1, 10, 100, 1000):
        depth = list_depth(k, 10**6)
        left = depth - draw.binomial(depth, 1 / GROUPS, 100_000)
        assert (left < k).mean() < 2e-3
    assert list_depth(10, 12) == 11


def test_half_samples_give_their_root_mean_square_around_the_score():
    halves = np.array([0.2, 0.4, 0.6, 0.5])
    error = np.sqrt(((halves - 0.5) ** 2).mean())
    low, high = half_interval(0.5, halves, 0.9, 0.0, 1.0)
    assert (low, high) == pytest.approx((0.5 - stats.t.ppf(0.95, 3) * error, 0.5 + stats.t.ppf(0.95, 3) * error))
    assert half_interval(0.5, np.array([0.2, np.nan]), 0.9, 0.0, 1.0) == (0.0, 1.0)
