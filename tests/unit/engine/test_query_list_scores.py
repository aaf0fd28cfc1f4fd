"""LCS and edit distance of sampled queries against their definitions, and their level."""

import numpy as np
import pytest
from support.brute_table import BruteTable, latent_pair, table
from support.query_table import QueryTable

from consilience_server.core.control import Control
from consilience_server.core.edit_distance_knn import edit_distance_knn
from consilience_server.core.errors import InvalidK
from consilience_server.core.intervals import query_interval
from consilience_server.core.lcs_knn import lcs_knn
from consilience_server.core.ordered_lists import OrderedLists
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.query_list_scores import query_list_scores
from consilience_server.engine.query_positions import QueryPairings, query_positions

ORDER = np.random.default_rng(7).integers(0, 2**64, 4096, dtype=np.uint64)
DEFINITIONS = {"lcs_knn": lcs_knn, "edit_distance_knn": edit_distance_knn}


def options(n, permutations=0, seed=0):
    return ScoreOptions(permutations, seed, 0.05, "queries", 0.95, ORDER[:n], 1)


def keys(n):
    return np.random.default_rng(5).integers(0, 2**64, (2, n), dtype=np.uint64)


def decided(full, k, of_space):
    """(n, k) the lists with ties by key, plainly."""
    return np.array([np.lexsort((of_space, -row))[:k] for row in full._masked])


def of_one(metric, x, y):
    return DEFINITIONS[metric](*(OrderedLists(side[None].astype(np.int32)) for side in (x, y)))


def pair(n, k, *, tied):
    if not tied:
        return [table(side, k) for side in latent_pair(1, n, 8, 6, 4, 0.7)]
    draw = np.random.default_rng(1)
    return [BruteTable(draw.integers(0, 6, (n, n)).astype(float), k) for _ in range(2)]


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("metric", sorted(DEFINITIONS))
def test_score_interval_and_null_are_those_of_the_queries_lists(metric, tied):
    n, m, ks, permutations = 40, 11, (4, 2), 12
    rows = np.sort(np.random.default_rng(3).permutation(n)[:m])
    full, both = pair(n, 4, tied=tied), keys(n)
    tables = [QueryTable(one, rows) for one in full]
    found = query_list_scores(metric, tables, rows, both, ks, options(n, permutations, seed=5), Control())
    positions = query_positions(tables, rows, ORDER[:n], 4)
    for k, scores in zip(ks, found, strict=True):
        x, y = (decided(one, k, of_space) for one, of_space in zip(full, both, strict=True))
        alone = np.array([of_one(metric, x[row], y[row]) for row in rows])
        score = scores[0, 1]
        assert score.score == pytest.approx(alone.mean(), rel=1e-12)
        assert (score.interval.low, score.interval.high) == pytest.approx(query_interval(alone, n, 0.95, 0.0, 1.0), rel=1e-12)
        assert scores[0, 0].score == 1.0
        for b in range(permutations):
            to = QueryPairings(positions, 5).draw(b)
            names, total = positions.of_row, 0.0
            row_at = {int(names[row]): row for row in rows}
            for row in rows:
                # The item that x has there, and y's list with every item renamed; what no list has cannot be in x's.
                other = row_at[int(to[names[row]])]
                renamed = np.array([int(to[names[item]]) for item in y[row]])
                renamed[renamed == positions.count - 1] = positions.count + np.flatnonzero(renamed == positions.count - 1)
                total += of_one(metric, names[x[other]], renamed)
            assert score.null[b] == pytest.approx(total / m, rel=1e-12)


def test_the_level_is_kept():
    n, k, draws, rejected = 64, 5, 120, np.zeros(2)
    draw, rows = np.random.default_rng(2), np.arange(0, 64, 3)
    for index in range(draws):
        tables = [QueryTable(table(draw.normal(size=(n, 4)), k), rows) for _ in range(2)]
        for at, metric in enumerate(sorted(DEFINITIONS)):
            score = query_list_scores(metric, tables, rows, keys(n), (k,), options(n, 19, seed=index), Control())[0][0, 1]
            rejected[at] += score.p_value <= 0.05
    assert (rejected <= 14).all()  # binomial(120, .05): mean 6, sd 2.4; scores of equal value reject less
    assert rejected.sum() >= 2


def test_a_k_that_the_tables_lack_is_refused():
    rows = np.arange(5)
    tables = [QueryTable(one, rows) for one in pair(30, 4, tied=False)]
    with pytest.raises(InvalidK, match="serve 1 to 4"):
        query_list_scores("lcs_knn", tables, rows, keys(30), (5,), options(30), Control())
