"""Alignments that are equal but for luck: the difference is called real no more often than its level says, and covers 0."""

import numpy as np
import pytest
from scipy import stats
from support.brute_table import table

from consilience_server.core.control import Control
from consilience_server.core.differences import difference
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.cka_scores import cka_matrix
from consilience_server.engine.neighbour_scores import mutual_knn_matrix, table_depth

N = 60
OPTIONS = ScoreOptions(0, 0, 0.05, "items", 0.95, np.random.default_rng(9).integers(0, 2**64, N, dtype=np.uint64), 1)


def scores(metric, spaces):
    if metric == "mutual_knn":
        return mutual_knn_matrix([table(side, table_depth([5], N, "items")) for side in spaces], 5, OPTIONS, Control())
    return cka_matrix(spaces, metric == "unbiased_cka", OPTIONS, Control())


@pytest.mark.parametrize("metric", ["mutual_knn", "cka", "unbiased_cka"])
def test_equal_alignments_are_told_apart_no_more_than_the_level(metric):
    draw, draws, rejected, covered, found = np.random.default_rng(4), 120, 0, 0, 0
    for _ in range(draws):
        latent, seen = draw.normal(size=(N, 4)), draw.normal(size=(4, 6))
        x, y, w, worse = (latent @ seen + noise * draw.normal(size=(N, 6)) for noise in (0.5, 1.0, 1.0, 6.0))
        of = scores(metric, [x, y, w, worse])
        equal = difference(of[0, 1], of[0, 2])
        rejected += equal.p_value <= 0.05
        covered += equal.interval.low <= 0 <= equal.interval.high
        found += difference(of[0, 1], of[0, 3]).p_value <= 0.05
    assert rejected <= stats.binom.ppf(0.999, draws, 0.05)
    assert covered >= stats.binom.ppf(0.001, draws, 0.95)
    assert found >= 0.8 * draws
