"""Scores with everything that belongs to them: consistency, order of rows, threads, refusals."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from support.brute_table import cosine, latent_pair, table

from consilience_server.core.control import Control
from consilience_server.core.errors import ConstantFeatures, InvalidK, ShapeMismatch, TooFewItems
from consilience_server.core.mutual_knn import mutual_knn
from consilience_server.core.similarity import Similarity
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.choose import make_engine
from consilience_server.engine.cka_scores import cka_matrix, cka_score
from consilience_server.engine.neighbour_scores import mutual_knn_bytes, mutual_knn_matrix, mutual_knn_scores, table_depth


def options(n, **changes):
    order = np.random.default_rng(77).integers(0, 2**64, n, dtype=np.uint64)
    return replace(ScoreOptions(199, 0, 0.05, "items", 0.95, order, 1), **changes)


def tables(*arrays, ks=(10,)):
    return [table(x, table_depth(ks, len(x), "items")) for x in arrays]


def binary_pair(n=80):
    draw = np.random.default_rng(0)
    shared = draw.integers(0, 2, (n, 3))
    return tuple(np.hstack([np.ones((n, 1)), shared, draw.integers(0, 2, (n, 3))]).astype(float) for _ in range(2))


def test_every_k_has_its_own_full_score():
    x, y = latent_pair(2, 64, 32, 48, 8, 1.0)
    tx, ty = tables(x, y, ks=(5, 10))
    five, ten = mutual_knn_scores(tx, ty, (5, 10), options(64), Control())
    assert (five.k, ten.k) == (5, 10)
    assert five.score == pytest.approx(mutual_knn(tx.sets(5), ty.sets(5)))
    assert ten.chance == 10 / 63
    assert ten.excess == pytest.approx((ten.score - 10 / 63) / (1 - 10 / 63))
    assert ten.p_value == 1 / 200
    assert ten.interval.low < ten.score < ten.interval.high
    assert (ten.interval.kind, ten.interval.confidence) == ("items", 0.95)
    alone = mutual_knn_scores(*tables(x, y, ks=(10,)), (10,), options(64), Control())[0]
    assert alone == ten


@pytest.mark.parametrize("pair", [latent_pair(2, 64, 32, 48, 8, 3.0), binary_pair()], ids=["continuous", "binary"])
def test_no_number_moves_when_rows_do(pair):
    x, y = pair
    rho = np.random.default_rng(5).permutation(len(x))
    given = options(len(x))
    moved = replace(given, item_order=given.item_order[rho])
    first = mutual_knn_scores(*tables(x, y), (10,), given, Control())[0]
    second = mutual_knn_scores(*tables(x[rho], y[rho]), (10,), moved, Control())[0]
    assert first == second
    assert 0 < first.score < 1
    for unbiased in (False, True):
        first, second = cka_score(x, y, unbiased, given, Control()), cka_score(x[rho], y[rho], unbiased, moved, Control())
        assert first.p_value == second.p_value
        assert first.score == pytest.approx(second.score, abs=1e-12)
        assert first.interval.low == pytest.approx(second.interval.low, abs=1e-10)


def test_threads_change_no_byte():
    x, y = binary_pair()
    found = [mutual_knn_scores(*tables(x, y, ks=(3, 10)), (3, 10), options(80, threads=threads), Control()) for threads in (1, 2, 5)]
    assert repr(found[0]) == repr(found[1]) == repr(found[2])


def test_a_matrix_has_the_scores_of_its_pairs():
    x, y = latent_pair(2, 64, 32, 48, 8, 1.0)
    arrays = [x, y, binary_pair(64)[0]]
    given = options(64)
    matrix = mutual_knn_matrix(tables(*arrays), 10, given, Control())
    cka = cka_matrix(arrays, True, given, Control())
    assert set(matrix) == set(cka) == {(i, j) for j in range(3) for i in range(j + 1)}
    for i, j in [(0, 1), (0, 2), (1, 2)]:
        assert matrix[i, j] == mutual_knn_scores(*tables(arrays[i], arrays[j]), (10,), given, Control())[0]
        alone = cka_score(arrays[i], arrays[j], True, given, Control())
        assert cka[i, j].score == pytest.approx(alone.score, abs=1e-12)
        assert cka[i, j].p_value == alone.p_value
    assert matrix[0, 0].score == 1.0
    assert matrix[0, 0].p_value is None
    assert 0 < matrix[2, 2].score < 1
    assert matrix[2, 2].score == matrix[0, 2].self_score_y
    assert matrix[0, 2].tie_fraction_y > 0.7
    assert matrix[0, 2].tie_fraction_x == 0.0
    assert cka[1, 1].score == 1.0


def test_without_permutations_there_is_no_null():
    x, y = latent_pair(2, 64, 32, 48, 8, 1.0)
    for score in (
        mutual_knn_scores(*tables(x, y), (10,), options(64, permutations=0), Control())[0],
        cka_score(x, y, False, options(64, permutations=0), Control()),
    ):
        assert (score.p_value, score.calibrated, score.threshold, score.null_mean, score.null_sd) == (None,) * 5


def test_all_queries_asked_leave_no_width():
    x, y = latent_pair(2, 64, 32, 48, 8, 1.0)
    for score in (
        mutual_knn_scores(*tables(x, y), (10,), options(64, interval_kind="queries"), Control())[0],
        cka_score(x, y, False, options(64, interval_kind="queries"), Control()),
    ):
        assert score.interval.low == score.score == score.interval.high
        assert score.interval.kind == "queries"


def test_linear_cka_stands_beside_its_chance():
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(64, 48)), draw.normal(size=(64, 48))
    score = cka_score(x, y, False, options(64, permutations=999), Control())
    assert score.score > 0.35
    assert score.chance == pytest.approx(score.null_mean, abs=4 * score.null_sd / 999**0.5)
    assert abs(score.excess) < 0.06
    assert score.p_value > 0.05
    assert score.calibrated == 0.0


@pytest.mark.parametrize("unbiased", [False, True])
def test_the_interval_of_cka_covers_what_samples_of_this_size_score_on_average(unbiased):
    n, mix = 96, np.random.default_rng(9).normal(size=(2, 4, 8))
    found = []
    for seed in range(150):
        draw = np.random.default_rng(seed)
        z = draw.normal(size=(n, 4)) * [3, 2, 1, 1]
        x, y = (z @ m + 2.0 * draw.normal(size=(n, 8)) for m in mix)
        found.append(cka_score(x, y, unbiased, options(n, permutations=0), Control()))
    truth = np.mean([score.score for score in found])
    assert np.mean([score.interval.low <= truth <= score.interval.high for score in found]) >= 0.92


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_the_smallest_sets_are_scored(n):
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(n, 3)), draw.normal(size=(n, 3))
    scores = mutual_knn_scores(*tables(x, y, ks=(n - 1,)), (n - 1,), options(n), Control())
    assert scores[0].score == scores[0].chance == 1.0
    assert scores[0].excess == 0.0
    assert scores[0].p_value == 1.0
    assert cka_score(x, y, False, options(n), Control()).interval.high <= 1.0
    if n == 4:
        score = cka_score(x, y, True, options(n), Control())
        assert (score.interval.low, score.interval.high) == (-1.0, 1.0)


def test_identical_vectors_score_chance_and_are_not_significant():
    n = 30
    same = table(np.ones((n, 3)), 20, lambda x: np.ones((n, n)))
    other = table(np.random.default_rng(0).normal(size=(n, 3)), 20, cosine)
    score = mutual_knn_scores(same, other, (10,), options(n), Control())[0]
    assert score.score == pytest.approx(score.chance)
    assert score.p_value == 1.0
    assert score.calibrated == 0.0


def test_what_cannot_be_scored_is_refused():
    x, y = latent_pair(2, 64, 32, 48, 8, 1.0)
    tx, ty = tables(x, y)
    with pytest.raises(InvalidK, match="must be 1 to 63"):
        mutual_knn_scores(tx, ty, (64,), options(64), Control())
    with pytest.raises(InvalidK, match="tables end at"):
        mutual_knn_scores(tx, ty, (40,), options(64), Control())
    with pytest.raises(ShapeMismatch):
        mutual_knn_scores(tx, tables(y[:50])[0], (10,), options(64), Control())
    with pytest.raises(ShapeMismatch):
        mutual_knn_scores(tx, ty, (10,), options(63), Control())
    with pytest.raises(ShapeMismatch):
        cka_score(x, y, False, options(63), Control())
    with pytest.raises(TooFewItems):
        cka_score(x[:3], y[:3], True, options(3), Control())
    with pytest.raises(ConstantFeatures, match="in y"):
        cka_score(x, np.ones((64, 3), np.float32) / 3, True, options(64), Control())


@pytest.mark.parametrize(
    ("spaces", "n", "ks", "classes"), [(2, 4000, (10,), 0), (2, 3000, (10, 50, 100), 0), (5, 3000, (10,), 0), (2, 1500, (10,), 8)]
)
def test_the_memory_told_beforehand_is_enough_and_not_absurd(spaces, n, ks, classes):
    draw = np.random.default_rng(0)
    if classes:
        arrays = [np.eye(classes, dtype=np.float32)[draw.integers(0, classes, n)] for _ in range(spaces)]
    else:
        arrays = [draw.normal(size=(n, 8)).astype(np.float32) for _ in range(spaces)]
    engine = make_engine(2, "cpu")
    depth = table_depth(ks, n, "items")
    keys = np.arange(n, dtype=np.uint64)
    joined = [engine.self_join(array, Similarity.COSINE, depth, tie_keys=keys, control=Control()) for array in arrays]
    given = ScoreOptions(99, 0, 0.05, "items", 0.95, keys, 2)
    tracemalloc.start()
    try:
        if spaces == 2:
            mutual_knn_scores(joined[0], joined[1], ks, given, Control())
        else:
            mutual_knn_matrix(joined, ks[0], given, Control())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    told = mutual_knn_bytes(joined, ks, 2)
    assert peak <= told <= 20 * peak
