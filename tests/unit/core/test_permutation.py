"""Permutations: documented stream, uniform, independent of everything but seed and index."""

from collections import Counter

import numpy as np

from consilience_server.core.permutation import canonical_order, permutation


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
