from itertools import permutations

import numpy as np
import pytest

from consilience_server.core.quadratic_assignment import _swap_gains, match_grams


def gram(size, seed):
    rows = np.random.default_rng(seed).standard_normal((size, 4))
    return rows @ rows.T


def value(a, b, places):
    return (a * b[np.ix_(places, places)]).sum()


@pytest.mark.parametrize("seed", range(3))
def test_of_few_places_the_best_of_all_permutations_is_found(seed):
    a, b = gram(6, seed), gram(6, seed + 10)
    best = max(value(a, b, list(places)) for places in permutations(range(6)))
    assert value(a, b, match_grams(a, b, np.random.default_rng(0))) == pytest.approx(best)


def test_a_hidden_permutation_is_found():
    a = gram(20, 1)
    hidden = np.random.default_rng(2).permutation(20)
    found = match_grams(a, a[np.ix_(hidden, hidden)], np.random.default_rng(3))
    assert np.array_equal(hidden[found], np.arange(20))


def test_a_swap_gains_what_it_changes():
    a, b = gram(5, 4), gram(5, 5)
    gains = _swap_gains(a, b[None])[0]
    for one in range(5):
        for other in range(5):
            places = np.arange(5)
            places[[one, other]] = places[[other, one]]
            assert gains[one, other] == pytest.approx(value(a, b, places) - value(a, b, np.arange(5)), abs=1e-9)
