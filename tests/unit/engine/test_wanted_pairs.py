"""Some pairs of many spaces: the same numbers as when all are asked, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from support.brute_table import latent_pair, table

from consilience_server.core.control import Control
from consilience_server.core.permutation import canonical_order
from consilience_server.core.similarity import Similarity
from consilience_server.engine import overlap, permutation_null
from consilience_server.engine.alignment_scores import ScoreOptions, wanted_pairs
from consilience_server.engine.cka_scores import cka_matrix
from consilience_server.engine.cknna_scores import CKNNA_METRICS, cknna_matrix
from consilience_server.engine.kernel_means import kernel_means
from consilience_server.engine.list_scores import LIST_METRICS, list_matrix
from consilience_server.engine.neighbour_scores import mutual_knn_matrix, table_depth
from consilience_server.engine.predictivity_scores import PredictivityOptions, predictivity_matrix
from consilience_server.engine.shape_scores import shape_matrix

N = 60
DRAW = np.random.default_rng(0)
ARRAYS = [*latent_pair(2, N, 16, 24, 8, 1.0), *latent_pair(3, N, 8, 8, 4, 2.0), DRAW.normal(size=(N, 12))]
TIED = [DRAW.integers(0, 2, (N, 6)) + np.eye(6)[DRAW.integers(0, 6, N)] + 0.0 for _ in range(5)]
GRID = [(0, 2), (0, 3), (0, 4), (1, 2), (1, 3), (1, 4)]
OPTIONS = ScoreOptions(49, 0, 0.05, "items", 0.95, DRAW.integers(0, 2**64, N, dtype=np.uint64), 2)
SHAPES = ["cca", "svcca", "procrustes", "angular_shape"]
KEYS = [DRAW.integers(0, 2**64, N, dtype=np.uint64) for _ in ARRAYS]


def tables(arrays):
    return [table(x, table_depth((5,), N, "items")) for x in arrays]


def matrix(metric, arrays, pairs):
    if metric == "mutual_knn":
        return mutual_knn_matrix(tables(arrays), 5, OPTIONS, Control(), pairs)
    if metric in LIST_METRICS:
        return list_matrix(metric, tables(arrays), KEYS, 5, OPTIONS, Control(), pairs)
    if metric in CKNNA_METRICS:
        order = canonical_order(OPTIONS.item_order)
        means = [kernel_means(x, Similarity.COSINE, order, 32) for x in arrays]
        return cknna_matrix(metric, tables(arrays), KEYS, means, 5, OPTIONS, Control(), pairs)
    if metric in SHAPES:
        return shape_matrix(metric, arrays, OPTIONS, Control(), 4, pairs)
    if metric == "linear_predictivity":
        return predictivity_matrix(
            arrays, PredictivityOptions(folds=3, penalties=(1.0,)), replace(OPTIONS, interval_kind="queries"), Control(), None, pairs
        )
    return cka_matrix(arrays, metric == "unbiased_cka", OPTIONS, Control(), pairs)


def assert_same(found, expected):
    assert found.score == pytest.approx(expected.score, abs=1e-12)
    assert found.interval.low == pytest.approx(expected.interval.low, abs=1e-10)
    assert (found.p_value, found.tie_fraction_x) == (expected.p_value, expected.tie_fraction_x)
    assert found.chance == pytest.approx(expected.chance, abs=1e-12)
    if expected.null is not None:
        assert found.null == pytest.approx(expected.null, abs=1e-12)


@pytest.mark.parametrize("arrays", [ARRAYS, TIED], ids=["continuous", "tied"])
@pytest.mark.parametrize(
    "metric", ["mutual_knn", "cka", "unbiased_cka", *sorted(LIST_METRICS), *sorted(CKNNA_METRICS), *SHAPES, "linear_predictivity"]
)
def test_named_pairs_have_the_scores_of_the_whole_matrix(metric, arrays):
    whole = matrix(metric, arrays, None)
    some = matrix(metric, arrays, GRID)
    both_ways = metric in {"cycle_knn", "cknna", "procrustes", "linear_predictivity"}
    assert set(some) == {*GRID, *((j, i) for i, j in GRID if both_ways)}
    for pair, found in some.items():
        assert_same(found, whole[pair])
    alone = matrix(metric, arrays, [(3, 3)])
    assert set(alone) == {(3, 3)}
    assert_same(alone[3, 3], whole[3, 3])


@pytest.mark.parametrize("dense", [True, False])
def test_the_index_serves_named_pairs(monkeypatch, dense):
    monkeypatch.setattr(overlap, "load_kernels", lambda: None)
    monkeypatch.setattr(permutation_null, "load_kernels", lambda: None)
    monkeypatch.setattr(permutation_null, "_DENSE_BYTES", (1 << 23) if dense else 0)
    monkeypatch.setattr(permutation_null, "_DENSE_TIED_BYTES", (1 << 28) if dense else 0)
    monkeypatch.setattr(permutation_null, "_SPACES_AN_INDEX", 2)
    given = replace(OPTIONS, interval_kind="queries")
    pairs = [(0, 1), (0, 4), (1, 3), (2, 3)]
    whole = mutual_knn_matrix(tables(ARRAYS), 5, given, Control())
    some = mutual_knn_matrix(tables(ARRAYS), 5, given, Control(), pairs)
    assert set(some) == set(pairs)
    for pair, found in some.items():
        assert found.null.tolist() == whole[pair].null.tolist()


def test_pairs_are_asked_once():
    assert wanted_pairs(3, None) == [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    assert wanted_pairs(9, [(2, 5), (0, 1), (2, 5)]) == [(0, 1), (2, 5)]
