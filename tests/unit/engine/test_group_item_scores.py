"""Items in groups, item by item: overlaps, chance and p-values of slices against plain recomputation; their intervals cover."""

import numpy as np
import pytest
from support.brute_table import BruteTable, latent_pair, table

from consilience_server.core.control import Control
from consilience_server.core.group_overlap import group_overlaps
from consilience_server.core.slices import Slices
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.group_item_scores import _interval, group_item_scores
from consilience_server.engine.group_pairings import GroupedItems, GroupPairings
from consilience_server.engine.group_scores import group_scores

N, K = 48, 3
ORDER = np.random.default_rng(7).integers(0, 2**64, N, dtype=np.uint64)
KEYS = np.random.default_rng(5).integers(0, 2**64, (2, N), dtype=np.uint64)
LABELS = np.random.default_rng(1).permutation(np.repeat(np.arange(N), 4)[:N])
SLICES = Slices(("a", "b", "c"), np.random.default_rng(2).integers(0, 3, N))


def options(permutations):
    return ScoreOptions(permutations, 9, 0.05, "queries", 0.95, ORDER, 1)


def lists_of(one):
    return one.indices.tolist()


def test_overlaps_and_slices_follow_the_definition():
    full = [table(side, N - 1) for side in latent_pair(3, N, 8, 6, 4, 0.7)]
    drawn = 120
    found = group_item_scores(full, KEYS, LABELS, K, SLICES, options(drawn), Control())
    expected = group_overlaps(lists_of(full[0]), lists_of(full[1]), LABELS.tolist(), K)
    np.testing.assert_allclose(found.overlaps, expected, atol=1e-13)
    order = np.argsort(ORDER, kind="stable")
    pairings = GroupPairings(GroupedItems.at(LABELS[order]), 9)
    null = np.empty((drawn, 3))
    for b in range(drawn):
        rho = np.empty(N, dtype=np.int64)
        rho[order] = order[pairings.draw(b)[:N]]
        # Item rho(i) of x is compared with item i of y.
        back = np.argsort(rho)
        paired = BruteTable(full[1]._masked[back][:, back], N - 1)
        values = group_overlaps(lists_of(full[0]), lists_of(paired), LABELS.tolist(), K)
        null[b] = [values[SLICES.of == at].mean() for at in range(3)]
    for at, part in enumerate(found.slices):
        assert part.score == pytest.approx(expected[SLICES.of == at].mean(), rel=1e-12)
        assert part.chance == pytest.approx(null[:, at].mean(), rel=1e-12)
        assert part.p_value == (1 + np.count_nonzero(null[:, at] >= part.score - 1e-12)) / (drawn + 1)
        assert part.low < part.score < part.high
    whole = group_scores(full, KEYS, LABELS, (K,), options(drawn), Control())[0]
    assert found.overlaps.mean() == pytest.approx(whole.score, rel=1e-13)
    bare = group_item_scores(full, KEYS, LABELS, K, SLICES, options(0), Control())
    assert [part.p_value for part in bare.slices] == [None] * 3


def test_the_interval_is_of_groups_whose_items_are_the_same_thing():
    """Five copies of a value tell no more than one: taking items as independent, the interval would miss the mean twice in five."""
    draw, draws, covered, naive = np.random.default_rng(3), 600, 0, 0
    for _ in range(draws):
        sizes = draw.integers(2, 9, 40)
        groups = np.repeat(np.arange(40), sizes)
        values = draw.beta(2, 3, 40)[groups]
        score = float(values.mean())
        low, high = _interval(values, groups, np.ones(len(values), dtype=bool), score, 0.95)
        covered += low <= 0.4 <= high
        half = 1.96 * values.std(ddof=1) / len(values) ** 0.5
        naive += score - half <= 0.4 <= score + half
    assert 0.92 <= covered / draws <= 0.98
    assert naive / draws < 0.75
