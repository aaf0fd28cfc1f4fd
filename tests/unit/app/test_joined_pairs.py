import itertools
from collections import Counter

import numpy as np
import pytest

from consilience_server.app.joined_pairs import MOST_PAIRS, held_out_queries, joined_bytes, joined_pairs
from consilience_server.app.known_pairs import KnownPairs
from consilience_server.core import errors
from consilience_server.core.similarity import Similarity
from consilience_server.engine.snapshot import Snapshot


def space(prefix, n, vectors=None):
    ids = np.array([f"{prefix}{row:04d}" for row in range(n)], dtype=object)
    vectors = np.ones((n, 3), dtype=np.float32) if vectors is None else vectors
    return Snapshot(f"spaces/{prefix}", prefix, 1, Similarity.COSINE, ids, vectors)


def joined(source_values, target_values):
    values = np.array(source_values), np.array(target_values)
    return joined_pairs(values, space("s", len(source_values)), space("t", len(target_values)))


def test_every_item_meets_every_item_of_its_value():
    found = joined([0, 1, 0, -1, 2], [1, 0, 0, 3, -1])
    assert list(zip(found.pairs.source_rows.tolist(), found.pairs.target_rows.tolist(), strict=True)) == [
        (0, 1),
        (0, 2),
        (1, 0),
        (2, 1),
        (2, 2),
    ]
    assert found.pairs.source_ids.tolist() == ["s0000", "s0000", "s0001", "s0002", "s0002"]
    assert found.pairs.target_ids.tolist() == ["t0001", "t0002", "t0000", "t0001", "t0002"]
    assert found.values.tolist() == [0, 0, 1, 0, 0]
    assert (found.capped, found.left_out) == (0, 0)


@pytest.mark.parametrize(("one", "other"), [(30, 40), (40, 30), (1, 250), (250, 1), (101, 1), (11, 11), (1000, 1000)])
def test_of_a_large_value_so_many_are_taken_evenly(one, other):
    found = joined([0] * one + [1], [0] * other + [1])
    inside = found.values == 0
    pairs = list(zip(found.pairs.source_rows[inside].tolist(), found.pairs.target_rows[inside].tolist(), strict=True))
    assert len(set(pairs)) == len(pairs) == MOST_PAIRS
    assert (found.capped, found.left_out) == (1, one * other - MOST_PAIRS)
    for side, size in zip(zip(*pairs, strict=True), (one, other), strict=True):
        counts = Counter(side)
        assert max(counts.values()) - (min(counts.values()) if len(counts) == size else 0) <= 1 + MOST_PAIRS // max(one, other)
    assert (found.values == 1).sum() == 1


def test_which_are_taken_depends_on_ids_alone():
    values = np.zeros(30, dtype=np.int64)
    first = joined_pairs((values, values), space("s", 30), space("t", 30))
    later = joined_pairs((np.append(values, 5), np.append(values, 5)), space("s", 31), space("t", 31))
    pairs = [set(zip(found.pairs.source_ids.tolist(), found.pairs.target_ids.tolist(), strict=True)) for found in (first, later)]
    assert pairs[0] == {pair for pair in pairs[1] if pair != ("s0030", "t0030")}


def test_memory_is_that_of_the_pairs():
    values = np.arange(1000), np.arange(1000)
    assert joined_bytes(values) < 300 * 1000
    assert joined_bytes((np.zeros(1000, dtype=np.int64), np.zeros(1000, dtype=np.int64))) < 200 * 1000


def test_items_without_a_direction_are_named():
    vectors = np.ones((3, 3), dtype=np.float32)
    vectors[1] = 0
    values = np.array([0, 0, 1]), np.array([0, 1, 2])
    with pytest.raises(errors.ZeroVector, match="s0001"):
        joined_pairs(values, space("s", 3, vectors), space("t", 3))
    with pytest.raises(errors.ZeroVector, match="t0001"):
        joined_pairs(values, space("s", 3), space("t", 3, vectors))


def test_a_source_asks_once_and_with_all_of_its_pairs():
    rows = np.array([4, 4, 2, 7, 7, 7])
    pairs = KnownPairs(rows.astype(object), rows.astype(object), rows, np.arange(6))
    first, every = held_out_queries(pairs, np.arange(6))
    assert (first.tolist(), every.tolist()) == ([0, 2, 3], [0, 1, 2, 3, 4, 5])


def test_no_source_asks_with_a_part_of_its_pairs():
    rows = np.repeat(np.arange(1000), 99)
    pairs = KnownPairs(rows.astype(object), rows.astype(object), rows, np.arange(len(rows)))
    first, every = held_out_queries(pairs, np.arange(len(rows)))
    assert len(first) == 8 * 4096 // 99
    assert len(every) == 99 * len(first)
    rows = np.repeat(np.arange(6000), 2)
    pairs = KnownPairs(rows.astype(object), rows.astype(object), rows, np.arange(len(rows)))
    first, every = held_out_queries(pairs, np.arange(len(rows)))
    assert (len(first), len(every)) == (4096, 8192)
    assert all(count == 2 for count in Counter(itertools.chain(rows[every].tolist())).values())
