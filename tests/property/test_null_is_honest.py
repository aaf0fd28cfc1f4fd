"""Rejections at independence: the level is kept on spaces full of ties, on duplicates, and on continuous ones."""

import numpy as np
import pytest
from support.brute_table import BruteTable, cosine, table

from consilience_server.core.control import Control
from consilience_server.core.linear_predictivity import PredictivityOptions
from consilience_server.core.permutation import canonical_order
from consilience_server.core.rbf_cka import Bandwidth
from consilience_server.core.rsa import rsa
from consilience_server.core.similarity import Similarity
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.cka_scores import cka_score
from consilience_server.engine.cknna_scores import cknna_scores
from consilience_server.engine.kernel_means import kernel_means
from consilience_server.engine.list_scores import list_scores
from consilience_server.engine.neighbour_scores import mutual_knn_scores
from consilience_server.engine.pairwise import pairwise
from consilience_server.engine.predictivity_scores import predictivity_score
from consilience_server.engine.rbf_cka_scores import rbf_cka_scores
from consilience_server.engine.rsa_scores import rsa_scores
from consilience_server.engine.shape_scores import shape_score

ORDER = np.random.default_rng(123).integers(0, 2**64, 4096, dtype=np.uint64)


def options(n, permutations, seed=0, alpha=0.05):
    return ScoreOptions(permutations, seed, alpha, "queries", 0.95, ORDER[:n], 1)


def one_hot(draw, n, classes=16):
    return np.eye(classes)[draw.integers(0, classes, n)]


def binary(draw, n):
    return np.hstack([np.ones((n, 1)), draw.integers(0, 2, (n, 7))]).astype(float)


def duplicates(draw, n):
    return draw.normal(size=(n // 8, 5))[draw.integers(0, n // 8, n)]


@pytest.mark.parametrize("kind", [one_hot, binary, duplicates])
def test_tied_spaces_keep_the_level(kind):
    n, k, draws, permutations = 256, 10, 500, 19
    draw = np.random.default_rng(2026)
    rejected = 0
    for index in range(draws):
        x, y = (table(kind(draw, n), k) for _ in range(2))
        score = mutual_knn_scores(x, y, (k,), options(n, permutations, seed=index), Control())[0]
        rejected += score.p_value <= 0.05
        assert (score.calibrated > 0) <= (score.p_value <= 0.05)
    assert rejected <= 45
    assert rejected >= 5  # a test that never rejects would keep any level


@pytest.mark.parametrize("kind", [one_hot, binary, duplicates])
def test_the_score_of_tied_spaces_does_not_depend_on_row_order(kind):
    n, draw = 256, np.random.default_rng(1)
    x, y = kind(draw, n), kind(draw, n)
    given = options(n, 19)
    expected = mutual_knn_scores(table(x, 10), table(y, 10), (10,), given, Control())[0]
    for _ in range(3):
        rho = draw.permutation(n)
        moved = ScoreOptions(19, 0, 0.05, "queries", 0.95, ORDER[:n][rho], 1)
        assert mutual_knn_scores(table(x[rho], 10), table(y[rho], 10), (10,), moved, Control())[0] == expected
    assert expected.tie_fraction_x > 0.5
    assert expected.self_score_x < 1.0


def test_ties_by_row_order_would_break_the_null():
    """The fault that the tie rule is there for: without it, independent one-hot spaces agree because both prefer low rows."""
    n, k, rejected = 256, 10, 0
    draw = np.random.default_rng(3)
    for index in range(20):
        tilted = -1e-9 * np.arange(n)[None, :]
        x, y = (BruteTable(cosine(one_hot(draw, n, classes=24)) + tilted, k) for _ in range(2))
        rejected += mutual_knn_scores(x, y, (k,), options(n, 39, seed=index), Control())[0].p_value <= 0.05
    assert rejected >= 19


def test_continuous_spaces_keep_the_level_and_the_null_has_its_mean():
    n, k, draws = 128, 10, 400
    draw = np.random.default_rng(0)
    rejected, scores, nulls, sds = 0, [], [], []
    for index in range(draws):
        x, y = (table(draw.normal(size=(n, 4)), k) for _ in range(2))
        score = mutual_knn_scores(x, y, (k,), options(n, 39, seed=index), Control())[0]
        rejected += score.p_value <= 0.05
        scores.append(score.score)
        nulls.append(score.null_mean)
        sds.append(score.null_sd)
    assert 5 <= rejected <= 36  # binomial(400, .05): mean 20, sd 4.4
    assert np.mean(scores) == pytest.approx(k / (n - 1), abs=3 * np.std(scores, ddof=1) / draws**0.5)
    assert np.mean(nulls) == pytest.approx(k / (n - 1), abs=3 * np.mean(sds) / (39 * draws) ** 0.5)


@pytest.mark.parametrize("unbiased", [False, True])
def test_cka_keeps_the_level_at_any_width(unbiased):
    draw = np.random.default_rng(4)
    rejected = 0
    for index in range(300):
        x, y = draw.normal(size=(40, 5)), draw.normal(size=(40, 60))
        rejected += cka_score(x, y, unbiased, options(40, 39, seed=index), Control()).p_value <= 0.05
    assert 3 <= rejected <= 28  # binomial(300, .05): mean 15, sd 3.8


def continuous(draw, n):
    return draw.normal(size=(n, 5))


@pytest.mark.parametrize("metric", ["cycle_knn", "lcs_knn", "edit_distance_knn"])
@pytest.mark.parametrize("kind", [continuous, one_hot, binary, duplicates])
def test_ordered_lists_keep_the_level(metric, kind):
    n, k, draws, permutations = 64, 5, 300, 19
    draw = np.random.default_rng(2027)
    rejected = 0
    for index in range(draws):
        tables = [table(kind(draw, n), k) for _ in range(2)]
        keys = draw.integers(0, 2**64, (2, n), dtype=np.uint64)
        score = list_scores(metric, tables, keys, (k,), options(n, permutations, seed=index), Control())[0]
        rejected += score.p_value <= 0.05
        assert (score.calibrated > 0) <= (score.p_value <= 0.05)
    assert 2 <= rejected <= 28  # binomial(300, .05): mean 15, sd 3.8; scores of equal value reject less


@pytest.mark.parametrize("metric", ["cknna", "cknna_paper", "cknna_centred"])
@pytest.mark.parametrize("kind", [continuous, one_hot, binary, duplicates])
def test_cknna_keeps_the_level(metric, kind):
    n, k, draws = 64, 5, 200
    draw = np.random.default_rng(2028)
    rejected = 0
    for index in range(draws):
        spaces = [kind(draw, n) for _ in range(2)]
        keys, given = draw.integers(0, 2**64, (2, n), dtype=np.uint64), options(n, 99, seed=index)
        means = [kernel_means(side, Similarity.COSINE, canonical_order(given.item_order), 32) for side in spaces]
        score = cknna_scores(metric, [table(side, k) for side in spaces], keys, means, (k,), given, Control())[0]
        rejected += score.p_value <= 0.05
    assert 1 <= rejected <= 20  # binomial(200, .05): mean 10, sd 3.1


def test_ties_by_row_order_would_break_the_null_of_ordered_lists():
    """Keys that both spaces share make independent one-hot spaces prefer the same items."""
    n, k, rejected = 128, 5, 0
    draw = np.random.default_rng(3)
    for index in range(20):
        tables = [table(one_hot(draw, n, classes=12), k) for _ in range(2)]
        keys = [np.arange(n, dtype=np.uint64)] * 2
        rejected += list_scores("lcs_knn", tables, keys, (k,), options(n, 39, seed=index), Control())[0].p_value <= 0.05
    assert rejected >= 15


@pytest.mark.parametrize("metric", ["cca", "svcca", "angular_shape"])  # `procrustes` ranks pairings as `angular_shape` does
@pytest.mark.parametrize(("n", "kind"), [(40, one_hot), (64, continuous), (40, duplicates), (64, binary)])
def test_shapes_keep_the_level(metric, n, kind):
    draws = 60
    draw = np.random.default_rng(2029)
    rejected = 0
    for index in range(draws):
        x, y = (np.float32(kind(draw, n)) for _ in range(2))
        score = shape_score(metric, x, y, options(n, 19, seed=index), Control(), components=3)
        rejected += score.p_value <= 0.05
        assert (score.calibrated > 0) <= (score.p_value <= 0.05)
    assert rejected <= 9  # binomial(60, .05): mean 3, P(more than 9) = .0005


@pytest.mark.parametrize(("n", "kind"), [(40, one_hot), (64, continuous)])
def test_predictivity_keeps_the_level_though_it_chooses_penalties(n, kind):
    draws, asked = 40, PredictivityOptions(folds=3, penalties=(0.01, 1.0, 100.0))
    draw = np.random.default_rng(2030)
    rejected = 0
    for index in range(draws):
        x, y = (np.float32(kind(draw, n)) for _ in range(2))
        rejected += predictivity_score(x, y, asked, options(n, 19, seed=index), Control()).p_value <= 0.05
    assert rejected <= 7  # binomial(40, .05): mean 2, P(more than 7) = .0007


PAIRWISE = [
    *(
        (metric, kind, n)
        for metric in ("spearman", "pearson", "rbf_cka")
        for kind, n in ((continuous, 40), (one_hot, 64), (duplicates, 64))
    ),
    ("cosine", continuous, 64),
    ("kendall_tau_b", continuous, 40),
    ("kendall_tau_b", one_hot, 40),
]


@pytest.mark.parametrize(("metric", "kind", "n"), PAIRWISE)
def test_metrics_of_pairs_of_items_keep_the_level(metric, kind, n):
    draws = 200
    draw = np.random.default_rng(2029)
    rejected, scores, chances = 0, [], []
    for index in range(draws):
        given = options(n, 19, seed=index)
        order = canonical_order(given.item_order)
        distances = [pairwise(kind(draw, n), "euclidean", order, 1, Control()) for _ in range(2)]
        if metric == "rbf_cka":
            score = rbf_cka_scores(distances, ["x", "y"], Bandwidth(), given, Control())[0, 1]
        else:
            score = rsa_scores(distances, ["x", "y"], metric, given, Control())[0, 1]
        rejected += score.p_value <= 0.05
        scores.append(score.score)
        chances.append(score.chance)
        assert (score.calibrated > 0) <= (score.p_value <= 0.05)
    assert 1 <= rejected <= 20  # binomial(200, .05): mean 10, sd 3.1
    assert np.mean(scores) == pytest.approx(np.mean(chances), abs=4 * np.std(scores, ddof=1) / draws**0.5)


def test_a_sample_of_items_covers_the_score_of_all():
    """The interval of a score that is estimated from a sample holds the score of all items."""
    n, sampled, draws = 400, 100, 200
    draw = np.random.default_rng(2030)
    x = draw.normal(size=(n, 6))
    y = x + 1.5 * draw.normal(size=(n, 6))
    everything = rsa(x, y, "euclidean", "pearson")
    covered = 0
    for _ in range(draws):
        rows = draw.choice(n, sampled, replace=False)
        distances = [pairwise(side[rows], "euclidean", np.arange(sampled), 1, Control()) for side in (x, y)]
        given = ScoreOptions(0, 0, 0.05, "items", 0.95, ORDER[:sampled], 1)
        interval = rsa_scores(distances, ["x", "y"], "pearson", given, Control())[0, 1].interval
        covered += interval.low <= everything <= interval.high
    assert covered >= 0.93 * draws  # binomial(200, .95): mean 190, sd 3.1
