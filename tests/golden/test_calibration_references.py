"""Calibrated scores, p-values and thresholds of calibrated-similarity 0.1.1, the package of arXiv 2602.14486.

Its `calibrate(X, Y, sim, K=199, alpha=.05)` and `calibrate_layers(..., agg="max")` were run with torch 2.14.1, a similarity written for the
purpose (CKA from centred Gram matrices; the mean overlap of the lists of the five nearest by cosine), and `perm_fn` returning our
permutations 0, 1 .. of seed 7, where theirs are a torch generator's: as they are for CKA, which moves the rows of y, and inverted for
mutual k-NN, which moves those of x. It computes in float32.
"""

import numpy as np
import pytest
from support.brute_table import latent_pair, table

from consilience_server.core.calibration import calibrate
from consilience_server.core.control import Control
from consilience_server.core.layer_choice import maximum
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.cka_scores import cka_score
from consilience_server.engine.neighbour_scores import mutual_knn_scores

PERMUTATIONS, SEED, ALPHA, K = 199, 7, 0.05, 5

PAIRS = [
    # metric, seed of `latent_pair`, n, noise: calibrated, p, threshold
    ("cka", 2, 64, 1.0, 0.3538709, 0.0050000, 0.1050793),
    ("mutual_knn", 2, 64, 1.0, 0.1584507, 0.0050000, 0.1125000),
    ("cka", 5, 48, 2.0, 0.2931397, 0.0050000, 0.1581776),
    ("mutual_knn", 5, 48, 2.0, 0.0390244, 0.0050000, 0.1458333),
    ("cka", 6, 40, 3.0, 0.1842444, 0.0050000, 0.2039224),
    ("mutual_knn", 6, 40, 3.0, 0.0240964, 0.0300000, 0.1700000),
    ("cka", 3, 64, 1000.0, 0.0000000, 0.4250000, 0.1283294),
    ("mutual_knn", 3, 64, 1000.0, 0.0070423, 0.0350000, 0.1125000),
]
LAYERS = [
    # Three layers against two: columns 0-7, 8-15, 16-23 of x, 0-9, 10-19 of y.
    ("cka", 2, 64, 3.0, 0.2437432, 0.0050000, 0.1673953),
    ("mutual_knn", 2, 64, 3.0, 0.0322581, 0.0050000, 0.1281250),
    ("cka", 8, 40, 1000.0, 0.0000000, 0.8450000, 0.2703773),
    ("mutual_knn", 8, 40, 1000.0, 0.0000000, 0.9900000, 0.2050000),
]


def score(metric, x, y):
    """Judged over items in their own order, in which their permutations were applied."""
    options = ScoreOptions(PERMUTATIONS, SEED, ALPHA, "queries", 0.95, np.arange(len(x), dtype=np.uint64), 1)
    if metric == "cka":
        return cka_score(x, y, False, options, Control())
    return mutual_knn_scores(table(x, K), table(y, K), [K], options, Control())[0]


@pytest.mark.parametrize(("metric", "seed", "n", "noise", "calibrated", "p_value", "threshold"), PAIRS)
def test_a_pair(metric, seed, n, noise, calibrated, p_value, threshold):
    found = score(metric, *latent_pair(seed, n, 8, 6, 4, noise))
    assert found.p_value == pytest.approx(p_value, abs=1e-9)
    assert (found.calibrated, found.threshold) == pytest.approx((calibrated, threshold), abs=1e-6)


@pytest.mark.parametrize(("metric", "seed", "n", "noise", "calibrated", "p_value", "threshold"), LAYERS)
def test_the_maximum_over_layers(metric, seed, n, noise, calibrated, p_value, threshold):
    x, y = latent_pair(seed, n, 24, 20, 4, noise)
    grid = [[score(metric, a, b) for b in np.split(y, 2, axis=1)] for a in np.split(x, 3, axis=1)]
    largest = maximum(np.array([[each.score for each in row] for row in grid]), np.array([[each.null for each in row] for row in grid]))
    found = calibrate(largest.score, largest.null, ALPHA)
    assert found.p_value == pytest.approx(p_value, abs=1e-9)
    assert (found.calibrated, found.threshold) == pytest.approx((calibrated, threshold), abs=1e-6)
