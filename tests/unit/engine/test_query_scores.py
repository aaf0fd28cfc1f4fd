"""Sampled queries against the full gallery: score, null and interval against plain recomputation."""

import numpy as np
import pytest
from support.brute_table import BruteTable, latent_pair, table
from support.query_table import QueryTable

from consilience_server.core.control import Control
from consilience_server.core.errors import InvalidK, ShapeMismatch
from consilience_server.core.intervals import query_interval
from consilience_server.core.mutual_knn import mutual_knn, overlaps
from consilience_server.engine import permutation_null
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.overlap import item_overlaps, keyed_sets
from consilience_server.engine.query_positions import QueryPairings, query_positions
from consilience_server.engine.query_scores import query_scores

ORDER = np.random.default_rng(7).integers(0, 2**64, 4096, dtype=np.uint64)


def options(n, permutations=0, seed=0, order=ORDER):
    return ScoreOptions(permutations, seed, 0.05, "queries", 0.95, order[:n], 1)


def pair(n, k, *, tied=False, seed=1):
    if tied:
        draw = np.random.default_rng(seed)
        return [BruteTable(draw.integers(0, 6, (n, n)).astype(float), k) for _ in range(2)]
    return [table(side, k) for side in latent_pair(seed, n, 8, 6, 4, 0.7)]


@pytest.mark.parametrize("tied", [False, True])
def test_score_and_interval_are_those_of_the_queries_lists(tied):
    n, ks, rows = 80, (6, 2), np.sort(np.random.default_rng(0).permutation(80)[:25])
    full = pair(n, 6, tied=tied)
    found = query_scores([QueryTable(one, rows) for one in full], rows, ks, options(n), Control())
    for k, scores in zip(ks, found, strict=True):
        expected = overlaps(full[0].sets(k), full[1].sets(k))[rows]
        score = scores[0, 1]
        assert score.score == pytest.approx(expected.mean(), rel=1e-13)
        assert (score.interval.low, score.interval.high) == pytest.approx(query_interval(expected, n, 0.95, 0.0, 1.0), rel=1e-13)
        assert score.chance == k / (n - 1)
        assert score.tie_fraction_x == full[0].sets(k).tied[rows].mean()
        if not tied:
            assert scores[0, 0].score == 1.0


@pytest.mark.parametrize("form", ["dense", "hashed slots"])
@pytest.mark.parametrize("tied", [False, True])
def test_the_null_equals_recomputation_on_items_paired_anew(form, tied, monkeypatch):
    if form == "hashed slots":
        monkeypatch.setattr(permutation_null, "_DENSE_BYTES", 0)
        monkeypatch.setattr(permutation_null, "_DENSE_TIED_BYTES", 0)
        monkeypatch.setattr(permutation_null, "_INDEX_BYTES", 1 << 9)
    n, ks, m, permutations = 40, (4, 2), 9, 12
    rows = np.sort(np.random.default_rng(3).permutation(n)[:m])
    full = pair(n, 4, tied=tied)
    tables = [QueryTable(one, rows) for one in full]
    found = query_scores(tables, rows, ks, options(n, permutations, seed=5), Control())
    positions = query_positions(tables, rows, ORDER[:n], 4)
    listed = np.flatnonzero(positions.of_row < m + positions.listed)
    at = np.empty(positions.count - 1, dtype=np.int64)
    at[positions.of_row[listed]] = listed
    rest = np.flatnonzero(positions.of_row == m + positions.listed)
    for b in range(permutations):
        # A permutation of all items that agrees with what was drawn: whoever is left over goes where room is left.
        to = QueryPairings(positions, 5).draw(b)
        rho = np.full(n, -1)
        known = to[:-1] < m + positions.listed
        rho[at[known]] = at[to[:-1][known]]
        beyond = at[~known]
        rho[beyond] = rest[: len(beyond)]
        free = np.setdiff1d(np.arange(n), rho[rho >= 0])
        rho[rho < 0] = free
        assert sorted(rho) == list(range(n))
        assert set(rho[rows]) == set(rows)
        paired = BruteTable(full[0]._masked[rho][:, rho], 4)
        for k, scores in zip(ks, found, strict=True):
            expected = overlaps(paired.sets(k), full[1].sets(k))[rows].mean()
            assert scores[0, 1].null[b] == pytest.approx(expected, abs=1e-13)


def test_the_mean_over_samples_is_the_score_over_all():
    """Unbiased, where a subsample of the gallery is not: every sample of 2 of 12 queries."""
    n, k = 12, 3
    full = pair(n, k)
    everyone = mutual_knn(full[0].sets(k), full[1].sets(k))
    found = []
    for i in range(n):
        for j in range(i):
            rows = np.array([j, i])
            found.append(query_scores([QueryTable(one, rows) for one in full], rows, (k,), options(n), Control())[0][0, 1].score)
    assert np.mean(found) == pytest.approx(everyone, rel=1e-12)


def test_neither_row_order_nor_the_order_of_queries_matters():
    n, k, m = 60, 5, 20
    rows = np.sort(np.random.default_rng(2).permutation(n)[:m])
    x, y = latent_pair(1, n, 8, 6, 4, 0.7)
    expected = query_scores([QueryTable(table(side, k), rows) for side in (x, y)], rows, (k,), options(n, 30), Control())[0][0, 1]
    rho = np.random.default_rng(4).permutation(n)
    moved = np.argsort(rho)[rows]
    tables = [QueryTable(table(side[rho], k), moved) for side in (x, y)]
    found = query_scores(tables, moved, (k,), options(n, 30, order=ORDER[:n][rho]), Control())[0][0, 1]
    assert found == expected
    np.testing.assert_array_equal(found.null, expected.null)


def test_overlaps_of_items_follow_the_definition():
    n, k = 50, 5
    full = pair(n, k, tied=True)
    position = np.random.default_rng(0).permutation(n)
    found = item_overlaps(*(keyed_sets([one.sets(k)], position) for one in full))
    np.testing.assert_allclose(found[0][position], overlaps(full[0].sets(k), full[1].sets(k)), atol=1e-14)


def test_what_does_not_fit_is_refused():
    full = pair(30, 4)
    rows = np.arange(5)
    tables = [QueryTable(one, rows) for one in full]
    with pytest.raises(InvalidK, match="end at 4"):
        query_scores(tables, rows, (5,), options(30), Control())
    with pytest.raises(ShapeMismatch, match="5 queries of 30"):
        query_scores(tables, np.arange(6), (2,), options(30), Control())
