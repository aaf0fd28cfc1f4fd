"""Worked numbers of SCIENCE A6 and D, computed by an implementation that agrees with the paper's."""

import numpy as np
import pytest
from support.brute_table import cosine, latent_pair, table

from consilience_server.core.angular_shape import angle
from consilience_server.core.calibration import calibrate
from consilience_server.core.cka import gram_hsic, linear_cka, unbiased_cka
from consilience_server.core.cknna import cknna_terms
from consilience_server.core.control import Control
from consilience_server.core.cycle_knn import cycle_knn
from consilience_server.core.edit_distance_knn import edit_distance_knn
from consilience_server.core.lcs_knn import lcs_knn
from consilience_server.core.mutual_knn import mutual_knn
from consilience_server.core.ordered_lists import OrderedLists, ordered_lists
from consilience_server.core.procrustes_similarity import procrustes_similarity
from consilience_server.core.rbf_cka import Bandwidth, gaussian_kernel, rbf_cka
from consilience_server.core.rdm import rdm, square
from consilience_server.core.rsa import rsa
from consilience_server.core.svcca import svcca
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.cka_scores import cka_score
from consilience_server.engine.neighbour_scores import mutual_knn_scores
from consilience_server.engine.shape_scores import shape_score

ROWS = [
    # seed, n, da, db, r, noise, k, mutual, cka, unbiased cka
    (0, 12, 6, 5, 3, 0.5, 3, 0.416667, 0.631649, 0.517151),
    (1, 12, 6, 5, 3, 2.0, 3, 0.250000, 0.329221, 0.015518),
    (2, 64, 32, 48, 8, 1.0, 10, 0.642188, 0.844832, 0.821773),
    (3, 64, 32, 48, 8, 1000.0, 10, 0.153125, 0.405386, 0.017017),
]


@pytest.mark.parametrize(("seed", "n", "da", "db", "r", "noise", "k", "mutual", "cka", "ucka"), ROWS)
def test_scores(seed, n, da, db, r, noise, k, mutual, cka, ucka):
    x, y = latent_pair(seed, n, da, db, r, noise)
    assert mutual_knn(table(x, k).sets(k), table(y, k).sets(k)) == pytest.approx(mutual, abs=1e-6)
    assert linear_cka(x, y) == pytest.approx(cka, abs=1e-6)
    # The reference adds an absolute 1e-6 to its denominator, which moves the small HSIC_u of unit rows in the fifth place.
    assert unbiased_cka(x, y) == pytest.approx(ucka, abs=2e-5)


LISTS = [
    # seed, n, da, db, r, noise, k, cycle of (a, b), cycle of (b, a), lcs, edit; the reference does not divide LCS by k
    (0, 12, 6, 5, 3, 0.5, 3, 0.833333, 0.833333, 1.083333, 0.166667),
    (1, 12, 6, 5, 3, 2.0, 3, 0.333333, 0.416667, 0.666667, 0.055556),
    (2, 64, 32, 48, 8, 1.0, 10, 1.0, 1.0, 3.578125, 0.156250),
    (3, 64, 32, 48, 8, 1000.0, 10, 0.828125, 0.750000, 1.187500, 0.017188),
]


@pytest.mark.parametrize(("seed", "n", "da", "db", "r", "noise", "k", "cycle", "back", "lcs", "edit"), LISTS)
def test_scores_of_ordered_lists(seed, n, da, db, r, noise, k, cycle, back, lcs, edit):
    keys = np.random.default_rng(0).integers(0, 2**64, (2, n), dtype=np.uint64)
    a, b = (ordered_lists(cosine(side), k, of_side) for side, of_side in zip(latent_pair(seed, n, da, db, r, noise), keys, strict=True))
    assert cycle_knn(a, b) == pytest.approx(cycle, abs=1e-6)
    assert cycle_knn(b, a) == pytest.approx(back, abs=1e-6)
    assert k * lcs_knn(a, b) == pytest.approx(lcs, abs=1e-6)
    assert edit_distance_knn(a, b) == pytest.approx(edit, abs=1e-6)


CKNNA = [
    # seed, n, da, db, r, noise, k, cknna of the authors' code
    (0, 12, 6, 5, 3, 0.5, 3, 0.266961),
    (1, 12, 6, 5, 3, 2.0, 3, 0.158930),
    (2, 64, 32, 48, 8, 1.0, 10, 0.729590),
    (3, 64, 32, 48, 8, 1000.0, 10, 0.126255),
]


@pytest.mark.parametrize(("seed", "n", "da", "db", "r", "noise", "k", "expected"), CKNNA)
def test_cknna(seed, n, da, db, r, noise, k, expected):
    kernels = [cosine(side) for side in latent_pair(seed, n, da, db, r, noise)]
    lists = [ordered_lists(kernel, k, np.arange(n, dtype=np.uint64)) for kernel in kernels]
    cross, own_x, own_y = cknna_terms("cknna", *kernels, *lists)
    # The reference adds an absolute 1e-6 to its denominator.
    assert cross / (np.sqrt(own_x * own_y) + 1e-6) == pytest.approx(expected, abs=1e-6)


def test_five_points_on_a_circle_scored_by_hand():
    angles = np.deg2rad([[0, 10, 30, 60, 100], [0, 10, 30, 95, 60]])
    kernels = [np.cos(side[:, None] - side) for side in angles]
    a = OrderedLists(np.array([[1, 2], [0, 2], [1, 0], [2, 4], [3, 2]], dtype=np.int32))
    b = OrderedLists(np.array([[1, 2], [0, 2], [1, 0], [4, 2], [2, 3]], dtype=np.int32))
    assert cycle_knn(a, b) == 1.0
    assert 2 * lcs_knn(a, b) == pytest.approx(1.6)
    assert edit_distance_knn(a, b) == pytest.approx(0.6)
    cross, own_x, own_y = cknna_terms("cknna", *kernels, a, b)
    assert cross / (np.sqrt(own_x * own_y) + 1e-6) == pytest.approx(1.020228, abs=1e-6)


SHAPES = [
    # seed, n, da, db, r, noise, svcca of 4 components by exact decomposition, Procrustes similarity in units of b, angle
    (0, 12, 6, 5, 3, 0.5, 0.683395, 0.336305, 0.681286),
    (1, 12, 6, 5, 3, 2.0, 0.618470, 0.079534, 0.969585),
    (2, 64, 32, 48, 8, 1.0, 0.745289, 0.560068, 0.443964),
    (3, 64, 32, 48, 8, 1000.0, 0.305754, 0.132543, 0.898007),
]


@pytest.mark.parametrize(("seed", "n", "da", "db", "r", "noise", "components", "similarity", "theta"), SHAPES)
def test_shapes(seed, n, da, db, r, noise, components, similarity, theta):
    x, y = latent_pair(seed, n, da, db, r, noise)
    assert svcca(x, y, 4) == pytest.approx(components, abs=1e-6)
    assert procrustes_similarity(x, y) == pytest.approx(similarity, abs=1e-6)
    assert angle(x, y) == pytest.approx(theta, abs=1e-6)
    # The same through the engine, from float32 as it is stored.
    order = np.random.default_rng(0).integers(0, 2**64, n, dtype=np.uint64)
    options, stored = ScoreOptions(0, 0, 0.05, "queries", 0.95, order, 1), [side.astype(np.float32) for side in (x, y)]
    found = {
        metric: shape_score(metric, *stored, options, Control(), components=4).score for metric in ("svcca", "procrustes", "angular_shape")
    }
    assert found["svcca"] == pytest.approx(components, abs=1e-5)
    assert found["procrustes"] == pytest.approx(similarity, abs=1e-5)
    assert (1 - found["angular_shape"]) * np.pi / 2 == pytest.approx(theta, abs=1e-5)


PAIRWISE = [
    # seed, n, da, db, r, noise, RBF CKA with sigma = 1, RSA (Spearman of correlation distances)
    (0, 12, 6, 5, 3, 0.5, 0.650815, 0.408788),
    (1, 12, 6, 5, 3, 2.0, 0.490247, 0.131155),
    (2, 64, 32, 48, 8, 1.0, 0.862951, 0.805917),
    (3, 64, 32, 48, 8, 1000.0, 0.651005, 0.027157),
]


@pytest.mark.parametrize(("seed", "n", "da", "db", "r", "noise", "rbf", "rank"), PAIRWISE)
def test_scores_of_pairs_of_items(seed, n, da, db, r, noise, rbf, rank):
    x, y = latent_pair(seed, n, da, db, r, noise)
    kernels = [square(gaussian_kernel(rdm(side, "euclidean"), 1.0, "x"), 1.0) for side in (x, y)]
    parts = gram_hsic(*kernels, unbiased=False)
    # The reference adds an absolute 1e-6 to its denominator.
    assert parts.xy / (np.sqrt(parts.xx * parts.yy) + 1e-6) == pytest.approx(rbf, abs=1e-6)
    assert rbf_cka(x, y, Bandwidth(1.0)) == pytest.approx(rbf, abs=1e-5)
    assert rsa(x, y) == pytest.approx(rank, abs=1e-5)


CALIBRATED = [
    # metric, seed, noise, score, threshold, calibrated; 64 items, k 10, 200 permutations of another generator
    ("mutual_knn", 2, 1.0, 0.6422, 0.1859, 0.5605),
    ("cka", 2, 1.0, 0.8448, 0.1549, 0.8164),
    ("unbiased_cka", 2, 1.0, 0.8218, 0.0301, 0.8162),
    ("mutual_knn", 4, 4.0, 0.2859, None, 0.1228),
    ("cka", 4, 4.0, 0.5054, None, 0.2765),
    ("mutual_knn", 3, 1000.0, 0.1531, None, 0.0),
    ("cka", 3, 1000.0, 0.4054, None, 0.0),
]


@pytest.mark.parametrize(("metric", "seed", "noise", "score", "threshold", "calibrated"), CALIBRATED)
def test_calibrated_scores(metric, seed, noise, score, threshold, calibrated):
    x, y = latent_pair(seed, 64, 32, 48, 8, noise)
    options = ScoreOptions(1999, 0, 0.05, "items", 0.95, np.random.default_rng(0).integers(0, 2**64, 64, dtype=np.uint64), 1)
    if metric == "mutual_knn":
        found = mutual_knn_scores(table(x, 16), table(y, 16), (10,), options, Control())[0]
    else:
        found = cka_score(x, y, metric == "unbiased_cka", options, Control())
    assert found.score == pytest.approx(score, abs=6e-5)
    # Their threshold is an order statistic of 200 random pairings: it may differ from ours by a few of its standard errors.
    tolerance = 4 * 2.1 * found.null_sd / 200**0.5
    if threshold is not None:
        assert found.threshold == pytest.approx(threshold, abs=tolerance)
    assert found.calibrated == pytest.approx(calibrated, abs=tolerance)
    assert (found.p_value <= 0.05) == (calibrated > 0)


def test_the_formula_gives_the_worked_numbers_from_their_threshold():
    for score, threshold, calibrated in ((0.6422, 0.1859, 0.5605), (0.8448, 0.1549, 0.8164), (0.8218, 0.0301, 0.8162)):
        null = np.append(np.full(190, 0.0), np.full(10, threshold))
        assert calibrate(score, null, 0.05).calibrated == pytest.approx(calibrated, abs=1e-4)
        assert calibrate(score, null, 0.05).p_value == pytest.approx(0.005, abs=3e-5)
