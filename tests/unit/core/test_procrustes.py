import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from scipy.stats import ortho_group

from consilience_server.core.procrustes import procrustes


def test_equals_scipy():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((100, 12)), rng.standard_normal((100, 12))
    assert np.allclose(procrustes(x, y), orthogonal_procrustes(x, y)[0], atol=1e-12)


def test_an_exact_rotation_is_recovered():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((200, 40))
    rotation = ortho_group.rvs(40, random_state=2)
    assert np.abs(procrustes(x, x @ rotation) - rotation).max() < 1e-6


@pytest.mark.parametrize(("width_x", "width_y"), [(5, 9), (9, 5)])
def test_no_semi_orthogonal_map_does_better(width_x, width_y):
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((50, width_x)), rng.standard_normal((50, width_y))
    best = np.trace(procrustes(x, y).T @ x.T @ y)
    for _ in range(200):
        u, _, v = np.linalg.svd(rng.standard_normal((width_x, width_y)), full_matrices=False)
        assert np.trace((u @ v).T @ x.T @ y) < best
