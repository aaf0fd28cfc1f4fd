import numpy as np
import pytest

from consilience_server.bridges.held_out import split_pairs

IDS = [f"item-{i}" for i in range(500)]


def names(ids, rows):
    return {ids[row] for row in rows}


def test_every_pair_is_on_one_side():
    split = split_pairs(IDS, 0.2, 0)
    assert len(split.held_out) == 100
    assert sorted([*split.fit, *split.held_out]) == list(range(500))


def test_the_order_of_the_pairs_does_not_matter():
    order = np.random.default_rng(0).permutation(500)
    shuffled = [IDS[i] for i in order]
    first, second = split_pairs(IDS, 0.2, 7), split_pairs(shuffled, 0.2, 7)
    assert [IDS[i] for i in first.held_out] == [shuffled[i] for i in second.held_out]
    assert [IDS[i] for i in first.fit] == [shuffled[i] for i in second.fit]


def test_another_seed_is_another_independent_split():
    first, second = split_pairs(IDS, 0.2, 1), split_pairs(IDS, 0.2, 2)
    common = len(names(IDS, first.held_out) & names(IDS, second.held_out))
    # 100 of 500 twice: 20 expected, standard deviation 3.6.
    assert 5 <= common <= 35


def test_more_pairs_move_few_across():
    more = IDS + [f"new-{i}" for i in range(50)]
    before, after = split_pairs(IDS, 0.2, 0), split_pairs(more, 0.2, 0)
    moved = names(IDS, before.fit) & names(more, after.held_out)
    assert len(moved) <= 10


@pytest.mark.parametrize(("count", "fraction", "held"), [(2, 0.1, 1), (10, 0.25, 2), (3, 0.9, 3)])
def test_at_least_one_is_held_out(count, fraction, held):
    assert len(split_pairs(IDS[:count], fraction, 0).held_out) == held
