"""Sampled queries: the level is kept at independence, and the interval covers the score over all."""

import numpy as np
import pytest
from support.brute_table import BruteTable, cosine, latent_pair, table
from support.query_table import QueryTable

from consilience_server.core.control import Control
from consilience_server.core.intervals import query_interval
from consilience_server.core.mutual_knn import overlaps
from consilience_server.core.strata import Strata
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.query_scores import query_scores

ORDER = np.random.default_rng(123).integers(0, 2**64, 4096, dtype=np.uint64)


def options(n, permutations, seed=0):
    return ScoreOptions(permutations, seed, 0.05, "queries", 0.95, ORDER[:n], 1)


def continuous(draw, n):
    return draw.normal(size=(n, 4))


def hubby(draw, n):
    """Few items are everybody's neighbours: the queries are listed more or less often than others."""
    return draw.normal(size=(n, 40)) * draw.gamma(0.5, size=(n, 1)) + 0.1


def one_hot(draw, n):
    return np.eye(12)[draw.integers(0, 12, n)]


def duplicates(draw, n):
    return draw.normal(size=(n // 8, 5))[draw.integers(0, n // 8, n)]


@pytest.mark.parametrize(("kind", "m"), [(continuous, 40), (hubby, 5), (one_hot, 40), (duplicates, 5)])
def test_the_level_is_kept_and_the_null_has_its_mean(kind, m):
    n, k, draws = 96, 5, 300
    draw = np.random.default_rng(11)
    rejected, nulls, sds = 0, [], []
    for index in range(draws):
        rows = np.sort(draw.permutation(n)[:m])
        tables = [QueryTable(BruteTable(cosine(kind(draw, n)), k), rows) for _ in range(2)]
        score = query_scores(tables, rows, (k,), options(n, 19, seed=index), Control())[0][0, 1]
        rejected += score.p_value <= 0.05
        nulls.append(score.null_mean)
        sds.append(score.null_sd)
    assert 3 <= rejected <= 28  # binomial(300, .05): mean 15, sd 3.8
    error = np.std(nulls, ddof=1) / draws**0.5
    assert np.mean(nulls) == pytest.approx(k / (n - 1), abs=3.5 * error)


def test_related_spaces_are_found_from_few_queries():
    n, k = 300, 10
    full = [table(side, k) for side in latent_pair(5, n, 8, 6, 4, 0.8)]
    rows = np.arange(0, n, 10)
    assert query_scores([QueryTable(one, rows) for one in full], rows, (k,), options(n, 199), Control())[0][0, 1].p_value == 1 / 200


def test_the_interval_covers_the_score_over_all_items():
    """A small part of `tests/bench/query_coverage.py`, which draws 2000 samples of several sizes."""
    n, k, draws = 600, 10, 600
    x, y = (table(side, k) for side in latent_pair(3, n, 8, 6, 4, 0.8))
    every = overlaps(x.sets(k), y.sets(k))
    draw, covered = np.random.default_rng(0), 0
    for _ in range(draws):
        low, high = query_interval(every[draw.permutation(n)[:60]], n, 0.95, 0.0, 1.0)
        covered += low <= every.mean() <= high
    assert 0.92 <= covered / draws <= 0.98  # .95, sd .009


def strata_of(rows, n):
    """A quarter of the items is the one stratum, asked three times as often as the others."""
    of = (np.arange(n) >= n // 4).astype(np.int64)
    return Strata(of[rows], np.bincount(of))


def test_strata_asked_unequally_keep_the_level_and_the_null_s_mean():
    n, k, draws = 80, 5, 250
    draw, rows = np.random.default_rng(12), np.sort(np.concatenate([np.arange(0, 20, 2), np.arange(20, 80, 6)]))
    rejected, nulls = 0, []
    for index in range(draws):
        tables = [QueryTable(BruteTable(cosine(hubby(draw, n)), k), rows) for _ in range(2)]
        score = query_scores(tables, rows, (k,), options(n, 19, seed=index), Control(), strata_of(rows, n))[0][0, 1]
        rejected += score.p_value <= 0.05
        nulls.append(score.null_mean)
    assert 2 <= rejected <= 24  # binomial(250, .05): mean 12.5, sd 3.4
    assert np.mean(nulls) == pytest.approx(k / (n - 1), abs=3.5 * np.std(nulls, ddof=1) / draws**0.5)


def test_the_weighted_mean_is_unbiased_where_strata_are_asked_unequally():
    n, k = 80, 5
    full = [table(side, k) for side in latent_pair(2, n, 8, 6, 4, 0.7)]
    every = overlaps(full[0].sets(k), full[1].sets(k))
    draw, found = np.random.default_rng(0), []
    for _ in range(150):
        rows = np.sort(np.concatenate([draw.permutation(20)[:10], 20 + draw.permutation(60)[:10]]))
        found.append(
            query_scores([QueryTable(one, rows) for one in full], rows, (k,), options(n, 0), Control(), strata_of(rows, n))[0][0, 1]
        )
    scores = [score.score for score in found]
    assert np.mean(scores) == pytest.approx(every.mean(), abs=3.5 * np.std(scores, ddof=1) / 150**0.5)
    covered = np.mean([score.interval.low <= every.mean() <= score.interval.high for score in found])
    assert covered >= 0.88  # .95, sd .018


@pytest.mark.parametrize("m", [12, 48])
def test_what_groups_share_is_no_alignment_of_some_queries_within_them(m):
    """Both spaces see the class and nothing else: free pairings call that alignment, those within the classes at the level."""
    n, k, draws = 96, 5, 300
    draw = np.random.default_rng(12)
    rejected, free = 0, 0
    for index in range(draws):
        labels = draw.integers(0, 4, n)
        sides = [2.5 * draw.normal(size=(4, 6))[labels] + draw.normal(size=(n, 6)) for _ in range(2)]
        rows = np.sort(draw.permutation(n)[:m])
        tables = [QueryTable(table(side, k), rows) for side in sides]
        within = ScoreOptions(19, index, 0.05, "queries", 0.95, ORDER[:n], 1, labels)
        rejected += query_scores(tables, rows, (k,), within, Control())[0][0, 1].p_value <= 0.05
        if index < 20:
            free += query_scores(tables, rows, (k,), options(n, 19, seed=index), Control())[0][0, 1].p_value <= 0.05
    assert free >= 15
    assert 3 <= rejected <= 28  # binomial(300, .05): mean 15, sd 3.8
