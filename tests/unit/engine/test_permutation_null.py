"""Permuted overlaps against recomputation, in every form of look-up."""

import numpy as np
import pytest
from support.brute_table import BruteTable

from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled
from consilience_server.core.mutual_knn import mutual_knn
from consilience_server.core.permutation import Pairings, permutation
from consilience_server.engine import permutation_null
from consilience_server.engine.overlap import keyed_sets
from consilience_server.engine.permutation_null import permuted_overlaps


def similarity(seed, n, levels):
    s = np.random.default_rng(seed).integers(0, levels, (n, n)).astype(float)
    return s + s.T


@pytest.fixture(params=["dense", "exact slots", "hashed slots"])
def form(request, monkeypatch):
    if request.param != "dense":
        monkeypatch.setattr(permutation_null, "_DENSE_BYTES", 0)
        monkeypatch.setattr(permutation_null, "_DENSE_TIED_BYTES", 0)
    if request.param == "hashed slots":
        monkeypatch.setattr(permutation_null, "_INDEX_BYTES", 1 << 9)  # crowded: most hits are false and must be found out
    return request.param


@pytest.mark.parametrize("levels", [3, 10**9])
def test_the_trick_equals_recomputation(form, levels):
    n, ks, permutations = 40, (5, 2), 12
    tables = [BruteTable(similarity(seed, n, levels), 5) for seed in (1, 2, 3)]
    spaces = [keyed_sets([t.sets(k) for k in ks], np.arange(n)) for t in tables]
    found = permuted_overlaps(spaces, permutations, Pairings(spaces[0].n, 9), 1, Control())
    assert set(found) == {(0, 1), (0, 2), (1, 2)}
    for (i, j), scores in found.items():
        for b in range(permutations):
            rho = permutation(9, b, n)
            # Item r of y plays item rho[r] of x: reorder x so that its row r is item rho[r].
            paired = BruteTable(tables[i]._masked[rho][:, rho], 5)
            expected = [mutual_knn(paired.sets(k), tables[j].sets(k)) for k in ks]
            np.testing.assert_allclose(scores[:, b], expected, atol=1e-13)


def test_forms_and_threads_agree_to_the_byte(monkeypatch):
    n = 60
    tables = [BruteTable(similarity(seed, n, 10**9), 4) for seed in range(4)]
    spaces = [keyed_sets([t.sets(4)], np.arange(n)) for t in tables]
    expected = permuted_overlaps(spaces, 70, Pairings(spaces[0].n, 0), 1, Control())
    for setting in (
        {},
        {"_DENSE_BYTES": 0},
        {"_DENSE_BYTES": 0, "_INDEX_BYTES": 1 << 10},
        {"_PERMUTATIONS_A_CHUNK": 3},
        {"_SPACES_AN_INDEX": 2, "_DENSE_BYTES": 0},
    ):
        with monkeypatch.context() as patch:
            for name, value in setting.items():
                patch.setattr(permutation_null, name, value)
            for threads in (1, 3):
                found = permuted_overlaps(spaces, 70, Pairings(spaces[0].n, 0), threads, Control())
                assert all(found[pair].tobytes() == expected[pair].tobytes() for pair in expected), setting


def test_fractional_weights_do_not_depend_on_threads(monkeypatch):
    monkeypatch.setattr(permutation_null, "_DENSE_TIED_BYTES", 0)
    monkeypatch.setattr(permutation_null, "_DENSE_BYTES", 0)
    spaces = [keyed_sets([BruteTable(similarity(seed, 50, 3), 4).sets(4)], np.arange(50)) for seed in range(2)]
    one, four = (permuted_overlaps(spaces, 70, Pairings(spaces[0].n, 0), threads, Control())[0, 1] for threads in (1, 4))
    assert one.tobytes() == four.tobytes()


def test_the_first_permutations_stay_the_same_when_more_are_asked():
    spaces = [keyed_sets([BruteTable(similarity(seed, 30, 10**9), 4).sets(4)], np.arange(30)) for seed in range(2)]
    few, many = (permuted_overlaps(spaces, k, Pairings(spaces[0].n, 0), 1, Control())[0, 1] for k in (10, 50))
    np.testing.assert_array_equal(few, many[:, :10])


def test_progress_is_told_and_cancellation_heard():
    spaces = [keyed_sets([BruteTable(similarity(seed, 30, 10**9), 4).sets(4)], np.arange(30)) for seed in range(2)]
    told = []
    permuted_overlaps(spaces, 200, Pairings(spaces[0].n, 0), 1, Control(told.append))
    assert told == sorted(told)
    assert told[-1] == 1.0
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        permuted_overlaps(spaces, 200, Pairings(spaces[0].n, 0), 2, control)
