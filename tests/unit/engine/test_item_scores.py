"""Overlaps of items and slices: against the definition, and the level of the slices' p-values."""

import numpy as np
import pytest
from support.brute_table import BruteTable, latent_pair, table
from support.query_table import QueryTable

from consilience_server.core.control import Control
from consilience_server.core.mutual_knn import overlaps
from consilience_server.core.permutation import Pairings
from consilience_server.core.slices import Slices
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.item_scores import item_scores

ORDER = np.random.default_rng(7).integers(0, 2**64, 4096, dtype=np.uint64)


def options(n, permutations=0, seed=0, order=ORDER):
    return ScoreOptions(permutations, seed, 0.05, "items", 0.95, order[:n], 1)


def pair(n, k, seed=1):
    return [table(side, k) for side in latent_pair(seed, n, 8, 6, 4, 0.7)]


def thirds(n):
    return Slices(("a", "b", "c"), np.arange(n) % 3)


def test_overlaps_are_the_definition_in_the_order_of_rows():
    full = pair(80, 6)
    expected = overlaps(full[0].sets(6), full[1].sets(6))
    np.testing.assert_allclose(item_scores(full, None, 6, None, options(80), Control()).overlaps, expected, atol=1e-14)
    rows = np.sort(np.random.default_rng(0).permutation(80)[:25])
    some = item_scores([QueryTable(one, rows) for one in full], rows, 6, None, options(80), Control())
    np.testing.assert_allclose(some.overlaps, expected[rows], atol=1e-14)


def test_a_slice_is_the_mean_of_its_items_and_slices_add_up_to_the_whole():
    full = pair(90, 6)
    expected = overlaps(full[0].sets(6), full[1].sets(6))
    found = item_scores(full, None, 6, thirds(90), options(90), Control()).slices
    assert [part.value for part in found] == ["a", "b", "c"]
    for at, part in enumerate(found):
        members = expected[at::3]
        assert (part.n, part.chance, part.p_value) == (30, 6 / 89, None)
        assert part.score == pytest.approx(members.mean(), rel=1e-13)
        assert part.excess == pytest.approx((members.mean() - 6 / 89) / (1 - 6 / 89))
        assert part.low < part.score < part.high
        spread = 2.045 * members.std(ddof=1) / 30**0.5
        assert part.high - part.low == pytest.approx(2 * spread, rel=0.05)
    assert sum(part.n * part.score for part in found) / 90 == pytest.approx(expected.mean())


@pytest.mark.parametrize("tied", [False, True])
def test_the_p_value_of_a_slice_counts_the_pairings_that_score_as_high_there(tied):
    n, k, permutations = 45, 4, 60
    draw = np.random.default_rng(3)
    full = [BruteTable(draw.integers(0, 5, (n, n)).astype(float), k) for _ in range(2)] if tied else pair(n, k)
    found = item_scores(full, None, k, thirds(n), options(n, permutations, seed=5, order=np.arange(n, dtype=np.uint64)), Control())
    observed = overlaps(full[0].sets(k), full[1].sets(k))
    as_high = np.ones(3)
    for b in range(permutations):
        rho = Pairings(n, 5).draw(b)
        paired = BruteTable(full[0]._masked[rho][:, rho], k)
        # Row r of the paired table is item rho[r] of x: its overlap counts in the slice of that item.
        moved = np.empty(n)
        moved[rho] = overlaps(paired.sets(k), full[1].sets(k))
        as_high += [moved[at::3].sum() >= observed[at::3].sum() - 1e-9 for at in range(3)]
    assert [part.p_value for part in found.slices] == pytest.approx(as_high / (permutations + 1))
    ranked = sorted(part.p_value for part in found.slices)
    assert min(part.adjusted_p_value for part in found.slices) == pytest.approx(min(3 * p / (at + 1) for at, p in enumerate(ranked)))


@pytest.mark.parametrize("sampled", [False, True])
def test_slices_of_unrelated_spaces_keep_the_level(sampled):
    n, k, draws, rejected, adjusted = 60, 5, 250, np.zeros(3), 0
    draw = np.random.default_rng(6)
    rows = np.arange(0, n, 2)
    for index in range(draws):
        full = [table(draw.normal(size=(n, 4)), k) for _ in range(2)]
        tables = [QueryTable(one, rows) for one in full] if sampled else full
        slices = thirds(len(rows) if sampled else n)
        found = item_scores(tables, rows if sampled else None, k, slices, options(n, 19, seed=index), Control()).slices
        rejected += [part.p_value <= 0.05 for part in found]
        adjusted += min(part.adjusted_p_value for part in found) <= 0.05
    assert (rejected <= 24).all()  # binomial(250, .05): mean 12.5, sd 3.4
    assert rejected.sum() >= 12
    assert adjusted <= 24


def test_the_order_of_rows_does_not_matter():
    n = 60
    x, y = latent_pair(1, n, 8, 6, 4, 0.7)
    expected = item_scores([table(side, 5) for side in (x, y)], None, 5, thirds(n), options(n, 30), Control())
    rho = np.random.default_rng(4).permutation(n)
    moved = Slices(("a", "b", "c"), (np.arange(n) % 3)[rho])
    found = item_scores([table(side[rho], 5) for side in (x, y)], None, 5, moved, options(n, 30, order=ORDER[:n][rho]), Control())
    assert found.slices == expected.slices
    np.testing.assert_array_equal(found.overlaps, expected.overlaps[rho])
