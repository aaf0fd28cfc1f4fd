"""The jackknife of neighbour lists against searching anew among the remaining items, and its coverage."""

import numpy as np
import pytest
from support.brute_table import BruteTable, table

from consilience_server.core.control import Control
from consilience_server.core.intervals import group_sizes, item_interval, list_depth
from consilience_server.core.mutual_knn import mutual_knn
from consilience_server.engine.neighbour_jackknife import ranked_lists, scores_without_groups


def similarity(seed, n, levels):
    s = np.random.default_rng(seed).integers(0, levels, (n, n)).astype(float)
    return s + s.T


def jackknife(tables, ks, groups, depth, order, threads=1):
    position = np.argsort(order)
    return scores_without_groups([ranked_lists(t, depth, order, position) for t in tables], ks, groups, threads, Control())


@pytest.mark.parametrize("levels", [2, 5, 30, 10**9])
def test_deletion_equals_searching_anew(levels):
    n, groups, ks = 90, 30, (4, 9)
    depth = n - 1
    similarities = [similarity(seed, n, levels) for seed in (1, 2, 3)]
    order = np.random.default_rng(0).permutation(n)
    deep = {k: list_depth(k, n) for k in ks}
    tables = [BruteTable(s, depth) for s in similarities]
    found = jackknife(tables, ks, groups, depth, order)
    for (i, j), (full, without) in found.items():
        np.testing.assert_allclose(full, [mutual_knn(tables[i].sets(k), tables[j].sets(k)) for k in ks], atol=1e-13)
        for group in range(groups):
            left = np.delete(order, np.s_[group::groups])
            anew = [BruteTable(similarities[at][left][:, left], 9) for at in (i, j)]
            for column, k in enumerate(ks):
                assert deep[k] >= k + 3  # deletions of three items can always be refilled
                assert without[column, group] == pytest.approx(mutual_knn(anew[0].sets(k), anew[1].sets(k)), abs=1e-13)


def test_a_deeper_table_and_more_k_change_nothing():
    n = 120
    order = np.random.default_rng(0).permutation(n)
    similarities = [similarity(seed, n, 10**9) for seed in (1, 2)]
    expected = jackknife([BruteTable(s, list_depth(5, n)) for s in similarities], (5,), 32, list_depth(5, n), order)[0, 1]
    deep = jackknife([BruteTable(s, 60) for s in similarities], (20, 5), 32, list_depth(20, n), order, threads=3)[0, 1]
    assert deep[0][1] == expected[0][0]
    np.testing.assert_array_equal(deep[1][1], expected[1][0])


def test_a_space_agrees_with_itself_whatever_is_deleted_even_from_shallow_lists():
    x = table(np.random.default_rng(0).normal(size=(100, 3)), 6)
    full, without = jackknife([x, x], (6,), 32, 6, np.arange(100))[0, 1]
    assert full[0] == 1.0
    np.testing.assert_array_equal(without[0], np.ones(32))


def test_no_neighbour_left_is_not_a_number():
    x = table(np.array([[1.0, 0.0], [0.0, 1.0]]), 1)
    full, without = jackknife([x, x], (1,), 2, 1, np.arange(2))[0, 1]
    assert full[0] == 1.0
    assert np.isnan(without).all()


def sample(seed, n, noise=0.7):
    draw = np.random.default_rng(seed)
    z = draw.normal(size=(n, 4)) + 4.0 * draw.integers(0, 4, (n, 1))
    mix = np.random.default_rng(99)
    a, b = mix.normal(size=(2, 4, 8))
    return z @ a + noise * draw.normal(size=(n, 8)), z @ b + noise * draw.normal(size=(n, 8))


@pytest.mark.parametrize("spare", [True, False], ids=["refilled lists", "lists of k only"])
def test_the_interval_covers_what_samples_of_this_size_score_on_average(spare):
    n, k, rounds = 128, 5, 160
    scores, limits, variances = [], [], []
    sizes = group_sizes(n)
    depth = list_depth(k, n) if spare else k
    for seed in range(rounds):
        x, y = (table(side, depth) for side in sample(seed, n))
        full, without = jackknife([x, y], (k,), len(sizes), depth, np.arange(n))[0, 1]
        scores.append(mutual_knn(x.sets(k), y.sets(k)))
        limits.append(item_interval(scores[-1], full[0], without[0], sizes, 0.95, 0.0, 1.0))
        variances.append(((without[0] - without[0].mean()) ** 2).sum() * (len(sizes) - 1) / len(sizes))
    truth = np.mean(scores)
    assert np.mean([low <= truth <= high for low, high in limits]) >= 0.93
    # Conservative, yet not by much: the jackknife's variance against the true one.
    assert np.mean(variances) / np.var(scores, ddof=1) * 1.15 >= 1.0
    assert np.mean(variances) / np.var(scores, ddof=1) < 2.0
