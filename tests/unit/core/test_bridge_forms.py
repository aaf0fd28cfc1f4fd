"""The closed forms of bridges against independent ones: SciPy, scikit-learn, and their definitions by optimisation."""

import numpy as np
import pytest
import scipy.linalg
from sklearn.cross_decomposition import CCA

from consilience_server.core.canonical import canonical, canonical_path
from consilience_server.core.csa import csa_coordinates, csa_similarities
from consilience_server.core.procrustes import procrustes
from consilience_server.core.reduced_rank import rank_path
from consilience_server.core.relative import relative_maps
from consilience_server.core.ridge import ridge_path
from consilience_server.core.scaled_procrustes import scaled_procrustes
from consilience_server.core.whitened import whitened_maps
from consilience_server.core.whitening import whitenings


def pairs(n=120, widths=(9, 6), noise=0.5, seed=0):
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal((n, 4))
    sides = [latent @ rng.standard_normal((4, width)) + noise * rng.standard_normal((n, width)) for width in widths]
    return [side - side.mean(axis=0) for side in sides]


@pytest.mark.parametrize("widths", [(9, 6), (6, 9), (7, 7)])
def test_gains_are_least_squares_given_the_rotation(widths):
    x, y = pairs(widths=widths)
    rotated = x @ procrustes(x, y)
    gains = [scipy.linalg.lstsq(rotated[:, [j]], y[:, j])[0][0] for j in range(widths[1]) if rotated[:, j].any()]
    found = scaled_procrustes(x, y)
    assert np.allclose(x @ found, rotated * np.array(gains), atol=1e-10)
    assert np.linalg.norm(x @ found - y) <= np.linalg.norm(rotated - y)


@pytest.mark.parametrize("penalty", [0.0, 0.3])
@pytest.mark.parametrize("rank", [1, 3, 5])
def test_no_other_map_of_the_rank_fits_better(penalty, rank):
    """By the definition: least squares on the rows with the penalty as pseudo-rows, cut by Eckart and Young."""
    x, y = pairs()
    path = ridge_path(x, y)
    long_x = np.vstack([x, np.sqrt(penalty * path.scale) * np.eye(9)])
    long_y = np.vstack([y, np.zeros((9, 6))])
    full = scipy.linalg.lstsq(long_x, long_y)[0]
    u, s, v = scipy.linalg.svd(long_x @ full, full_matrices=False)
    best = (u[:, :rank] * s[:rank]) @ v[:rank]
    found = rank_path(path, penalty).of_rank(rank)
    assert np.allclose(long_x @ found, best, atol=1e-8)
    assert np.linalg.matrix_rank(found, tol=1e-8) == rank


def test_full_rank_is_ridge():
    x, y = pairs()
    path = ridge_path(x, y)
    assert np.allclose(rank_path(path, 0.2).of_rank(6), path.weights(0.2), atol=1e-12)


def test_roots_by_scipy():
    x, _ = pairs()
    for penalty, found in zip((0.5, 1e-3), whitenings(x, (0.5, 1e-3)), strict=True):
        covariance = x.T @ x + penalty * np.trace(x.T @ x) / 9 * np.eye(9)
        assert np.allclose(found.root, scipy.linalg.sqrtm(covariance), atol=1e-8)
        assert np.allclose(found.inverse_root, scipy.linalg.inv(scipy.linalg.sqrtm(covariance)), atol=1e-8)


def test_canonical_correlations_are_scikit_learns():
    x, y = pairs(400)
    form = canonical(x, y, 1e-10)
    model = CCA(n_components=4, scale=False, max_iter=5000, tol=1e-12).fit(x, y)
    left, right = model.transform(x, y)
    theirs = [np.corrcoef(left[:, i], right[:, i])[0, 1] for i in range(4)]
    assert np.allclose(form.correlations[:4], theirs, atol=1e-5)
    of_x, of_y = form.projections(4)
    ours = [np.corrcoef((x @ of_x)[:, i], (y @ of_y)[:, i])[0, 1] for i in range(4)]
    assert np.allclose(ours, form.correlations[:4], atol=1e-8)
    assert np.allclose((x @ of_x).T @ (x @ of_x), np.eye(4), atol=1e-6)


def test_a_path_is_each_penalty_on_its_own():
    x, y = pairs()
    for penalty, form in zip((1.0, 1e-2), canonical_path(x, y, (1.0, 1e-2)), strict=True):
        alone = canonical(x, y, penalty)
        assert np.array_equal(form.correlations, alone.correlations)


def test_whitened_maps_by_the_published_steps():
    """Whiten, rotate, re-weight, de-whiten written out as in the paper, with SciPy's roots and an inverse where the form has a root."""
    x, y = pairs(widths=(7, 7))
    form = canonical(x, y, 0.1)
    steps = []
    for side, rotation in ((x, form.left), (y, form.right)):
        root = scipy.linalg.sqrtm(side.T @ side + 0.1 * np.trace(side.T @ side) / 7 * np.eye(7)).real
        white = scipy.linalg.inv(root)
        mapped = side @ white @ rotation @ np.diag(np.sqrt(form.correlations))
        steps.append(mapped @ rotation.T @ scipy.linalg.inv(white) @ rotation)
    for side, weights, wanted in zip((x, y), whitened_maps(form), steps, strict=True):
        assert np.allclose(side @ weights, wanted, atol=1e-8)


def test_csa_is_a_cosine_of_its_coordinates():
    rng = np.random.default_rng(0)
    x, y, rho = rng.standard_normal((8, 5)), rng.standard_normal((11, 5)), np.array([1.0, 0.9, 0.4, 0.1, 0.0])
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (x, y)]
    left, right = csa_coordinates(unit[0], rho, "source"), csa_coordinates(unit[1], rho, "target")
    assert np.allclose(np.linalg.norm(left, axis=1), 1)
    assert np.allclose(np.linalg.norm(right, axis=1), 1)
    by_hand = [[sum(r * a * b for r, a, b in zip(rho, p, q, strict=True)) for q in unit[1]] for p in unit[0]]
    assert np.allclose(left @ right.T, by_hand, atol=1e-12)
    assert np.allclose(csa_similarities(x, y, rho), by_hand, atol=1e-12)


def test_a_row_without_direction_stays_without():
    assert not csa_coordinates(np.zeros((1, 3)), np.ones(3) / 2, "source").any()


def test_relative_coordinates_are_similarities_to_the_anchors():
    x, y = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in pairs())
    of_x, of_y = relative_maps(x, y, 20)
    assert np.allclose(x @ of_x, [[float(row @ anchor) for anchor in x[:20]] for row in x])
    assert of_y.shape == (6, 20)


def test_rotations_leave_relative_representations_alone():
    x, _ = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in pairs())
    rotation = scipy.linalg.qr(np.random.default_rng(1).standard_normal((9, 9)))[0]
    of_x, of_y = relative_maps(x, x @ rotation, 15)
    assert np.allclose(x @ of_x, (x @ rotation) @ of_y, atol=1e-12)
