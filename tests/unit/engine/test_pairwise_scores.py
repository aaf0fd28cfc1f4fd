"""RSA and RBF CKA with all that judges them: against the definitions, under every permutation, without groups, with ties, and refused."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import squareform
from support.brute_table import latent_pair

from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled, ConstantFeatures, ShapeMismatch
from consilience_server.core.intervals import group_sizes, item_interval
from consilience_server.core.permutation import canonical_order, permutation
from consilience_server.core.rbf_cka import Bandwidth, rbf_cka
from consilience_server.core.rdm import rdm
from consilience_server.core.rsa import RDM_COMPARISONS, compare_rdms
from consilience_server.core.within_groups import mean_product
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.pairwise import pairwise, pairwise_bytes, reordered
from consilience_server.engine.rbf_cka_scores import rbf_cka_bytes, rbf_cka_scores
from consilience_server.engine.rsa_scores import rsa_bytes, rsa_scores
from consilience_server.engine.within_chance import matrices_chance

COMPARISONS = sorted(RDM_COMPARISONS)
METRICS = pytest.mark.parametrize("metric", [*COMPARISONS, "rbf", "rbf fixed"])
BANDWIDTHS = {"rbf": Bandwidth(), "rbf fixed": Bandwidth(0.8)}


def one_hot(draw, n, classes=5):
    return np.eye(classes)[draw.integers(0, classes, n)]


PAIRS = {
    "latent": latent_pair(2, 40, 32, 48, 8, 2.0),
    "independent": latent_pair(3, 40, 32, 48, 8, 1000.0),
    "one_hot": (one_hot(np.random.default_rng(0), 41), one_hot(np.random.default_rng(1), 41)),
}
SPACES = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)


def options(n, **changes):
    order = np.random.default_rng(77).integers(0, 2**64, n, dtype=np.uint64)
    return replace(ScoreOptions(49, 0, 0.05, "items", 0.95, order, 1), **changes)


def scored(metric, spaces, given, control=None):
    """All pairs, from vectors."""
    order = canonical_order(given.item_order)
    names = [f"space {at}" for at in range(len(spaces))]
    distances = [pairwise(x, "euclidean" if metric in BANDWIDTHS else "correlation", order, given.threads, Control()) for x in spaces]
    if metric in BANDWIDTHS:
        return rbf_cka_scores(distances, names, BANDWIDTHS[metric], given, control or Control())
    return rsa_scores(distances, names, metric, given, control or Control())


def defined(metric, x, y):
    if metric in BANDWIDTHS:
        return rbf_cka(x, y, BANDWIDTHS[metric])
    return compare_rdms(rdm(x, "correlation"), rdm(y, "correlation"), metric)


@METRICS
@SPACES
def test_the_score_and_its_null_are_the_definition(metric, pair):
    n, (x, y) = len(pair[0]), pair
    given = options(n, interval_kind="queries")
    score = scored(metric, pair, given)[0, 1]
    assert score.score == pytest.approx(defined(metric, x, y), abs=1e-12)
    assert score.interval.low == score.score == score.interval.high
    order = canonical_order(given.item_order)
    values = [defined(metric, x[order], y[order][permutation(0, index, n)]) for index in range(49)]
    np.testing.assert_allclose(score.null, values, atol=1e-12)
    assert score.p_value == (1 + sum(value >= score.score - 1e-12 for value in values)) / 50


@METRICS
def test_chance_is_the_mean_of_the_null(metric):
    pair = PAIRS["independent"]
    score = scored(metric, pair, options(40, permutations=1999, interval_kind="queries"))[0, 1]
    assert score.null_mean == pytest.approx(score.chance, abs=4 * score.null_sd / 1999**0.5)
    if metric in ("spearman", "pearson", "kendall_tau_a", "kendall_tau_b"):
        assert score.chance == 0.0
    else:
        assert score.chance > 0.1


@METRICS
@SPACES
def test_the_interval_is_of_scores_computed_anew_without_each_group(metric, pair):
    n = len(pair[0])
    given = options(n, permutations=0)
    score = scored(metric, pair, given)[0, 1]
    order, sizes = canonical_order(given.item_order), group_sizes(n)
    without = [
        defined(metric, *(np.delete(side[order], np.s_[group :: len(sizes)], axis=0) for side in pair)) for group in range(len(sizes))
    ]
    expected = item_interval(score.score, score.score, np.array(without), sizes, 0.95, 0.0 if metric in BANDWIDTHS else -1.0, 1.0)
    assert (score.interval.low, score.interval.high) == pytest.approx(expected, abs=1e-9)


@METRICS
@SPACES
def test_no_number_moves_when_rows_do_or_threads(metric, pair):
    n = len(pair[0])
    given = options(n)
    expected = scored(metric, pair, given)[0, 1]
    rho = np.random.default_rng(5).permutation(n)
    found = scored(metric, [side[rho] for side in pair], replace(given, item_order=given.item_order[rho], threads=3))[0, 1]
    for field in ("score", "p_value", "chance", "calibrated", "null_sd"):
        assert getattr(found, field) == pytest.approx(getattr(expected, field), abs=1e-12), field
    assert found.interval.low == pytest.approx(expected.interval.low, abs=1e-9)


@METRICS
def test_a_matrix_has_the_scores_of_its_pairs(metric):
    x, y = PAIRS["latent"]
    spaces, given = [x, y, x + 0.3 * y[:, :32]], options(40)
    matrix = scored(metric, spaces, given)
    assert set(matrix) == {(i, j) for i in range(3) for j in range(i, 3)}
    for i, j in matrix:
        if i == j:
            assert (matrix[i, i].score, matrix[i, i].p_value) == (1.0, None)
        else:
            one = scored(metric, [spaces[i], spaces[j]], given)[0, 1]
            assert one.score == pytest.approx(matrix[i, j].score, abs=1e-13)
            assert one.p_value == matrix[i, j].p_value
            assert one.interval.low == pytest.approx(matrix[i, j].interval.low, abs=1e-12)


@METRICS
def test_given_matrices_serve_like_vectors(metric):
    given = options(40)
    order = canonical_order(given.item_order)
    kind = "euclidean" if metric in BANDWIDTHS else "correlation"
    rdms = [rdm(side, kind) for side in PAIRS["latent"]]
    mixed = [reordered(squareform(rdms[0]), order), reordered(rdms[1], order)]
    for at, side in enumerate(PAIRS["latent"]):
        np.testing.assert_allclose(mixed[at], pairwise(side, kind, order, 1, Control()), atol=1e-13)


def test_ties_keep_kendall_tau_a_of_a_space_with_itself_below_one():
    score = scored("kendall_tau_a", PAIRS["one_hot"], options(41))
    assert score[0, 0].score == score[0, 1].self_score_x == pytest.approx(defined("kendall_tau_a", *[PAIRS["one_hot"][0]] * 2))
    assert score[0, 1].self_score_y < 1.0


def test_the_bandwidth_is_told():
    score = scored("rbf", PAIRS["latent"], options(40))[0, 1]
    assert score.bandwidth_x == pytest.approx(np.median(rdm(PAIRS["latent"][0], "euclidean")))
    assert scored("rbf fixed", PAIRS["latent"], options(40))[0, 1].bandwidth_y == 0.8
    assert scored("spearman", PAIRS["latent"], options(40))[0, 1].bandwidth_x is None


@pytest.mark.parametrize("distance", ["correlation", "squared_euclidean"])
def test_tiles_and_threads_do_not_show(distance, monkeypatch):
    x, order = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32), np.random.default_rng(1).permutation(50)
    monkeypatch.setattr("consilience_server.engine.pairwise._TILE", 350)
    np.testing.assert_allclose(pairwise(x, distance, order, 3, Control()), rdm(x[order], distance), rtol=1e-12, atol=1e-13)


@METRICS
def test_what_cannot_be_scored_is_refused(metric):
    x, _ = PAIRS["latent"]
    with pytest.raises(ConstantFeatures, match="in space 1"):
        scored(metric, (x, np.outer(np.ones(40), np.arange(1.0, 4.0))), options(40))
    stopped = Control()
    stopped.cancel()
    with pytest.raises(Cancelled):
        scored(metric, PAIRS["latent"], options(40), stopped)
    if metric not in BANDWIDTHS:
        with pytest.raises(ShapeMismatch):
            rsa_scores([np.arange(45.0), np.arange(36.0)], ["x", "y"], metric, options(10), Control())


@METRICS
def test_the_memory_told_beforehand_is_enough(metric):
    n, width, spaces = 300, 20, 3
    draw = np.random.default_rng(0)
    arrays, given = [draw.normal(size=(n, width)).astype(np.float32) for _ in range(spaces)], options(n, permutations=3, threads=2)
    tracemalloc.start()
    try:
        scored(metric, arrays, given)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    scratch = rbf_cka_bytes(n, spaces, 2) if metric in BANDWIDTHS else rsa_bytes(n, spaces, metric, 2)
    assert peak <= pairwise_bytes(n, [width] * spaces, 2) + scratch <= 8 * peak


@METRICS
def test_within_groups_chance_is_the_mean_of_such_pairings(metric):
    x, y = PAIRS["latent"]
    labels = np.random.default_rng(3).integers(0, 4, 40)
    x, y = x + 2.0 * np.eye(40)[labels][:, : x.shape[1]], y + 2.0 * np.eye(48)[labels]
    given = options(40, permutations=499, interval_kind="queries", groups=labels.astype(np.int64))
    score = scored(metric, (x, y), given)[0, 1]
    assert score.null_mean == pytest.approx(score.chance, abs=4 * score.null_sd / 499**0.5)
    assert score.chance > 0.05  # the groups themselves agree
    order = canonical_order(given.item_order)
    rho = given.pairings().draw(7)
    assert np.array_equal(labels[order], labels[order][rho])
    assert score.null[7] == pytest.approx(defined(metric, x[order], y[order][rho]), abs=1e-12)


def test_chance_within_groups_is_that_of_the_definition():
    draw = np.random.default_rng(4)
    k, l = (matrix + matrix.T for matrix in draw.normal(size=(2, 30, 30)))
    groups = draw.integers(0, 5, 30)
    assert matrices_chance(k, l, groups) == pytest.approx(mean_product(k, l, groups), abs=1e-10)


@pytest.mark.parametrize("threads", [1, 2, 16, 64])
def test_a_sample_of_items_stays_below_two_gibibytes_on_any_machine(threads):
    distances = pairwise_bytes(2048, [4096, 4096], threads)
    assert distances + rsa_bytes(2048, 2, "spearman", threads) < 1 << 31
    assert distances + rbf_cka_bytes(2048, 2, threads) < 1 << 31
    assert pairwise_bytes(512, [4096, 4096], threads) + rsa_bytes(512, 2, "kendall_tau_b", threads) < 1 << 31
