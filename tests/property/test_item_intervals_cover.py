"""Intervals of the kind `items` cover what samples of their size score on average; `tests/bench/interval_coverage.py` has it in full."""

import numpy as np
import pytest
from scipy import stats
from support.brute_table import table

from consilience_server.core.control import Control
from consilience_server.engine import shape_scores
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.cka_scores import cka_score
from consilience_server.engine.list_scores import list_scores
from consilience_server.engine.neighbour_scores import mutual_knn_scores, table_depth
from consilience_server.engine.shape_features import SHAPE_METRICS
from consilience_server.engine.shape_scores import shape_score

N, K, DRAWS = 64, 5, 150
OPTIONS = ScoreOptions(0, 0, 0.05, "items", 0.95, np.random.default_rng(9).integers(0, 2**64, N, dtype=np.uint64), 1)


def score(metric, x, y, draw):
    if metric in SHAPE_METRICS:
        return shape_score(metric, x, y, OPTIONS, Control(), components=4)
    if metric in {"cka", "unbiased_cka"}:
        return cka_score(x, y, metric == "unbiased_cka", OPTIONS, Control())
    depth = table_depth([K], N, "items")
    if metric == "mutual_knn":
        return mutual_knn_scores(table(x, depth), table(y, depth), [K], OPTIONS, Control())[0]
    return list_scores(
        metric, [table(x, depth), table(y, depth)], draw.integers(0, 2**64, (2, N), dtype=np.uint64), [K], OPTIONS, Control()
    )[0]


@pytest.mark.parametrize("metric", ["mutual_knn", "cycle_knn", "cka", "unbiased_cka", "svcca", "procrustes"])
@pytest.mark.parametrize("noise", [0.3, 2.0])
def test_coverage(metric, noise, monkeypatch):
    monkeypatch.setattr(shape_scores, "LEAST_PAIRINGS", 1)  # of a chance that nobody reads here
    draw = np.random.default_rng(1)
    maps = draw.normal(size=(2, 4, 8))
    found, draws = [], 40 if metric == "svcca" else DRAWS  # which decomposes half-samples besides
    for _ in range(draws):
        latent = draw.normal(size=(N, 4))
        x, y = (latent @ seen + noise * draw.normal(size=(N, 8)) for seen in maps)
        found.append(score(metric, x, y, draw))
    mean = np.mean([each.score for each in found])
    covered = sum(each.interval.low <= mean <= each.interval.high for each in found)
    assert covered >= stats.binom.ppf(0.001, draws, 0.95)
