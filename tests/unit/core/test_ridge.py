from itertools import pairwise

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from consilience_server.core.ridge import ridge_path


def problem(n, width, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, width)), rng.standard_normal((n, 7))


@pytest.mark.parametrize(("n", "width"), [(200, 30), (30, 30), (20, 64)])
@pytest.mark.parametrize("penalty", [1e-3, 0.3, 10.0])
def test_equals_scikit_learn(n, width, penalty):
    x, y = problem(n, width)
    alpha = penalty * np.trace(x.T @ x) / width
    oracle = Ridge(alpha=alpha, fit_intercept=False, solver="svd").fit(x, y).coef_.T
    assert np.allclose(ridge_path(x, y).weights(penalty), oracle, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize(("n", "width"), [(200, 30), (20, 64)])
def test_without_penalty_it_is_least_squares_of_least_norm(n, width):
    x, y = problem(n, width)
    oracle = np.linalg.lstsq(x, y, rcond=None)[0]
    assert np.allclose(ridge_path(x, y).weights(0.0), oracle, rtol=1e-8, atol=1e-10)


def test_directions_that_the_pairs_lack_get_no_weight():
    x, y = problem(100, 20)
    x[:, 5] = 0.0
    weights = ridge_path(x, y).weights(0.0)
    assert np.allclose(weights[5], 0.0)
    assert np.isfinite(weights).all()


def test_the_penalty_is_in_units_of_the_mean_eigenvalue():
    x, y = problem(100, 20)
    assert np.allclose(ridge_path(1000.0 * x, 1000.0 * y).weights(0.5), ridge_path(x, y).weights(0.5))


def test_a_larger_penalty_shrinks():
    path = ridge_path(*problem(50, 40))
    norms = [np.linalg.norm(path.weights(penalty)) for penalty in (0.0, 0.01, 0.1, 1.0, 10.0)]
    assert all(a > b for a, b in pairwise(norms))
