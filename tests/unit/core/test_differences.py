"""Differences of scores of the same items: by the jackknife of the difference, from the definition."""

import math

import numpy as np
import pytest
from scipy import stats

from consilience_server.core.cka import linear_cka
from consilience_server.core.control import Control
from consilience_server.core.differences import difference
from consilience_server.core.intervals import group_sizes, query_interval
from consilience_server.core.permutation import canonical_order
from consilience_server.core.score import Interval, Score
from consilience_server.engine.alignment_scores import ScoreOptions, interval_of
from consilience_server.engine.cka_scores import cka_matrix


def options(n, kind="items", confidence=0.9):
    order = np.random.default_rng(0).integers(0, 2**64, n, dtype=np.uint64)
    return ScoreOptions(0, 0, 0.05, kind, confidence, order, 1)


@pytest.mark.parametrize("n", [70, 64])
def test_items_left_out_together(n):
    draw = np.random.default_rng(1)
    x = draw.normal(size=(n, 4))
    y, control = (x @ draw.normal(size=(4, 5)) + noise * draw.normal(size=(n, 5)) for noise in (1.0, 3.0))
    given = options(n)
    scores = cka_matrix([x, y, control], False, given, Control())
    found = difference(scores[0, 1], scores[0, 2])
    assert found.value == scores[0, 1].score - scores[0, 2].score
    position = np.argsort(canonical_order(given.item_order))
    pseudo, h = [], n / group_sizes(n)
    for group, share in enumerate(h):
        kept = position % len(h) != group
        without = linear_cka(x[kept], y[kept]) - linear_cka(x[kept], control[kept])
        pseudo.append(share * found.value - (share - 1) * without)
    mean = (np.array(pseudo) / h).sum()  # the weighted mean of pseudo-values, weights 1 / h_g
    variance = ((np.array(pseudo) - mean) ** 2 / (h - 1)).mean()
    half = stats.t.ppf(0.95, len(h) - 1) * math.sqrt(variance * (1 + math.sqrt(2 / (len(h) - 1))))
    assert (found.interval.low, found.interval.high) == pytest.approx((found.value - half, found.value + half), rel=1e-7)
    assert (found.interval.kind, found.interval.confidence) == ("items", 0.9)


def of(interval):
    return Score(5, (interval.low + interval.high) / 2, 0.0, 0.0, interval)


def test_the_same_scores_differ_by_nothing():
    scores = cka_matrix(list(np.random.default_rng(2).normal(size=(2, 40, 3))), False, options(40), Control())
    found = difference(scores[0, 1], scores[0, 1])
    assert (found.value, found.interval.low, found.interval.high) == (0.0, 0.0, 0.0)


def test_sampled_queries_are_paired_and_all_of_them_leave_no_width():
    draw = np.random.default_rng(3)
    a, b = draw.random((2, 25))
    scores = [Score(5, side.mean(), 0, 0, interval_of(query_interval(side, 100, 0.9, 0, 1), options(100, "queries"))) for side in (a, b)]
    found = difference(*scores)
    half = stats.t.ppf(0.95, 24) * (a - b).std(ddof=1) / 5 * math.sqrt(0.75)
    assert (found.interval.low, found.interval.high) == pytest.approx((found.value - half, found.value + half))
    every = [Interval(side.mean(), side.mean(), 0.9, "queries") for side in (a, b)]
    told = difference(*map(of, every))
    assert told.interval.low == told.interval.high == told.value


def test_an_interval_that_is_not_known_is_not_given():
    wide, other = Interval(0.0, 1.0, 0.95, "items"), interval_of(query_interval(np.ones(3), 9, 0.9, 0, 1), options(9, "queries"))
    assert difference(of(wide), of(wide)).interval is None
    assert difference(of(wide), of(other)).interval is None
