"""Some queries asked, pairings within groups: against all pairings that there are, and against recomputation."""

from itertools import permutations, product

import numpy as np
import pytest
from support.brute_table import BruteTable, latent_pair, table
from support.query_table import QueryTable

from consilience_server.core.control import Control
from consilience_server.core.mutual_knn import overlaps
from consilience_server.core.strata import Strata
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.query_list_scores import query_list_scores
from consilience_server.engine.query_positions import query_pairings, query_positions
from consilience_server.engine.query_scores import query_scores

ORDER = np.random.default_rng(7).integers(0, 2**64, 4096, dtype=np.uint64)


def options(n, groups, drawn=0, seed=0, order=ORDER):
    return ScoreOptions(drawn, seed, 0.05, "queries", 0.95, order[:n], 1, groups)


def pair(n, k, *, tied=False):
    if tied:
        draw = np.random.default_rng(1)
        return [BruteTable(draw.integers(0, 6, (n, n)).astype(float), k) for _ in range(2)]
    return [table(side, k) for side in latent_pair(1, n, 8, 6, 4, 0.7)]


def every_pairing(groups, rows):
    """All permutations that keep the queries and the groups."""
    parts = 2 * groups + np.isin(np.arange(len(groups)), rows)
    members = [np.flatnonzero(parts == part) for part in np.unique(parts)]
    for moved in product(*(permutations(part) for part in members)):
        rho = np.empty(len(groups), dtype=np.int64)
        for part, to in zip(members, moved, strict=True):
            rho[part] = to
        yield rho


@pytest.mark.parametrize("strata", [None, Strata(np.array([0, 0, 1]), np.array([6, 4]))])
@pytest.mark.parametrize("tied", [False, True])
def test_chance_is_the_mean_over_all_pairings_that_are_allowed(tied, strata):
    n, k, rows = 10, 3, np.array([1, 4, 8])
    groups = np.array([0, 0, 0, 1, 1, 1, 0, 1, 1, 0])
    full = pair(n, k, tied=tied)
    found = query_scores([QueryTable(one, rows) for one in full], rows, (k,), options(n, groups), Control(), strata)[0][0, 1]
    scores = []
    for rho in every_pairing(groups, rows):
        paired = BruteTable(full[1]._masked[rho][:, rho], k)
        of_query = overlaps(full[0].sets(k), paired.sets(k))[rows]
        scores.append(of_query.mean() if strata is None else float(strata.weights() @ of_query) / len(rows))
    assert len(scores) == 2 * 24 * 6
    assert found.chance == pytest.approx(np.mean(scores), rel=1e-12)


@pytest.mark.parametrize("tied", [False, True])
def test_the_null_equals_recomputation_on_items_paired_anew(tied):
    n, ks, m, drawn = 40, (4, 2), 12, 15
    rows = np.sort(np.random.default_rng(3).permutation(n)[:m])
    groups = np.arange(n) % 3
    full = pair(n, 4, tied=tied)
    tables = [QueryTable(one, rows) for one in full]
    asked = options(n, groups, drawn, seed=5)
    found = query_scores(tables, rows, ks, asked, Control())
    positions = query_positions(tables, rows, ORDER[:n], 4)
    pairings = query_pairings(positions, rows, asked)
    order = np.argsort(positions.of_row, kind="stable")
    for b in range(drawn):
        rho = np.empty(n, dtype=np.int64)
        rho[order] = order[pairings._within.draw(b)]
        assert set(rho[rows]) == set(rows)
        np.testing.assert_array_equal(groups[rho], groups)
        paired = BruteTable(full[0]._masked[rho][:, rho], 4)
        for k, scores in zip(ks, found, strict=True):
            expected = overlaps(paired.sets(k), full[1].sets(k))[rows].mean()
            assert scores[0, 1].null[b] == pytest.approx(expected, abs=1e-13)


def test_with_one_group_any_pairing_of_the_queries_is_allowed():
    n, k, rows = 60, 5, np.arange(0, 60, 4)
    full = [QueryTable(one, rows) for one in pair(n, k)]
    free = query_scores(full, rows, (k,), options(n, None, 400), Control())[0][0, 1]
    one = query_scores(full, rows, (k,), options(n, np.zeros(n, dtype=np.int64), 400), Control())[0][0, 1]
    assert one.null_mean == pytest.approx(free.null_mean, abs=5 * free.null_sd / 20)
    assert one.null_sd == pytest.approx(free.null_sd, rel=0.15)
    assert one.score == free.score


def test_ordered_lists_have_the_mean_of_allowed_pairings_as_chance():
    n, k, rows = 60, 5, np.arange(0, 60, 3)
    groups = (np.arange(n) >= 30).astype(np.int64)
    # Both spaces tell the groups apart and nothing else.
    draw = np.random.default_rng(2)
    sides = [np.hstack([8.0 * groups[:, None], draw.normal(size=(n, 4))]) for _ in range(2)]
    full = [QueryTable(table(side, k), rows) for side in sides]
    keys = [draw.integers(0, 2**64, n, dtype=np.uint64) for _ in range(2)]
    within = query_list_scores("lcs_knn", full, rows, keys, (k,), options(n, groups, 199), Control())[0][0, 1]
    free = query_list_scores("lcs_knn", full, rows, keys, (k,), options(n, None, 199), Control())[0][0, 1]
    assert within.chance > 1.5 * free.chance
    assert within.score == free.score
    assert within.p_value > 0.05 > free.p_value


def test_neither_row_order_nor_the_numbers_of_groups_matter():
    n, k, m = 60, 5, 20
    rows = np.sort(np.random.default_rng(2).permutation(n)[:m])
    groups = np.arange(n) % 4
    x, y = latent_pair(1, n, 8, 6, 4, 0.7)
    expected = query_scores([QueryTable(table(side, k), rows) for side in (x, y)], rows, (k,), options(n, groups, 30), Control())[0][0, 1]
    rho = np.random.default_rng(4).permutation(n)
    moved = np.argsort(rho)[rows]
    tables = [QueryTable(table(side[rho], k), moved) for side in (x, y)]
    asked = options(n, np.array([2, 0, 3, 1])[groups][rho], 30, order=ORDER[:n][rho])
    found = query_scores(tables, moved, (k,), asked, Control())[0][0, 1]
    assert found.chance == pytest.approx(expected.chance, rel=1e-14)
    np.testing.assert_array_equal(found.null, expected.null)
