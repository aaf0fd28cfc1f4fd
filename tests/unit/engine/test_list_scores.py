"""Scores of ordered lists: against the definitions, under every permutation, without groups, with ties, and refused."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from support.brute_table import cosine, latent_pair, table

from consilience_server.core.control import Control
from consilience_server.core.cycle_knn import cycle_knn
from consilience_server.core.edit_distance_knn import edit_distance_knn
from consilience_server.core.errors import Cancelled, InvalidK, ShapeMismatch
from consilience_server.core.intervals import group_sizes, item_interval
from consilience_server.core.lcs_knn import lcs_knn
from consilience_server.core.ordered_lists import OrderedLists, ordered_lists
from consilience_server.core.permutation import canonical_order, permutation
from consilience_server.core.similarity import Similarity
from consilience_server.engine import permutation_null
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.choose import make_engine
from consilience_server.engine.list_scores import list_bytes, list_matrix, list_scores
from consilience_server.engine.neighbour_scores import table_depth

DEFINITIONS = {"cycle_knn": cycle_knn, "lcs_knn": lcs_knn, "edit_distance_knn": edit_distance_knn}
METRICS = pytest.mark.parametrize("metric", DEFINITIONS)


def options(n, **changes):
    order = np.random.default_rng(77).integers(0, 2**64, n, dtype=np.uint64)
    return replace(ScoreOptions(199, 0, 0.05, "items", 0.95, order, 1), **changes)


def tables(*arrays, ks=(10,)):
    return [table(x, table_depth(ks, len(x), "items")) for x in arrays]


def keys_of(n, count=2):
    return np.random.default_rng(5).integers(0, 2**64, (count, n), dtype=np.uint64)


def one_hot(draw, n, classes=6):
    return np.eye(classes)[draw.integers(0, classes, n)]


PAIRS = {
    "latent": latent_pair(2, 64, 32, 48, 8, 1.0),
    "independent": latent_pair(3, 64, 32, 48, 8, 1000.0),
    "one_hot": (one_hot(np.random.default_rng(0), 70), one_hot(np.random.default_rng(1), 70)),
}
SPACES = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)


@METRICS
@SPACES
def test_every_k_agrees_with_the_definition_and_with_itself_alone(metric, pair):
    n, ks = len(pair[0]), (5, 10, 3)
    keys, given = keys_of(n), options(n)
    found = list_scores(metric, tables(*pair, ks=ks), keys, ks, given, Control())
    for k, score in zip(ks, found, strict=True):
        x, y = (ordered_lists(cosine(side), k, of_side) for side, of_side in zip(pair, keys, strict=True))
        assert score.score == pytest.approx(DEFINITIONS[metric](x, y), abs=1e-14)
        assert score.self_score_x == pytest.approx(DEFINITIONS[metric](x, x), abs=1e-14)
        assert list_scores(metric, tables(*pair, ks=(k,)), keys, (k,), given, Control())[0] == score


@METRICS
@SPACES
@pytest.mark.parametrize("index_bytes", [1 << 26, 1 << 12], ids=["exact index", "shared slots"])
def test_the_null_is_the_definition_under_each_permutation(metric, pair, index_bytes, monkeypatch):
    monkeypatch.setattr(permutation_null, "_INDEX_BYTES", index_bytes)
    n, k, count = len(pair[0]), 5, 25
    keys, given = keys_of(n), options(n, permutations=count, interval_kind="queries")
    score = list_scores(metric, tables(*pair, ks=(k,)), keys, (k,), given, Control())[0]
    x, y = (ordered_lists(cosine(side), k, of_side) for side, of_side in zip(pair, keys, strict=True))
    order = canonical_order(given.item_order)
    values = []
    for index in range(count):
        rho = np.empty(n, dtype=np.int64)
        rho[order] = order[permutation(0, index, n)]
        moved = np.empty_like(y.indices)
        moved[rho] = rho[y.indices]
        values.append(DEFINITIONS[metric](x, OrderedLists(moved)))
    assert score.null_mean == pytest.approx(np.mean(values), abs=1e-12)
    assert score.null_sd == pytest.approx(np.std(values, ddof=1), abs=1e-12)
    assert score.p_value == (1 + sum(value >= score.score - 1e-12 for value in values)) / (count + 1)


@METRICS
@SPACES
def test_the_interval_is_of_scores_searched_anew_without_each_group(metric, pair):
    n, k = len(pair[0]), 4
    keys, given = keys_of(n), options(n, permutations=0)
    score = list_scores(metric, tables(*pair, ks=(k,)), keys, (k,), given, Control())[0]
    order, sizes = canonical_order(given.item_order), group_sizes(n)
    without = []
    for group in range(len(sizes)):
        left = np.sort(np.delete(order, np.arange(group, n, len(sizes))))
        sides = (ordered_lists(cosine(side[left]), k, of_side[left]) for side, of_side in zip(pair, keys, strict=True))
        without.append(DEFINITIONS[metric](*sides))
    expected = item_interval(score.score, score.score, np.array(without), sizes, 0.95, 0.0, 1.0)
    assert (score.interval.low, score.interval.high) == pytest.approx(expected, abs=1e-12)


@METRICS
@SPACES
def test_no_number_moves_when_rows_do_or_threads(metric, pair):
    n = len(pair[0])
    keys, given = keys_of(n), options(n)
    expected = list_scores(metric, tables(*pair), keys, (10,), given, Control())
    rho = np.random.default_rng(5).permutation(n)
    moved = replace(given, item_order=given.item_order[rho], threads=3)
    assert list_scores(metric, tables(*(side[rho] for side in pair)), keys[:, rho], (10,), moved, Control()) == expected


@METRICS
def test_a_matrix_has_the_scores_of_its_pairs_in_both_directions(metric):
    x, y = latent_pair(2, 64, 32, 48, 8, 3.0)
    spaces, keys, given = tables(x, y, x + 0.3 * y[:, :32]), keys_of(64, 3), options(64)
    matrix = list_matrix(metric, spaces, keys, 10, given, Control())
    both = metric == "cycle_knn"
    assert set(matrix) == {(i, j) for i in range(3) for j in range(3) if both or i <= j}
    for i, j in matrix:
        if i < j:
            assert matrix[i, j] == list_scores(metric, [spaces[i], spaces[j]], keys[[i, j]], (10,), given, Control())[0]
        elif i == j:
            assert matrix[i, i].p_value is None
            assert matrix[i, i].score == matrix[i, (i + 1) % 3].self_score_x if both else matrix[i, i].score == 1.0
        else:
            back = list_scores(metric, [spaces[i], spaces[j]], keys[[i, j]], (10,), given, Control())[0]
            # The pairings are drawn for one direction: the other sees their inverses.
            assert (matrix[i, j].score, matrix[i, j].chance) == (back.score, back.chance)
            assert matrix[i, j].interval == back.interval
            assert matrix[i, j].null_mean == pytest.approx(back.null_mean, abs=5 * back.null_sd / 199**0.5)


@METRICS
def test_chance_is_the_mean_of_the_null_or_near_it(metric):
    x, y = PAIRS["independent"]
    score = list_scores(metric, tables(x, y), keys_of(64), (10,), options(64, permutations=1999), Control())[0]
    assert score.chance == pytest.approx(score.null_mean, abs=4 * score.null_sd / 1999**0.5)
    without = list_scores(metric, tables(x, y), keys_of(64), (10,), options(64, permutations=0), Control())[0]
    assert without.p_value is None
    assert without.chance == pytest.approx(score.chance, abs=5 * score.null_sd / 99**0.5)


def test_ties_anywhere_in_a_list_are_told():
    scores = np.array([[0, 3, 2, 2, 1], [4, 0, 3, 2, 1], [4, 3, 0, 2, 1], [4, 3, 2, 0, 1], [4, 3, 2, 1, 0.0]])
    spaces = [table(scores, 4, lambda x: x)] * 2
    found = list_scores("lcs_knn", spaces, keys_of(5), (1, 2, 3), options(5, permutations=0), Control())
    assert [score.tie_fraction_x for score in found] == [0.0, 0.2, 0.2]


@METRICS
def test_what_cannot_be_scored_is_refused(metric):
    x, y = PAIRS["latent"]
    both, keys = tables(x, y), keys_of(64)
    for k in (0, 60):
        with pytest.raises(InvalidK, match="serve 1 to"):
            list_scores(metric, both, keys, (k,), options(64), Control())
    with pytest.raises(ShapeMismatch):
        list_scores(metric, [both[0], tables(y[:50])[0]], keys, (10,), options(64), Control())
    with pytest.raises(ShapeMismatch):
        list_scores(metric, both, keys, (10,), options(63), Control())
    with pytest.raises(ShapeMismatch):
        list_scores(metric, both, keys[:, :50], (10,), options(64), Control())
    stopped = Control()
    stopped.cancel()
    with pytest.raises(Cancelled):
        list_scores(metric, both, keys, (10,), options(64), stopped)


@METRICS
@pytest.mark.parametrize(("n", "ks", "classes"), [(3000, (10,), 0), (2000, (10, 50, 100), 0), (1200, (10,), 8)])
def test_the_memory_told_beforehand_is_enough(metric, n, ks, classes):
    draw = np.random.default_rng(0)
    arrays = [one_hot(draw, n, classes) if classes else draw.normal(size=(n, 8)) for _ in range(2)]
    engine, keys = make_engine(2, "cpu"), keys_of(n)
    depth = table_depth(ks, n, "items")
    joined = [
        engine.self_join(array.astype(np.float32), Similarity.COSINE, depth, tie_keys=of_space, control=Control())
        for array, of_space in zip(arrays, keys, strict=True)
    ]
    tracemalloc.start()
    try:
        list_scores(metric, joined, keys, ks, options(n, permutations=99, threads=2), Control())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= list_bytes(joined, ks, 2) <= 40 * peak
