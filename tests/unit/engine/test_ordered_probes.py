"""Ordered lists of probes: the definitions item by item, and chance against random pairings."""

import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.edit_distance_knn import edit_distance_knn
from consilience_server.core.lcs_knn import lcs_knn
from consilience_server.core.ordered_lists import OrderedLists, ordered_lists
from consilience_server.core.similarity import Similarity
from consilience_server.engine.choose import make_engine
from consilience_server.engine.ordered_probes import ordered_chance, ordered_values
from consilience_server.engine.probe_lists import list_depth, probe_lists

ENGINE = make_engine(1, "cpu")
PLAIN = {"lcs_knn": lcs_knn, "edit_distance_knn": edit_distance_knn}


def random_lists(draw, m, k, n):
    return np.array([draw.permutation(n)[:k] for _ in range(m)], dtype=np.int64)


@pytest.mark.parametrize("metric", PLAIN)
@pytest.mark.parametrize("k", [1, 4, 70])
def test_each_probe_has_the_value_of_the_definition(metric, k):
    draw = np.random.default_rng(k)
    x, y = (random_lists(draw, 12, k, k + 5) for _ in range(2))
    y[0] = x[0]
    alone = [PLAIN[metric](OrderedLists(np.int32(x[at : at + 1])), OrderedLists(np.int32(y[at : at + 1]))) for at in range(12)]
    found = ordered_values(metric, x, y)
    np.testing.assert_allclose(found, alone, atol=1e-15)
    assert found[0] == 1.0


@pytest.mark.parametrize("metric", PLAIN)
def test_chance_is_the_mean_over_random_pairings(metric):
    draw, n, k = np.random.default_rng(1), 40, 6
    values = ordered_values(metric, random_lists(draw, 20_000, k, n - 1), random_lists(draw, 20_000, k, n - 1))
    error = values.std() / np.sqrt(len(values))
    assert abs(ordered_chance(metric, k, n) - values.mean()) < 4 * error + 0.005
    assert ordered_chance(metric, 1, n) == pytest.approx(1 / (n - 1))
    assert ordered_chance(metric, 5, 6) <= 1.0
    assert ordered_chance(metric, 10, 100_000) < 2e-4


@pytest.mark.parametrize("levels", [3, 9, 10_000])
@pytest.mark.parametrize("lost", [0, 60])
def test_lists_are_those_of_a_full_sort_among_the_items_that_are_left(levels, lost):
    draw = np.random.default_rng(levels)
    vectors = draw.integers(1, levels + 1, (200, 3)).astype(np.float32)
    keys = draw.integers(0, 2**63, 200).astype(np.uint64)
    probes = np.arange(3, 200, 4)
    depth = list_depth(5, 200)
    table = ENGINE.query(vectors[probes], vectors, Similarity.SQUARED_L2, depth, exclude=probes, tie_keys=keys, control=Control())
    stays = np.ones(200, dtype=bool)
    stays[np.setdiff1d(draw.choice(200, lost, replace=False), probes)] = False
    place = np.where(stays, np.cumsum(stays) - 1, -1)
    found, enough = probe_lists(table).ranked(5, place, int(stays.sum()), keys)
    left = vectors[stays].astype(np.float64)
    scores = -((left[:, None] - left[None]) ** 2).sum(axis=2)
    expected = ordered_lists(scores, 5, keys[stays]).indices[place[probes]]
    assert enough.mean() > 0.9
    np.testing.assert_array_equal(found[enough], expected[enough])
    assert (found[~enough] == -1).all()
