import numpy as np
import pytest

from consilience_server.bridges.held_out import copied_rows, near_copies, split_pairs
from consilience_server.core.control import Control
from consilience_server.core.errors import TooFewPairs

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


def test_groups_stay_whole():
    groups = np.arange(len(IDS)) // 7
    split = split_pairs(IDS, 0.2, 0, groups)
    assert not set(groups[split.fit]) & set(groups[split.held_out])
    assert sorted([*split.fit, *split.held_out]) == list(range(len(IDS)))
    assert 0.2 * len(IDS) <= len(split.held_out) <= 0.2 * len(IDS) + 6
    order = np.random.default_rng(0).permutation(len(IDS))
    again = split_pairs([IDS[i] for i in order], 0.2, 0, groups[order])
    assert {IDS[i] for i in split.held_out} == {IDS[order[i]] for i in again.held_out}


def test_groups_of_one_change_nothing():
    alone, plain = split_pairs(IDS, 0.2, 3, np.arange(len(IDS))), split_pairs(IDS, 0.2, 3)
    assert np.array_equal(alone.held_out, plain.held_out)
    assert np.array_equal(alone.fit, plain.fit)


def test_one_group_is_left_for_the_fit_and_one_alone_is_refused():
    halves = np.arange(len(IDS)) % 2
    assert len(split_pairs(IDS, 0.9, 0, halves).fit) == len(IDS) // 2
    with pytest.raises(TooFewPairs, match="one group"):
        split_pairs(IDS, 0.2, 0, np.zeros(len(IDS), dtype=np.int64))


def test_a_group_that_would_swallow_the_split_stays_in_the_fit():
    groups = np.concatenate((np.zeros(295, dtype=np.int64), 1 + np.arange(40)))
    for seed in range(6):
        split = split_pairs(IDS[:335], 0.1, seed, groups)
        assert set(range(295)) <= set(split.fit.tolist())
        assert len(split.held_out) == 34


def test_copies_on_either_side_are_found():
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal((60, 12)).astype(np.float32) for _ in range(2))
    held_x, held_y = (rng.standard_normal((20, 12)).astype(np.float32) for _ in range(2))
    assert not near_copies(x, y, held_x, held_y, Control()).any()
    x[5], y[5] = held_x[3] * 2, held_y[3] + np.float32(1e-4)
    # On one side alone as well: what a map has learnt of one leads to the other.
    x[6] = held_x[4]
    x[7], y[7] = held_x[1], held_y[2]
    assert np.flatnonzero(near_copies(x, y, held_x, held_y, Control())).tolist() == [5, 6, 7]
    assert np.flatnonzero(near_copies(x, y, held_x, held_y, Control(), on_both_sides=True)).tolist() == [5]
    assert np.flatnonzero(copied_rows(held_x, x, Control())).tolist() == [1, 3, 4]
    assert np.flatnonzero(copied_rows(held_y, y, Control())).tolist() == [2, 3]
    assert not copied_rows(held_x, x[:0], Control()).any()
    x, y = (side.copy() for side in (x, y))
    x[6:8] = rng.standard_normal((2, 12))
    y[7] = rng.standard_normal(12)
    flat = [side[:, :2].copy() for side in (x, y, held_x, held_y)]
    assert not near_copies(*flat, Control()).any()
    flat[0][9], flat[1][9] = flat[2][0], flat[3][0]
    assert np.flatnonzero(near_copies(*flat, Control())).tolist() == [9]
    narrow = [side + np.float32(50) for side in (x, y, held_x, held_y)]
    assert np.flatnonzero(near_copies(*narrow, Control())).tolist() in ([], [5])
