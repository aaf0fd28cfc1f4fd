"""Permutations: documented stream, uniform, independent of everything but seed and index."""

from collections import Counter

import numpy as np

from consilience_server.core.permutation import Pairings, canonical_order, permutation


def test_the_stream_is_as_documented():
    draws = np.random.Philox(key=[5, 7]).random_raw(11)
    assert permutation(5, 7, 11).tolist() == sorted(range(11), key=lambda position: draws[position])


def test_known_values_never_change():
    assert permutation(0, 0, 8).tolist() == [0, 2, 1, 5, 4, 3, 6, 7]
    assert permutation(2**64 - 1, 998, 8).tolist() == [5, 1, 2, 7, 3, 4, 0, 6]


def test_all_orders_are_equally_likely():
    counts = Counter(tuple(permutation(3, index, 4)) for index in range(12000))
    assert len(counts) == 24
    expected = 12000 / 24
    assert sum((count - expected) ** 2 / expected for count in counts.values()) < 49.7  # chi-square, 23 degrees, .999


def test_canonical_order_follows_the_items():
    hashes = np.random.default_rng(0).integers(0, 2**64, 50, dtype=np.uint64)
    shuffled = np.random.default_rng(1).permutation(50)
    np.testing.assert_array_equal(hashes[canonical_order(hashes)], hashes[shuffled][canonical_order(hashes[shuffled])])


def test_pairings_are_the_permutations_from_the_first_on():
    drawn = [Pairings(9, 3, first=5).draw(index).tolist() for index in range(4)]
    assert drawn == [permutation(3, index, 9).tolist() for index in range(5, 9)]


def test_one_group_restricts_nothing():
    for index in range(20):
        one = Pairings(30, 2**64 - 1, np.zeros(30, dtype=np.int64)).draw(index)
        np.testing.assert_array_equal(one, permutation(2**64 - 1, index, 30))


def test_items_stay_within_their_groups():
    groups = np.random.default_rng(0).integers(0, 7, 200)
    groups[:3] = 7, 8, 10  # groups of one, and a number without a group
    pairings = Pairings(200, 1, groups)
    np.testing.assert_array_equal(pairings.draw(0), Pairings(200, 1, 99 - groups).draw(0))
    for index in range(50):
        rho = pairings.draw(index)
        assert sorted(rho) == list(range(200))
        np.testing.assert_array_equal(groups[rho], groups)
        np.testing.assert_array_equal(rho[:3], [0, 1, 2])


def test_all_orders_within_groups_are_equally_likely():
    pairings = Pairings(5, 3, np.array([0, 1, 0, 1, 0]))
    counts = Counter(tuple(pairings.draw(index)) for index in range(6000))
    assert len(counts) == 12  # 3! 2!
    expected = 6000 / 12
    assert sum((count - expected) ** 2 / expected for count in counts.values()) < 31.3  # chi-square, 11 degrees, .999
