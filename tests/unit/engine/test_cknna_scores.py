"""Sparse CKNNA: against the definitions, under every permutation, without groups, with ties, and refused."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from support.brute_table import cosine, latent_pair, table

from consilience_server.core.cknna import cknna
from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled, ConstantFeatures, InvalidArgument, InvalidK, ShapeMismatch, TooFewItems
from consilience_server.core.intervals import group_sizes, item_interval
from consilience_server.core.ordered_lists import OrderedLists, ordered_lists
from consilience_server.core.permutation import canonical_order, permutation
from consilience_server.core.similarity import Similarity
from consilience_server.engine import kernel_means as kernel_means_module
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.choose import make_engine
from consilience_server.engine.cknna_scores import cknna_bytes, cknna_matrix, cknna_scores
from consilience_server.engine.kernel_means import kernel_means
from consilience_server.engine.neighbour_scores import table_depth

METRICS = pytest.mark.parametrize("metric", ["cknna", "cknna_paper", "cknna_centred"])


def one_hot(draw, n, classes=6):
    return np.eye(classes)[draw.integers(0, classes, n)]


PAIRS = {
    "latent": latent_pair(2, 64, 32, 48, 8, 1.0),
    "independent": latent_pair(3, 64, 32, 48, 8, 1000.0),
    "one_hot": (one_hot(np.random.default_rng(0), 70), one_hot(np.random.default_rng(1), 70)),
}
SPACES = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)


def options(n, **changes):
    order = np.random.default_rng(77).integers(0, 2**64, n, dtype=np.uint64)
    return replace(ScoreOptions(199, 0, 0.05, "items", 0.95, order, 1), **changes)


def keys_of(n, count=2):
    return np.random.default_rng(5).integers(0, 2**64, (count, n), dtype=np.uint64)


def scored(metric, spaces, ks, given, keys=None):
    n = len(spaces[0])
    keys = keys_of(n, len(spaces)) if keys is None else keys
    tables = [table(side, table_depth(ks, n, "items")) for side in spaces]
    return cknna_scores(metric, tables, keys, means_of(spaces, given), ks, given, Control())


def means_of(spaces, given):
    order = canonical_order(given.item_order)
    return [kernel_means(side, Similarity.COSINE, order, len(group_sizes(len(side)))) for side in spaces]


def defined(metric, spaces, k, keys):
    kernels = [cosine(side) for side in spaces]
    return cknna(metric, *kernels, *(ordered_lists(kernel, k, of_side) for kernel, of_side in zip(kernels, keys, strict=True)))


@METRICS
@SPACES
def test_every_k_agrees_with_the_definition_and_with_itself_alone(metric, pair):
    ks, given, keys = (5, 10, 3), options(len(pair[0])), keys_of(len(pair[0]))
    for k, score in zip(ks, scored(metric, pair, ks, given), strict=True):
        assert score.score == pytest.approx(defined(metric, pair, k, keys), abs=1e-12)
        assert scored(metric, pair, (k,), given)[0] == score


@METRICS
@SPACES
def test_the_null_is_the_definition_under_each_permutation(metric, pair):
    n, k, count = len(pair[0]), 5, 100
    keys, given = keys_of(n), options(n, permutations=count, interval_kind="queries")
    score = scored(metric, pair, (k,), given)[0]
    kernels = [cosine(side) for side in pair]
    x, y = (ordered_lists(kernel, k, of_side) for kernel, of_side in zip(kernels, keys, strict=True))
    order = canonical_order(given.item_order)
    values = []
    for index in range(count):
        rho = np.empty(n, dtype=np.int64)
        rho[order] = order[permutation(0, index, n)]
        moved, kernel = np.empty_like(y.indices), np.empty((n, n))
        moved[rho] = rho[y.indices]
        kernel[np.ix_(rho, rho)] = kernels[1]
        values.append(cknna(metric, kernels[0], kernel, x, OrderedLists(moved)))
    assert score.null_mean == pytest.approx(np.mean(values), abs=1e-11)
    assert score.null_sd == pytest.approx(np.std(values, ddof=1), abs=1e-11)
    assert score.chance == score.null_mean
    assert score.p_value == (1 + sum(value >= score.score - 1e-12 for value in values)) / (count + 1)


@METRICS
@SPACES
def test_the_interval_is_of_scores_searched_anew_without_each_group(metric, pair):
    n, k = len(pair[0]), 4
    keys, given = keys_of(n), options(n, permutations=0)
    score = scored(metric, pair, (k,), given)[0]
    order, sizes = canonical_order(given.item_order), group_sizes(n)
    without = []
    for group in range(len(sizes)):
        left = np.sort(np.delete(order, np.arange(group, n, len(sizes))))
        without.append(defined(metric, [side[left] for side in pair], k, keys[:, left]))
    span = (-1.0, 1.0) if metric == "cknna_paper" else (-np.inf, np.inf)
    expected = item_interval(score.score, score.score, np.array(without), sizes, 0.95, *span)
    assert (score.interval.low, score.interval.high) == pytest.approx(expected, abs=1e-9)


@METRICS
@SPACES
def test_no_number_moves_when_rows_do_or_threads(metric, pair):
    n, keys = len(pair[0]), keys_of(len(pair[0]))
    given = options(n)
    expected = scored(metric, pair, (10,), given)[0]
    rho = np.random.default_rng(5).permutation(n)
    moved = replace(given, item_order=given.item_order[rho], threads=3)
    found = scored(metric, [side[rho] for side in pair], (10,), moved, keys[:, rho])[0]
    for field in ("score", "p_value", "chance", "calibrated", "null_sd"):
        assert getattr(found, field) == pytest.approx(getattr(expected, field), abs=1e-12), field
    assert found.interval.low == pytest.approx(expected.interval.low, abs=1e-10)


@METRICS
def test_a_matrix_has_the_scores_of_its_pairs(metric):
    x, y = latent_pair(2, 64, 32, 48, 8, 3.0)
    spaces, keys, given = [x, y, x + 0.3 * y[:, :32]], keys_of(64, 3), options(64)
    tables, means = [table(side, table_depth((10,), 64, "items")) for side in spaces], means_of(spaces, given)
    matrix = cknna_matrix(metric, tables, keys, means, 10, given, Control())
    assert set(matrix) == {(i, j) for i in range(3) for j in range(3) if metric == "cknna" or i <= j}
    for i, j in matrix:
        one = scored(metric, [spaces[i], spaces[j]], (10,), given, keys[[i, j]])[0]
        if i < j:
            assert matrix[i, j] == one
        elif i == j:
            assert (matrix[i, i].score, matrix[i, i].p_value) == (1.0, None)
            assert one.score == pytest.approx(1.0, abs=1e-12)
        else:
            assert matrix[i, j].score == pytest.approx(one.score, abs=1e-12)
            assert matrix[i, j].interval.low == pytest.approx(one.interval.low, abs=1e-9)
            # The pairings are drawn for one direction: the other sees their inverses.
            assert matrix[i, j].null_mean == pytest.approx(one.null_mean, abs=5 * one.null_sd / 199**0.5)


@pytest.mark.parametrize("similarity", [Similarity.COSINE, Similarity.INNER_PRODUCT])
def test_kernel_means_are_those_of_the_whole_matrix(similarity, monkeypatch):
    monkeypatch.setattr(kernel_means_module, "_ROWS", 16)
    draw = np.random.default_rng(0)
    vectors, order = draw.normal(size=(50, 7)).astype(np.float32), draw.permutation(50)
    rows = vectors.astype(np.float64)[order]
    kernel = cosine(rows) if similarity is Similarity.COSINE else rows @ rows.T
    found = kernel_means(vectors, similarity, order, 6)
    np.testing.assert_allclose(found.mean(), kernel.mean(axis=1), atol=1e-13)
    left = np.arange(50) % 6 != 2
    np.testing.assert_allclose(found.mean(without=2), kernel[:, left].mean(axis=1), atol=1e-13)
    with pytest.raises(InvalidArgument, match="platonic_rep"):
        kernel_means(vectors, Similarity.SQUARED_L2, order, 6)


@METRICS
def test_what_cannot_be_scored_is_refused(metric):
    x, y = PAIRS["latent"]
    given, keys = options(64), keys_of(64)
    both, means = [table(side, 18) for side in (x, y)], means_of((x, y), given)
    for k in (0, 60):
        with pytest.raises(InvalidK, match="serve 1 to"):
            cknna_scores(metric, both, keys, means, (k,), given, Control())
    with pytest.raises(ShapeMismatch):
        cknna_scores(metric, both, keys, means, (10,), options(63), Control())
    with pytest.raises(ShapeMismatch, match="means of each"):
        cknna_scores("cknna_paper", both, keys, None, (10,), given, Control())
    with pytest.raises(TooFewItems):
        scored(metric, (x[:3], y[:3]), (1,), options(3))
    with pytest.raises(TooFewItems, match="needs 5; add items, or ask interval_kind='queries'"):
        scored(metric, (x[:4], y[:4]), (2,), options(4))
    (few,) = scored(metric, (x[:4], y[:4]), (2,), options(4, interval_kind="queries"))
    assert few.interval.low == few.interval.high == few.score
    identical = np.ones((64, 3))
    if metric == "cknna_paper":
        with pytest.raises(ConstantFeatures, match="of y with itself"):
            scored(metric, (x, identical), (10,), given)
        three = (x, x[:, ::-1], identical)
        with pytest.raises(ConstantFeatures, match="of space 3 with itself") as refused:
            cknna_matrix(metric, [table(side, 18) for side in three], keys_of(64, 3), means_of(three, given), 10, given, Control())
        assert refused.value.field == "spaces"
    stopped = Control()
    stopped.cancel()
    with pytest.raises(Cancelled):
        cknna_scores(metric, both, keys, means, (10,), given, stopped)


@METRICS
@pytest.mark.parametrize(("n", "ks"), [(3000, (10,)), (2000, (10, 50, 100))])
def test_the_memory_told_beforehand_is_enough(metric, n, ks):
    draw = np.random.default_rng(0)
    arrays, keys = [draw.normal(size=(n, 8)).astype(np.float32) for _ in range(2)], keys_of(n)
    engine, given = make_engine(2, "cpu"), options(n, permutations=99, threads=2)
    depth = table_depth(ks, n, "items")
    joined = [
        engine.self_join(array, Similarity.COSINE, depth, tie_keys=of_space, control=Control())
        for array, of_space in zip(arrays, keys, strict=True)
    ]
    means = means_of(arrays, given)
    tracemalloc.start()
    try:
        cknna_scores(metric, joined, keys, means, ks, given, Control())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= cknna_bytes(joined, ks, 2) <= 40 * peak
