"""Stratified sampling of queries: allocation, estimator, variance and coverage."""

import numpy as np
import pytest

from consilience_server.core.errors import InvalidArgument
from consilience_server.core.intervals import query_interval
from consilience_server.core.strata import Strata, allocate, stratified_interval


def test_queries_are_given_in_proportion_and_two_to_each():
    assert allocate(np.array([50, 30, 20]), 10).tolist() == [5, 3, 2]
    assert allocate(np.array([900, 96, 4]), 100).tolist() == [89, 9, 2]
    assert allocate(np.array([1, 2, 97]), 10).tolist() == [1, 2, 7]
    assert allocate(np.array([5, 5]), 10).tolist() == [5, 5]
    with pytest.raises(InvalidArgument, match="5 queries for 3 strata; ask at least 6"):
        allocate(np.array([50, 30, 20]), 5)
    draw = np.random.default_rng(0)
    for _ in range(50):
        sizes = draw.integers(1, 60, 12)
        given = allocate(sizes, int(min(sizes.sum(), 60)))
        assert given.sum() == min(sizes.sum(), 60)
        assert (given <= sizes).all()
        assert (given >= np.minimum(sizes, 2)).all()


def test_one_stratum_is_a_plain_sample():
    scores = np.random.default_rng(0).random(30)
    strata = Strata(np.zeros(30, dtype=np.int64), np.array([200]))
    assert stratified_interval(scores, strata, 0.9, 0.0, 1.0) == pytest.approx(query_interval(scores, 200, 0.9, 0.0, 1.0), rel=1e-12)
    np.testing.assert_allclose(strata.weights(), 1.0)


def test_weights_make_the_mean_of_the_strata():
    strata = Strata(np.array([0, 0, 1, 1, 1]), np.array([10, 90]))
    scores = np.array([0.2, 0.4, 0.5, 0.6, 0.7])
    assert (strata.weights() * scores).mean() == pytest.approx(0.1 * 0.3 + 0.9 * 0.6)
    assert strata.weights().mean() == pytest.approx(1.0)


def test_strata_that_are_asked_whole_leave_nothing_uncertain():
    scores = np.random.default_rng(0).random(6)
    assert np.ptp(stratified_interval(scores, Strata(np.array([0, 0, 1, 1, 1, 1]), np.array([2, 4])), 0.95, 0.0, 1.0)) == 0.0


def test_the_interval_covers_and_is_narrower_than_a_plain_sample_s():
    draw = np.random.default_rng(3)
    sizes = np.array([800, 500, 150, 50])
    of = np.repeat(np.arange(4), sizes)
    population = draw.binomial(10, np.array([0.1, 0.4, 0.7, 0.9])[of]) / 10
    given, covered, wide, plain = allocate(sizes, 100), 0, 0.0, 0.0
    rows = [np.flatnonzero(of == stratum) for stratum in range(4)]
    for _ in range(1000):
        chosen = np.concatenate([draw.permutation(row)[:count] for row, count in zip(rows, given, strict=True)])
        low, high = stratified_interval(population[chosen], Strata(of[chosen], sizes), 0.95, 0.0, 1.0)
        covered += low <= population.mean() <= high
        wide += high - low
        whole = query_interval(population[draw.permutation(1500)[:100]], 1500, 0.95, 0.0, 1.0)
        plain += whole[1] - whole[0]
    assert 0.93 <= covered / 1000 <= 0.97
    assert wide < 0.65 * plain
