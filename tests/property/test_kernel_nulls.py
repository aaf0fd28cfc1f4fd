"""Unrelated judgements of the same items: matrices full of ties must not be called related more often than the level says."""

import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.tie_order import tie_keys
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.list_scores import list_scores
from consilience_server.engine.neighbour_scores import mutual_knn_scores
from consilience_server.engine.precomputed_neighbours import kernel_join

N, K, DRAWS, PERMUTATIONS = 40, 5, 200, 39
IDS = [str(row) for row in range(N)]


def scale_of_seven(draw):
    return draw.integers(1, 8, (N, N))


def same_or_different(draw):
    labels = draw.integers(0, 5, N)
    return labels[:, None] != labels


def some_items_like_all(draw):
    """Hubs: a few items that everybody judges near to everything."""
    far = 4 * draw.integers(0, 2, N)
    return draw.integers(1, 4, (N, N)) + far + far[:, None]


def judged(kind, seed):
    upper = np.triu(np.asarray(kind(np.random.default_rng(seed)), dtype=np.float32), 1)
    return upper + upper.T


@pytest.mark.parametrize(
    ("kind", "metric"),
    [(scale_of_seven, "mutual_knn"), (same_or_different, "mutual_knn"), (some_items_like_all, "mutual_knn"), (scale_of_seven, "lcs_knn")],
)
def test_unrelated_judgements_are_rarely_called_related(kind, metric):
    rejected = 0
    for draw in range(DRAWS):
        keys = [tie_keys(f"{draw}-{side}", IDS) for side in range(3)]
        tables = [
            kernel_join(judged(kind, 2 * draw + side), KernelKind.DISSIMILARITY, K, tie_keys=keys[side], control=Control())
            for side in range(2)
        ]
        options = ScoreOptions(PERMUTATIONS, draw, 0.05, "queries", 0.95, keys[2], 1)
        if metric == "mutual_knn":
            (found,) = mutual_knn_scores(*tables, (K,), options, Control())
        else:
            (found,) = list_scores(metric, tables, keys[:2], (K,), options, Control())
        rejected += found.p_value <= 0.05
    # 10 are expected; more than 21 have a chance below .001.
    assert rejected <= 21
