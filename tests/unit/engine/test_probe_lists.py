"""Lists of probes read again after items left: the same as a search among those that stayed."""

import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.errors import InvalidK
from consilience_server.core.mutual_knn import overlaps as plain_overlaps
from consilience_server.core.similarity import Similarity
from consilience_server.engine.choose import make_engine
from consilience_server.engine.probe_lists import list_depth, occurrences, overlaps, probe_lists

ENGINE = make_engine(1, "cpu")


def table(vectors, probes, k_max, similarity=Similarity.COSINE):
    keys = np.random.default_rng(9).integers(0, 2**63, 10_000).astype(np.uint64)[: len(vectors)]
    vectors = np.ascontiguousarray(vectors)
    return ENGINE.query(vectors[probes], vectors, similarity, k_max, exclude=probes, tie_keys=keys, control=Control())


def tied(n, levels, seed=0):
    """Vectors of few values: many equal scores."""
    return np.random.default_rng(seed).integers(1, levels + 1, (n, 3)).astype(np.float32)


SPACES = {
    "distinct": np.random.default_rng(0).standard_normal((200, 8)).astype(np.float32),
    "some ties": tied(200, 6),
    "many ties": tied(200, 2),
    "one point": np.ones((200, 3), np.float32),
}
NOWHERE = np.arange(200)


def same(found, expected):
    assert np.array_equal(found.indptr, expected.indptr)
    assert np.array_equal(found.indices, expected.indices)
    assert found.weights == pytest.approx(expected.weights)
    assert np.array_equal(found.tied, expected.tied)
    assert (found.k, found.gallery) == (expected.k, expected.gallery)


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("k", [1, 5, 20])
def test_while_all_are_there_they_are_the_tables_sets(name, k):
    probes = np.arange(3, 200, 4)
    of_all = table(SPACES[name], probes, 20)
    found, enough = probe_lists(of_all).sets(k, NOWHERE, 200)
    assert enough.all()
    same(found, of_all.sets(k))


@pytest.mark.parametrize("name", SPACES)
def test_after_a_loss_they_are_those_of_a_new_search(name):
    vectors, draw = SPACES[name], np.random.default_rng(1)
    probes = np.arange(3, 200, 4)
    lists = probe_lists(table(vectors, probes, list_depth(5, 200)))
    stays = np.ones(200, dtype=bool)
    stays[np.setdiff1d(draw.choice(200, 60, replace=False), probes)] = False
    place = np.where(stays, np.cumsum(stays) - 1, -1)
    found, enough = lists.sets(5, place, int(stays.sum()))
    assert enough.mean() > 0.9
    anew = table(vectors[stays], place[probes], 5).sets(5)
    of_enough = np.repeat(enough, np.diff(anew.indptr))
    assert np.array_equal(found.indices, anew.indices[of_enough])
    assert found.weights == pytest.approx(anew.weights[of_enough])
    assert np.array_equal(np.diff(found.indptr), np.where(enough, np.diff(anew.indptr), 0))


def test_groups_in_the_order_of_keys_stay_in_it():
    """Too many equal items to keep: 9,000 copies of one vector."""
    vectors = np.ones((9000, 2), np.float32)
    vectors[:3] = [[1, 0], [1, 0.1], [0.9, 0.1]]
    probes = np.array([0, 5000])
    of_all = table(vectors, probes, 8)
    assert of_all.tails.ordered.all()
    found, enough = probe_lists(of_all).sets(4, np.arange(9000), 9000)
    assert enough.all()
    same(found, of_all.sets(4))
    place = np.arange(9000)
    gone = found.indices[found.indptr[1]]
    place[gone] = -1
    left, _ = probe_lists(of_all).sets(4, place, 8999)
    kept = set(found.indices[found.indptr[1] :].tolist()) - {gone}
    assert kept < set(left.indices[left.indptr[1] :].tolist())


def test_a_list_that_runs_short_is_told_and_not_guessed():
    probes = np.array([0, 1])
    lists = probe_lists(table(SPACES["distinct"], probes, 20))
    place = np.arange(200)
    place[lists.nearest(0, 18)] = -1
    found, enough = lists.sets(5, place, 182)
    assert not enough[0]
    assert found.indptr[1] == 0
    with pytest.raises(InvalidK, match="among 5 items"):
        lists.sets(5, place, 5)


@pytest.mark.parametrize("name", ["distinct", "many ties"])
def test_overlaps_are_those_of_the_definition(name):
    probes = np.arange(0, 200, 3)
    x = table(SPACES[name], probes, 7).sets(7)
    y = table(SPACES["some ties"], probes, 7).sets(7)
    assert overlaps(x, y) == pytest.approx(plain_overlaps(x, y), rel=1e-12)
    assert occurrences(x).sum() == pytest.approx(7 * len(probes))
