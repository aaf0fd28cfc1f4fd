"""The maximum over pairs of layers at independence: calibrated as a maximum it keeps the level; the best pair's own p-value does not.

Likewise all pairs of unrelated spaces: adjusted by max-T, any of them is called above chance no more often than the level says.
"""

import numpy as np
import pytest
from support.brute_table import table

from consilience_server.core.calibration import calibrate
from consilience_server.core.control import Control
from consilience_server.core.layer_choice import maximum
from consilience_server.core.max_t import max_t
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.cka_scores import cka_matrix
from consilience_server.engine.neighbour_scores import mutual_knn_matrix

N, LAYERS, PERMUTATIONS = 64, 4, 19
ORDER = np.random.default_rng(123).integers(0, 2**64, N, dtype=np.uint64)
PAIRS = [(i, LAYERS + j) for i in range(LAYERS) for j in range(LAYERS)]


def model(draw):
    """Layers that resemble each other, as those of a model do."""
    shared = draw.normal(size=(N, 8))
    return [np.hstack([shared, draw.normal(size=(N, 8))]) for _ in range(LAYERS)]


def grid(metric, layers, seed):
    options = ScoreOptions(PERMUTATIONS, seed, 0.05, "queries", 0.95, ORDER, 1)
    if metric == "cka":
        return cka_matrix(layers, False, options, Control(), PAIRS)
    return mutual_knn_matrix([table(layer, 10) for layer in layers], 10, options, Control(), PAIRS)


@pytest.mark.parametrize(("metric", "draws"), [("mutual_knn", 200), ("cka", 200)])
def test_the_maximum_over_sixteen_pairs_keeps_the_level(metric, draws):
    draw = np.random.default_rng(2026)
    rejected = rejected_alone = 0
    for index in range(draws):
        found = grid(metric, [*model(draw), *model(draw)], index)
        scores = np.array([found[pair].score for pair in PAIRS]).reshape(LAYERS, LAYERS)
        null = np.array([found[pair].null for pair in PAIRS]).reshape(LAYERS, LAYERS, -1)
        largest = maximum(scores, null)
        rejected += calibrate(largest.score, largest.null, 0.05).p_value <= 0.05
        rejected_alone += min(found[pair].p_value for pair in PAIRS) <= 0.05
    assert 2 <= rejected <= 19  # binomial(200, .05): 99.9% at most 19
    assert rejected_alone > 30


@pytest.mark.parametrize(("metric", "draws"), [("mutual_knn", 200), ("cka", 200)])
def test_any_false_pair_of_a_matrix_is_as_rare_as_the_level(metric, draws):
    draw, count = np.random.default_rng(2027), 6
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]
    rejected = 0
    for index in range(draws):
        options = ScoreOptions(PERMUTATIONS, index, 0.05, "queries", 0.95, ORDER, 1)
        spaces = [draw.normal(size=(N, 4 + 4 * at)) for at in range(count)]
        if metric == "cka":
            found = cka_matrix(spaces, False, options, Control(), pairs)
        else:
            found = mutual_knn_matrix([table(space, 10) for space in spaces], 10, options, Control(), pairs)
        adjusted = max_t(np.array([found[pair].score for pair in pairs]), np.stack([found[pair].null for pair in pairs]))
        rejected += bool((adjusted <= 0.05).any())
    assert 2 <= rejected <= 19
