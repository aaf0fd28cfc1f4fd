"""Keyed overlaps against the definition, and their independence of row order."""

import numpy as np
import pytest
from support.brute_table import BruteTable, table

from consilience_server.core.mutual_knn import mutual_knn, self_score
from consilience_server.core.permutation import canonical_order
from consilience_server.engine.overlap import keyed_sets, overlap_scores, own_scores, shared_edges


def tied_similarity(seed, n, levels):
    s = np.random.default_rng(seed).integers(0, levels, (n, n)).astype(float)
    return s + s.T


@pytest.mark.parametrize("levels", [2, 4, 50, 10**9])
def test_every_k_at_once_equals_the_definition(levels):
    n, ks = 40, (3, 1, 17, 39)
    x, y = (BruteTable(tied_similarity(seed, n, levels), 39) for seed in (1, 2))
    position = np.random.default_rng(0).permutation(n)
    keyed = [keyed_sets([t.sets(k) for k in ks], position) for t in (x, y)]
    found = overlap_scores(*keyed)
    np.testing.assert_allclose(found, [mutual_knn(x.sets(k), y.sets(k)) for k in ks], atol=1e-13)
    np.testing.assert_array_equal(found, overlap_scores(*keyed[::-1]))
    np.testing.assert_allclose(own_scores(keyed[0]), [self_score(x.sets(k)) for k in ks], atol=1e-13)


def test_rows_in_another_order_give_the_same_arrays():
    n, draw = 60, np.random.default_rng(3)
    similarity, hashes, rho = tied_similarity(4, n, 3), draw.integers(0, 2**64, n, dtype=np.uint64), draw.permutation(n)
    found = []
    for rows in (np.arange(n), rho):
        position = np.argsort(canonical_order(hashes[rows]))
        found.append(keyed_sets([BruteTable(similarity[rows][:, rows], 7).sets(7)], position))
    np.testing.assert_array_equal(found[0].keys, found[1].keys)
    np.testing.assert_array_equal(found[0].weights, found[1].weights)


def test_shared_edges_of_disjoint_and_equal_lists():
    keys = np.array([2, 5, 9])
    for other, expected in (([0, 3, 10], []), ([2, 5, 9], [2, 5, 9]), ([9, 11], [9])):
        at_x, at_y = shared_edges(keys, np.array(other))
        assert keys[at_x].tolist() == np.array(other)[at_y].tolist() == expected


def test_untied_scores_are_whole_numbers_of_shared_neighbours():
    draw = np.random.default_rng(0)
    x, y = (table(draw.normal(size=(50, 4)), 5) for _ in range(2))
    found = overlap_scores(*[keyed_sets([t.sets(5)], np.arange(50)) for t in (x, y)])[0] * 250
    assert found == round(found)
