import numpy as np
import pytest
from scipy.stats import ortho_group

from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.bridges.choose import METHODS
from consilience_server.bridges.fit import BASELINES, fit_map
from consilience_server.bridges.tuning import Tuning
from consilience_server.core import errors
from consilience_server.core.centring import centred
from consilience_server.core.control import Control
from consilience_server.core.csa import csa_similarities
from consilience_server.core.retrieval import partner_ranks

CONTROL = Control()


def clouds(n=300, width=24, seed=0):
    return np.random.default_rng(seed).standard_normal((n, width)).astype(np.float32)


LEARNED = [name for name in METHODS if name not in BASELINES]


@pytest.mark.parametrize("method", ["procrustes", "ridge", "scaled_procrustes", "affine"])
def test_an_exact_rotation_is_recovered(method):
    x = clouds()
    rotation = ortho_group.rvs(24, random_state=1)
    y = (x.astype(np.float64) @ rotation).astype(np.float32)
    fitted, _ = fit_map(method, x[:200], y[:200], (0.0,), CONTROL)
    assert np.abs(fitted.weights - rotation).max() < 1e-6
    ready = make_ready(fitted)
    ranks = partner_ranks(map_vectors(ready, x[200:], CONTROL), centre_gallery(ready, y, CONTROL), np.arange(200, 300))
    assert (ranks == 1).all()


def test_noise_is_cut_away_by_the_rank():
    """Two directions agree, twenty-two are noise of either side: the rank that is kept is small, and better than all."""
    rng = np.random.default_rng(3)
    latent = rng.standard_normal((260, 2))
    x = (latent @ rng.standard_normal((2, 24)) * 2 + clouds(260, seed=4)).astype(np.float32)
    y = (latent @ rng.standard_normal((2, 24)) * 2 + clouds(260, seed=5)).astype(np.float32)
    fitted, tuning = fit_map("affine", x, y, (1e-6,), CONTROL)
    assert tuning.components <= 6
    assert np.linalg.matrix_rank(fitted.weights) == tuning.components


def test_csa_is_compared_by_the_similarity_of_its_definition():
    x = clouds(300, 12)
    y = (x[:, :9] + clouds(300, 9, seed=2)).astype(np.float32)
    fitted, tuning = fit_map("csa", x, y, (), CONTROL)
    ready = make_ready(fitted)
    assert fitted.correlations is not None
    assert fitted.target_weights is not None
    assert fitted.width == tuning.components + 2
    left = centred(x, fitted.source_mean) @ fitted.weights
    right = centred(y, fitted.target_mean) @ fitted.target_weights
    got = map_vectors(ready, x, CONTROL) @ centre_gallery(ready, y, CONTROL).T
    assert np.abs(got - csa_similarities(left, right, fitted.correlations)).max() < 1e-6


def test_identity_has_nothing_to_learn():
    fitted, tuning = fit_map("identity", clouds(), clouds(seed=1), (), CONTROL)
    assert tuning == Tuning()
    assert np.array_equal(fitted.weights, np.eye(24))
    assert not fitted.source_mean.any()
    assert not fitted.target_mean.any()


def test_mean_shift_moves_each_side_by_its_own_mean():
    x, y = clouds() + np.float32(2), clouds(seed=1) - np.float32(1)
    fitted, _ = fit_map("mean_shift", x, y, (), CONTROL)
    assert np.array_equal(fitted.weights, np.eye(24))
    assert np.allclose(fitted.source_mean, (x / np.linalg.norm(x, axis=1, keepdims=True)).mean(axis=0), atol=1e-6)
    assert np.allclose(fitted.target_mean, (y / np.linalg.norm(y, axis=1, keepdims=True)).mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("widths", [(24, 10), (10, 24)])
def test_procrustes_joins_unequal_widths(widths):
    a, b = widths
    fitted, _ = fit_map("procrustes", clouds(width=a), clouds(width=b, seed=1), (), CONTROL)
    small = fitted.weights.T @ fitted.weights if a > b else fitted.weights @ fitted.weights.T
    assert np.allclose(small, np.eye(min(widths)), atol=1e-12)


def test_ridge_answers_the_penalty_it_chose():
    x = clouds()
    y = (x + 0.5 * clouds(seed=2)).astype(np.float32)
    for method in ("ridge", "affine"):
        _, tuning = fit_map(method, x, y, (0.01, 0.02), CONTROL)
        assert tuning.penalty in {0.01, 0.02}


@pytest.mark.parametrize("method", LEARNED)
def test_every_method_finds_the_partners_of_a_rotation(method):
    x = clouds()
    y = (x.astype(np.float64) @ ortho_group.rvs(24, random_state=1)).astype(np.float32)
    fitted, _ = fit_map(method, x[:200], y[:200], (1e-6,), CONTROL)
    ready = make_ready(fitted)
    mapped, gallery = map_vectors(ready, x[200:], CONTROL), centre_gallery(ready, y, CONTROL)
    assert mapped.shape[1] == gallery.shape[1] == fitted.width
    assert (partner_ranks(mapped, gallery, np.arange(200, 300)) == 1).mean() >= (0.95 if method == "relative" else 1.0)


@pytest.mark.parametrize("method", ["mean_shift", *LEARNED])
@pytest.mark.parametrize("side", ["source", "target"])
def test_one_direction_for_all_is_refused(method, side):
    varied = clouds(40, 5)
    ones = np.linspace(1, 9, 40, dtype=np.float32)[:, None] * np.array([[0.1, 0.2, 0.3, 0.4, 0.5]], dtype=np.float32)
    x, y = (ones, varied) if side == "source" else (varied, ones)
    with pytest.raises(errors.ConstantFeatures, match=f"the {side} space"):
        fit_map(method, x, y, (1.0,), CONTROL)
