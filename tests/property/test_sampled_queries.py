"""Sampled queries: the level is kept at independence, and the interval covers the score over all."""

import numpy as np
import pytest
from support.brute_table import BruteTable, cosine, latent_pair, table
from support.query_table import QueryTable

from consilience_server.core.control import Control
from consilience_server.core.intervals import query_interval
from consilience_server.core.mutual_knn import overlaps
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
