"""The probes: nested, the same in every space, stable when items come and go, and a simple random sample."""

import numpy as np
import pytest

from consilience_server.core.errors import InvalidArgument
from consilience_server.core.query_sample import hash_sample, sampling_keys

IDS = np.array([f"item-{i:04d}" for i in range(500)], dtype=object)


def chosen(ids, size):
    return set(ids[hash_sample(sampling_keys(ids.tolist()), size)])


def test_the_probes_never_change():
    assert sampling_keys(["a", "b"]).tolist() == [3482171632075916205, 11010847624392355388]


def test_a_smaller_sample_is_part_of_a_larger_one_and_rows_do_not_matter():
    assert chosen(IDS, 20) < chosen(IDS, 50) < chosen(IDS, 500)
    assert chosen(IDS[np.random.default_rng(0).permutation(500)], 50) == chosen(IDS, 50)
    assert len(hash_sample(sampling_keys(IDS.tolist()), 900)) == 500


def test_added_items_take_as_many_places_as_they_win_and_removed_ones_leave_theirs():
    before, after = chosen(IDS[:400], 50), chosen(IDS, 50)
    entered = after - before
    assert entered <= set(IDS[400:])
    assert 1 <= len(entered) <= 25  # hypergeometric: mean 10
    removed = sorted(before)[:5]
    left = np.array([item for item in IDS[:400] if item not in removed], dtype=object)
    assert before - set(removed) < chosen(left, 50)


def test_every_item_is_as_likely_to_be_asked():
    counts = np.zeros(40)
    for label in range(400):
        keys = sampling_keys([f"{label}/{i}" for i in range(40)])
        counts[hash_sample(keys, 10)] += 1
    assert ((counts - 100) ** 2 / 75).sum() < 72  # chi-square, 39 degrees, .999


def test_no_query_is_no_sample():
    with pytest.raises(InvalidArgument, match="ask at least 1"):
        hash_sample(sampling_keys(["a"]), 0)
