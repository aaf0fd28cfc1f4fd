"""Ordered lists out of real tables: ties of any size are decided by key, also where a tied group outgrows the table."""

import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.neighbours import self_scores
from consilience_server.core.ordered_lists import ordered_lists
from consilience_server.core.permutation import canonical_order
from consilience_server.core.similarity import Similarity
from consilience_server.engine import neighbour_table
from consilience_server.engine.choose import make_engine
from consilience_server.engine.keyed_lists import keyed_lists


def one_hot(draw, n):
    return np.eye(7)[draw.integers(0, 7, n)]


def binary(draw, n):
    return np.hstack([np.ones((n, 1)), draw.integers(0, 2, (n, 4))])


def rounded(draw, n):
    return np.round(draw.normal(size=(n, 3)), 1) + 0.05


@pytest.mark.parametrize("kind", [one_hot, binary, rounded])
@pytest.mark.parametrize("small", [False, True], ids=["groups kept whole", "groups cut by key"])
@pytest.mark.parametrize("similarity", [Similarity.COSINE, Similarity.SQUARED_L2])
def test_lists_are_those_of_the_definition_for_every_k(kind, small, similarity, monkeypatch):
    if small:
        monkeypatch.setattr(neighbour_table, "_LEAST_LIMIT", 2)
        monkeypatch.setattr(neighbour_table, "_TAIL_ENTRIES", 1)
    n, k_max, draw = 200, 12, np.random.default_rng(4)
    vectors = kind(draw, n).astype(np.float32)
    keys, hashes = draw.integers(0, 2**64, (2, n), dtype=np.uint64)
    table = make_engine(1, "cpu").self_join(vectors, similarity, k_max, tie_keys=keys, control=Control())
    order = canonical_order(hashes)
    position = np.argsort(order)
    scores = self_scores(vectors, similarity)
    deepest = keyed_lists(table, k_max, order, position, keys)
    expected = position[ordered_lists(scores, k_max, keys).indices][order]
    np.testing.assert_array_equal(deepest.columns, expected)
    for k in (1, 5, 11):
        found = keyed_lists(table, k, order, position, keys)
        np.testing.assert_array_equal(found.columns, expected[:, :k])
        np.testing.assert_array_equal(found.tie_shares, deepest.tie_shares[:k])
        np.testing.assert_array_equal(deepest.first(k).columns, found.columns)
    np.testing.assert_array_equal(deepest.times_listed(5), np.bincount(expected[:, :5].ravel(), minlength=n))


def test_the_share_of_tied_lists_counts_a_tie_at_any_place():
    draw = np.random.default_rng(4)
    vectors = rounded(draw, 200).astype(np.float32)
    keys = draw.integers(0, 2**64, 200, dtype=np.uint64)
    table = make_engine(1, "cpu").self_join(vectors, Similarity.SQUARED_L2, 9, tie_keys=keys, control=Control())
    rows = np.arange(200)
    best = -np.sort(-self_scores(vectors, Similarity.SQUARED_L2), axis=1)
    expected = [np.mean([(row[:k] == row[1 : k + 1]).any() for row in best]) for k in range(1, 10)]
    assert keyed_lists(table, 9, rows, rows, keys).tie_shares.tolist() == expected
    assert 0 < expected[0] < expected[-1]
