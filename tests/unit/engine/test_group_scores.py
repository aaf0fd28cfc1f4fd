"""Items in groups: score, null and interval against plain recomputation."""

import numpy as np
import pytest
from support.brute_table import BruteTable, latent_pair, table

from consilience_server.core.control import Control
from consilience_server.core.errors import InvalidK
from consilience_server.core.group_overlap import group_overlaps
from consilience_server.core.mutual_knn import mutual_knn
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.group_pairings import GroupedItems, GroupPairings
from consilience_server.engine.group_scores import group_depth, group_scores

ORDER = np.random.default_rng(7).integers(0, 2**64, 4096, dtype=np.uint64)


def options(n, permutations=0, seed=0, kind="queries", order=ORDER):
    return ScoreOptions(permutations, seed, 0.05, kind, 0.95, order[:n], 1)


def keys(n):
    return np.random.default_rng(5).integers(0, 2**64, (2, n), dtype=np.uint64)


def labels(n, seed=1):
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(n), 4)[:n])


def full(seed, n):
    return [table(side, n - 1) for side in latent_pair(seed, n, 8, 6, 4, 0.7)]


def test_the_score_is_the_mean_of_the_definition():
    n, of = 60, labels(60)
    tables = full(1, n)
    found = group_scores(tables, keys(n), of, (3, 5), options(n), Control())
    for k, score in zip((3, 5), found, strict=True):
        expected = group_overlaps(tables[0].indices.tolist(), tables[1].indices.tolist(), of.tolist(), k)
        assert score.score == pytest.approx(expected.mean(), rel=1e-13)
        assert score.p_value is None


def test_groups_of_one_are_mutual_knn():
    n, k = 50, 4
    tables = full(2, n)
    score = group_scores(tables, keys(n), np.arange(n), (k,), options(n, 499), Control())[0]
    assert score.score == pytest.approx(mutual_knn(tables[0].sets(k), tables[1].sets(k)), rel=1e-13)
    assert score.chance == pytest.approx(k / (n - 1), abs=4 * score.null_sd / 499**0.5)


def test_the_null_equals_recomputation_with_whole_groups_exchanged():
    n, k, permutations, of = 40, 3, 25, labels(40)
    tables = full(3, n)
    found = group_scores(tables, keys(n), of, (k,), options(n, permutations, seed=9), Control())[0]
    order = np.argsort(ORDER[:n], kind="stable")
    grouped = GroupedItems.at(of[order])
    pairings = GroupPairings(grouped, 9)
    exchanged = 0
    for b in range(permutations):
        moved = pairings.draw(b)[:n]
        rho = np.empty(n, dtype=np.int64)
        rho[order] = order[moved]
        assert sorted(rho) == list(range(n))
        for group in set(of.tolist()):
            assert len(set(of[rho[of == group]].tolist())) == 1
        exchanged += (of[rho] != of).sum()
        # Item r of y plays item rho[r] of x, and its group that item's group.
        paired = BruteTable(tables[0]._masked[rho][:, rho], n - 1)
        expected = group_overlaps(paired.indices.tolist(), tables[1].indices.tolist(), of.tolist(), k).mean()
        assert found.null[b] == pytest.approx(expected, rel=1e-13)
    assert exchanged > permutations * n / 2


def test_without_sets_of_groups_lists_are_refilled():
    n, k, of = 60, 3, labels(60)
    tables = full(4, n)
    score = group_scores(tables, keys(n), of, (k,), options(n, kind="items"), Control())[0]
    shallow = [table(side, group_depth((k,), n, 4, "items")) for side in latent_pair(4, n, 8, 6, 4, 0.7)]
    assert group_scores(shallow, keys(n), of, (k,), options(n, kind="items"), Control())[0] == score
    order = np.argsort(ORDER[:n], kind="stable")
    numbers = np.empty(n, dtype=np.int64)
    numbers[order] = GroupedItems.at(of[order]).of
    count = numbers.max() + 1
    without = []
    for number in range(count):
        left = np.flatnonzero(numbers != number)
        parts = [BruteTable(one._masked[np.ix_(left, left)], len(left) - 1).indices.tolist() for one in tables]
        without.append(group_overlaps(*parts, of[left].tolist(), k).mean())
    spread = np.std(without) * (count - 1) ** 0.5
    assert (score.interval.high - score.interval.low) / 2 == pytest.approx(2.14 * (1 + (2 / (count - 1)) ** 0.5) ** 0.5 * spread, rel=0.1)


@pytest.mark.parametrize("kind", ["clustered", "alone"])
def test_unrelated_groups_keep_the_level(kind):
    """Members of a group resemble each other in both spaces: pairings of single items would take that for agreement."""
    n, k, draws, rejected = 64, 4, 250, 0
    draw, of = np.random.default_rng(8), np.repeat(np.arange(16), 4)
    for index in range(draws):
        spread = 0.3 if kind == "clustered" else 3.0
        tables = [table(draw.normal(size=(16, 4))[of] + spread * draw.normal(size=(n, 4)), 20) for _ in range(2)]
        score = group_scores(tables, keys(n), of, (k,), options(n, 19, seed=index), Control())[0]
        rejected += score.p_value <= 0.05
    assert 2 <= rejected <= 24  # binomial(250, .05): mean 12.5, sd 3.4


def test_the_order_of_rows_does_not_matter():
    n, of = 48, labels(48)
    x, y = latent_pair(1, n, 8, 6, 4, 0.7)
    both = keys(n)
    expected = group_scores([table(side, n - 1) for side in (x, y)], both, of, (3,), options(n, 30, kind="items"), Control())
    rho = np.random.default_rng(4).permutation(n)
    tables = [table(side[rho], n - 1) for side in (x, y)]
    moved = group_scores(tables, both[:, rho], of[rho], (3,), options(n, 30, kind="items", order=ORDER[:n][rho]), Control())
    assert moved == expected


def test_items_without_enough_others_are_refused():
    with pytest.raises(InvalidK, match="fewer items of other groups"):
        group_scores(full(1, 12), keys(12), np.repeat([0, 1], 6), (7,), options(12), Control())
    with pytest.raises(InvalidK, match="2 items of other groups"):
        group_overlaps([[1, 2, 3]] * 4, [[1, 2, 3]] * 4, [0, 0, 1, 1], 3)
