"""Two spaces that share a third and nothing else: aligned, and beyond it at chance, at the level; what they share beside is found."""

import numpy as np
import pytest
from support.brute_table import table

from consilience_server.core.calibration import calibrate
from consilience_server.core.control import Control
from consilience_server.core.layer_choice import maximum
from consilience_server.core.partial import beyond
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.cka_scores import cka_matrix, cka_score
from consilience_server.engine.neighbour_scores import mutual_knn_scores

N, WIDTH = 48, 12
ORDER = np.random.default_rng(9).integers(0, 2**64, N, dtype=np.uint64)


def judge(metric, x, y, seed):
    options = ScoreOptions(19, seed, 0.05, "queries", 0.95, ORDER[: len(x)], 1)
    if metric == "mutual_knn":
        return mutual_knn_scores(table(x, 5), table(y, 5), (5,), options, Control())[0]
    return cka_score(x, y, metric == "unbiased_cka", options, Control())


def sharing(draw, more=0.0):
    z = draw.normal(size=(N, WIDTH))
    shared = draw.normal(size=(N, 2))
    x, y = (z @ draw.normal(size=(WIDTH, 8)) + draw.normal(size=(N, 8)) + more * shared @ draw.normal(size=(2, 8)) for _ in range(2))
    return x, y, z


@pytest.mark.parametrize("metric", ["mutual_knn", "cka", "unbiased_cka"])
def test_sharing_the_third_alone_is_chance_beyond_it(metric):
    draw, draws, rejected, plain, scores, chances = np.random.default_rng(3), 400, 0, 0, [], []
    for index in range(draws):
        x, y, z = sharing(draw)
        score = judge(metric, *beyond([x, y], z).residuals, index)
        rejected += score.p_value <= 0.05
        scores.append(score.score)
        chances.append(score.chance)
        if index < 20:
            plain += judge(metric, x, y, index).p_value <= 0.05
    assert plain >= 19
    assert 0.01 * draws <= rejected <= 0.09 * draws  # binomial(400, .05): mean 20, sd 4.4
    assert np.mean(scores) == pytest.approx(np.mean(chances), abs=4 * np.std(scores) / draws**0.5)


def test_ordinary_residuals_would_break_the_level():
    """The fault that Theil's are there for: ordinary residuals of n items have fewer degrees of freedom than n - 1."""
    draw, rejected = np.random.default_rng(4), 0
    for index in range(200):
        x, y, z = sharing(draw)
        basis = np.hstack([np.ones((N, 1)), z])
        x, y = (side - basis @ np.linalg.lstsq(basis, side, rcond=None)[0] for side in (x, y))
        rejected += judge("cka", x, y, index).p_value <= 0.05
    assert rejected >= 40


@pytest.mark.parametrize("metric", ["mutual_knn", "cka", "unbiased_cka"])
def test_what_is_shared_beside_the_third_is_found(metric):
    draw, found = np.random.default_rng(5), 0
    for index in range(30):
        x, y, z = sharing(draw, more=3.0)
        found += judge(metric, *beyond([x, y], z).residuals, index).p_value <= 0.05
    assert found >= 27


def test_the_maximum_over_layers_keeps_the_level_beyond_the_third():
    """All layers of a model keep the rows that the third space left: one pairing moves them together."""
    draw, draws, rejected, plain = np.random.default_rng(6), 200, 0, 0
    pairs = [(i, 3 + j) for i in range(3) for j in range(3)]

    def maximum_p(layers, seed):
        options = ScoreOptions(19, seed, 0.05, "queries", 0.95, ORDER[: len(layers[0])], 1)
        found = cka_matrix(layers, False, options, Control(), pairs)
        scores = np.array([found[pair].score for pair in pairs]).reshape(3, 3)
        largest = maximum(scores, np.array([found[pair].null for pair in pairs]).reshape(3, 3, -1))
        return calibrate(largest.score, largest.null, 0.05).p_value

    for index in range(draws):
        z = draw.normal(size=(N, WIDTH))
        layers = [share * z @ draw.normal(size=(WIDTH, 6)) + draw.normal(size=(N, 6)) for share in (0.3, 1.0, 2.0) * 2]
        rejected += maximum_p(beyond(layers, z).residuals, index) <= 0.05
        if index < 20:
            plain += maximum_p(layers, index) <= 0.05
    assert plain >= 19
    assert 2 <= rejected <= 19  # binomial(200, .05): 99.9% at most 19
