"""Pairings that send queries to queries: uniform, and with the mean that their derivation says."""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest

from consilience_server.core.query_pairings import chance_of_pairings, query_pairing


def test_known_values_never_change():
    queries, places = query_pairing(0, 0, 4, 1000, 5)
    assert queries.tolist() == [0, 2, 1, 3]
    assert places.tolist() == [803, 725, 167, 196, 405]


@pytest.mark.parametrize("others", [2, 4, 9])  # all of the others listed, and fewer: the two ways to draw
def test_places_are_distinct_and_every_choice_equally_likely(others):
    draws, listed = 6000, 2
    counts = Counter()
    for index in range(draws):
        queries, places = query_pairing(5, index, 3, others, listed)
        assert sorted(queries) == [0, 1, 2]
        counts[tuple(queries), tuple(places)] += 1
    cells = 6 * others * (others - 1)
    assert len(counts) == cells
    expected = draws / cells
    chi_square = sum((count - expected) ** 2 / expected for count in counts.values())
    assert chi_square < cells - 1 + 3.1 * np.sqrt(2 * (cells - 1)) + 7  # about the .999 quantile


def test_the_places_are_the_first_that_the_stream_names():
    for others, listed in ((50, 39), (1000, 10), (7, 5)):
        for index in range(20):
            _, places = query_pairing(3, index, 4, others, listed)
            named = (np.random.Philox(key=[3, index]).random_raw(4 + 5000)[4:] % np.uint64(others)).tolist()
            assert places.tolist() == list(dict.fromkeys(named))[:listed]


def test_the_mean_over_all_pairings_is_as_derived():
    n, m, k = 6, 3, 2
    draw = np.random.default_rng(0)
    lists = [np.array([draw.choice([j for j in range(n) if j != i], k, replace=False) for i in range(m)]) for _ in range(2)]
    found = []
    for queries in permutations(range(m)):
        for others in permutations(range(m, n)):
            rho = np.array([*queries, *others])
            moved = {int(rho[i]): {int(rho[j]) for j in lists[1][i]} for i in range(m)}
            found.append(sum(len(moved[i] & set(lists[0][i].tolist())) for i in range(m)) / (m * k))
    shares = [(of < m).mean() for of in lists]
    assert np.mean(found) == pytest.approx(chance_of_pairings(k, m, n, *shares), rel=1e-13)
    p = (m - 1) / (n - 1)
    beside = k * (shares[0] - p) * (shares[1] - p) * (n - 1) / ((m - 1) * (n - m))
    assert np.mean(found) == pytest.approx(k / (n - 1) + beside, rel=1e-12)
    assert chance_of_pairings(k, m, n, p, 0.9) == pytest.approx(k / (n - 1), rel=1e-13)
