"""The definition of mutual k-NN, by hand and by enumeration."""

from itertools import combinations, permutations

import numpy as np
import pytest
from support.brute_table import BruteTable, cosine, table

from consilience_server.core.errors import InvalidK, ShapeMismatch
from consilience_server.core.mutual_knn import chance, mutual_knn, overlaps, self_score
from consilience_server.core.neighbour_sets import NeighbourSets


def circle(*degrees):
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def paired(sets, rho):
    """The lists of the items rho of the space: row i becomes item rho[i]."""
    n = sets.n
    dense = np.zeros((n, n))
    dense[np.repeat(np.arange(n), np.diff(sets.indptr)), sets.indices] = sets.weights
    dense = dense[rho][:, rho]
    rows, columns = np.nonzero(dense)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))])
    return NeighbourSets(indptr, columns.astype(np.int32), dense[rows, columns], sets.k, n, sets.tied[rho])


def test_the_hand_example_of_five_angles():
    x, y = table(circle(0, 10, 30, 60, 100), 2), table(circle(0, 10, 30, 95, 60), 2)
    # Item 2 has its second place tied in both: {1, 0 or 3} and {1, 0 or 4}, which share 1 + 1/4 of 2 on average. All other lists agree.
    # (Ties by lowest index would give 1.)
    assert mutual_knn(x.sets(2), y.sets(2)) == pytest.approx((4 + 0.625) / 5)


def test_overlaps_are_counted_item_by_item():
    x = NeighbourSets(np.array([0, 2, 4, 6]), np.array([1, 2, 0, 2, 0, 1], np.int32), np.ones(6), 2, 4, np.zeros(3, bool))
    y = NeighbourSets(np.array([0, 2, 4, 6]), np.array([1, 3, 0, 2, 1, 3], np.int32), np.ones(6), 2, 4, np.zeros(3, bool))
    np.testing.assert_array_equal(overlaps(x, y), [0.5, 1.0, 0.5])
    assert mutual_knn(x, y) == pytest.approx(2 / 3)


@pytest.mark.parametrize("kind", ["distinct", "tied"])
@pytest.mark.parametrize("k", [1, 2, 4])
def test_chance_is_the_mean_over_all_pairings_exactly(kind, k):
    draw = np.random.default_rng(k)
    if kind == "tied":
        similarities = [s + s.T for s in draw.integers(0, 2, size=(2, 5, 5)).astype(float)]
    else:
        similarities = [cosine(draw.normal(size=(5, 3))) for _ in range(2)]
    x, y = (BruteTable(s, k).sets(k) for s in similarities)
    scores = [mutual_knn(x, paired(y, np.array(rho))) for rho in permutations(range(5))]
    assert np.mean(scores) == pytest.approx(chance(k, 5), abs=1e-13)
    assert chance(k, 5) == k / 4


def broken_lists(row, k):
    """All k-lists that breaking the ties of one row of similarities can give, equally likely."""
    kth = np.sort(row)[::-1][k - 1]
    above = {int(j) for j in np.flatnonzero(row > kth)}
    tied = [int(j) for j in np.flatnonzero(row == kth)]
    return [above | set(chosen) for chosen in combinations(tied, k - len(above))]


def test_fractional_weights_are_the_expectation_under_independent_tie_breaking():
    draw, k = np.random.default_rng(5), 3
    x, y = (BruteTable(s + s.T, k) for s in draw.integers(0, 3, size=(2, 9, 9)).astype(float))
    expected = [
        np.mean([len(a & b) / k for a in broken_lists(of_x, k) for b in broken_lists(of_y, k)])
        for of_x, of_y in zip(x._masked, y._masked, strict=True)
    ]
    np.testing.assert_allclose(overlaps(x.sets(k), y.sets(k)), expected, atol=1e-13)


def test_self_score_falls_below_one_by_ties_only():
    assert self_score(table(np.random.default_rng(0).normal(size=(20, 4)), 5).sets(5)) == 1.0
    one_hot = table(np.eye(8), 3).sets(3)
    assert self_score(one_hot) == pytest.approx(3 / 7)
    assert self_score(one_hot) == pytest.approx(mutual_knn(one_hot, one_hot))


@pytest.mark.parametrize(("k", "n"), [(0, 5), (5, 5), (7, 5)])
def test_k_outside_the_items_has_no_chance(k, n):
    with pytest.raises(InvalidK, match="must be 1 to 4"):
        chance(k, n)


def test_lists_that_do_not_belong_together_are_refused():
    draw = np.random.default_rng(0)
    x, y = table(draw.normal(size=(9, 3)), 3), table(draw.normal(size=(8, 3)), 3)
    with pytest.raises(ShapeMismatch, match="join them first"):
        mutual_knn(x.sets(3), y.sets(3))
    with pytest.raises(InvalidK, match="k = 3 and k = 2"):
        mutual_knn(x.sets(3), x.sets(2))
