"""Each correction against a definition written out pair by pair, and what it is for: taking nearness back from hubs."""

import math

import numpy as np
import pytest

from consilience_server.core.csls import csls
from consilience_server.core.hubness import hubness
from consilience_server.core.inverted_softmax import inverted_softmax, log_sum_exp
from consilience_server.core.margin import RATIO_FLOOR, margin_distance, margin_ratio

S = np.random.default_rng(3).uniform(0.1, 1.0, (7, 9))


def means(similarities, k):
    r_target = [sum(sorted(row, reverse=True)[:k]) / k for row in similarities]
    r_source = [sum(sorted(column, reverse=True)[:k]) / k for column in similarities.T]
    return r_target, r_source


@pytest.mark.parametrize("k", [1, 3, 7])
def test_margins_pair_by_pair(k):
    r_target, r_source = means(S, k)
    distance, ratio = margin_distance(S, k), margin_ratio(S, k)
    for q in range(7):
        for t in range(9):
            mean = (r_target[q] + r_source[t]) / 2
            assert distance[q, t] == pytest.approx(S[q, t] - mean, abs=1e-15)
            assert ratio[q, t] == pytest.approx(S[q, t] / mean, rel=1e-14)
    assert np.allclose(2 * distance, csls(S, k), atol=1e-15)


def test_a_mean_of_zero_or_below_is_clamped():
    similarities = np.array([[-0.2, -0.5], [-0.4, -0.9]])
    assert np.array_equal(margin_ratio(similarities, 1), similarities / RATIO_FLOOR)
    # Without the clamp the quotient of two negatives would put the farther item first.
    assert np.array_equal(margin_ratio(similarities, 1).argmax(axis=1), [0, 0])


@pytest.mark.parametrize("beta", [0.5, 30.0, 1e5])
def test_inverted_softmax_is_the_share_of_the_query(beta):
    shares = np.exp(inverted_softmax(S, beta))
    assert np.allclose(shares.sum(axis=0), 1.0, rtol=1e-9)
    if beta < 100:
        for t in range(9):
            total = sum(math.exp(beta * S[q, t]) for q in range(7))
            assert [math.exp(beta * S[q, t]) / total for q in range(7)] == pytest.approx(shares[:, t], rel=1e-11)


def test_log_sum_exp_neither_overflows_nor_vanishes():
    values = np.array([[1e6, 1e6 - 1.0, -np.inf], [-1e6, -1e6, -1e6]])
    assert log_sum_exp(values) == pytest.approx([1e6 + math.log1p(math.exp(-1)), -1e6 + math.log(3)], rel=1e-15)


def hubby(n=600, d=40, seed=0):
    """Pairs in which all queries lean one way and some targets lean that way too: those are near to every query."""
    rng = np.random.default_rng(seed)
    truth, lean = rng.standard_normal((n, d)), rng.standard_normal(d)
    source = truth + rng.standard_normal((n, d)) + lean
    target = truth + rng.uniform(-1, 2, (n, 1)) * lean
    source, target = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (source, target))
    return source @ target.T


def skewness(scores):
    """Of how often each target is among the ten best."""
    return hubness(np.bincount(np.argsort(-scores, axis=1)[:, :10].ravel(), minlength=scores.shape[1]).astype(np.float64))


@pytest.mark.parametrize("seed", range(3))
def test_corrections_raise_recall_and_take_hubs_away(seed):
    plain = hubby(seed=seed)
    truth = np.arange(len(plain))
    recall = np.mean(plain.argmax(axis=1) == truth)
    skew = skewness(plain)
    corrected = {"csls": csls(plain, 10), "ratio": margin_ratio(plain, 10), "softmax": inverted_softmax(plain, 30.0)}
    for name, scores in corrected.items():
        assert np.mean(scores.argmax(axis=1) == truth) > recall + 0.02, name
        # The inverted softmax raises the recall most; where it does, its hubs are few but not gone.
        assert name == "softmax" or skewness(scores) < 0.75 * skew, name
