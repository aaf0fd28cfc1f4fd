import numpy as np

from consilience_server.core.tie_order import tie_keys

IDS = [f"item-{number}" for number in range(2000)]


def test_a_key_belongs_to_the_item_not_to_its_row():
    keys = tie_keys("space", IDS)
    order = np.random.default_rng(0).permutation(len(IDS))
    assert np.array_equal(tie_keys("space", [IDS[row] for row in order]), keys[order])


def test_spaces_order_the_same_items_independently():
    ranks = [np.argsort(np.argsort(tie_keys(uid, IDS))) for uid in ("space-1", "space-2", "space-10")]
    for a in range(3):
        for b in range(a):
            # A correlation of 2000 independent pairs has a deviation of 1 / sqrt(2000) = 0.022.
            assert abs(np.corrcoef(ranks[a], ranks[b])[0, 1]) < 0.1


def test_the_place_where_uid_ends_and_id_begins_matters():
    assert tie_keys("ab", ["c"]) != tie_keys("a", ["bc"])


def test_keys_are_distinct_64_bit_numbers_that_never_change():
    keys = tie_keys("space", IDS)
    assert keys.dtype == np.uint64
    assert len(np.unique(keys)) == len(IDS)
    # A changed hash would silently change stored answers.
    assert tie_keys("space", ["item-0", "Größe"]).tolist() == [10836300434365814799, 10410061551592488860]


def test_no_items_have_no_keys():
    assert tie_keys("space", []).shape == (0,)
