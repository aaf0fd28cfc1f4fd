import numpy as np
import pytest

from consilience_server.core.max_t import max_t


def plain(scores, null):
    """The definition, loop by loop."""
    values = [[score, *row] for score, row in zip(scores, null, strict=True)]
    z = [[(value - np.mean(row)) / np.std(row) for value in row] for row in values]
    draws = len(null[0])
    largest = [max(row[b] for row in z) for b in range(1, draws + 1)]
    return [(1 + sum(high >= row[0] - 1e-9 for high in largest)) / (draws + 1) for row in z]


def test_equals_the_definition():
    draw = np.random.default_rng(0)
    null = draw.normal(size=(6, 99)) * np.arange(1, 7)[:, None] + np.arange(6)[:, None]
    scores = np.array([4.0, 0.0, 9.0, 3.0, 30.0, -2.0])
    assert max_t(scores, null) == pytest.approx(plain(scores, null))


def test_one_score_keeps_its_own_p_value():
    null = np.random.default_rng(1).normal(size=(1, 199))
    assert max_t(np.array([1.0]), null)[0] == (1 + np.count_nonzero(null >= 1.0)) / 200


def test_never_below_the_p_value_alone():
    draw = np.random.default_rng(2)
    null, scores = draw.normal(size=(10, 199)), draw.normal(size=10)
    alone = (1 + (null >= scores[:, None]).sum(axis=1)) / 200
    assert (max_t(scores, null) >= alone).all()


def test_a_score_that_no_pairing_changes_is_never_significant():
    null = np.vstack([np.full(99, 0.5), np.random.default_rng(3).normal(size=99)])
    assert max_t(np.array([0.5, 9.0]), null)[0] > 0.05


def test_the_level_holds_over_many_scores_of_one_side():
    draw = np.random.default_rng(4)
    rejected = 0
    for _ in range(400):
        values = draw.normal(size=(8, 100)) + draw.normal(size=100)
        rejected += bool((max_t(values[:, 0], values[:, 1:]) <= 0.05).any())
    assert rejected <= 33  # binomial(400, .05): 99.9%
