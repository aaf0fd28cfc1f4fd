import numpy as np
import pytest
from scipy.linalg import subspace_angles
from sklearn.cross_decomposition import CCA

from consilience_server.core.cca import mean_cca
from consilience_server.core.errors import ConstantFeatures, ShapeMismatch, TooFewItems

RANDOM = np.random.default_rng(1)


def related(n=120, dx=6, dy=4):
    z = RANDOM.normal(size=(n, 3))
    return z @ RANDOM.normal(size=(3, dx)) + RANDOM.normal(size=(n, dx)), z @ RANDOM.normal(size=(3, dy)) + RANDOM.normal(size=(n, dy))


def test_agrees_with_the_principal_angles_of_scipy():
    x, y = related()
    angles = subspace_angles(x - x.mean(axis=0), y - y.mean(axis=0))
    assert mean_cca(x, y) == pytest.approx(np.cos(angles).mean(), abs=1e-12)


def test_agrees_with_scikit_learn():
    x, y = related()
    left, right = CCA(n_components=4, max_iter=10_000, tol=1e-12).fit_transform(x, y)
    correlations = [np.corrcoef(left[:, at], right[:, at])[0, 1] for at in range(4)]
    assert mean_cca(x, y) == pytest.approx(np.mean(correlations), abs=1e-6)


def test_is_invariant_to_affine_maps_of_either_side():
    x, y = related()
    assert mean_cca(x @ RANDOM.normal(size=(6, 6)) + 3.0, y @ RANDOM.normal(size=(4, 4))) == pytest.approx(mean_cca(x, y), abs=1e-10)
    assert mean_cca(x, x @ RANDOM.normal(size=(6, 6))) == pytest.approx(1.0, abs=1e-12)


def test_refuses_what_every_pairing_would_score_1_at():
    x, y = RANDOM.normal(size=(10, 9)), RANDOM.normal(size=(10, 3))
    for one, other, name in ((x, y, "x"), (y, x, "y")):
        with pytest.raises(TooFewItems, match=r"spans 9 directions among 10 items.*svcca") as refused:
            mean_cca(one, other)
        assert refused.value.field == name
    mean_cca(x[:, :8], y)


def test_refuses_bad_input():
    x, y = related()
    with pytest.raises(ShapeMismatch, match="120 rows and y 119"):
        mean_cca(x, y[1:])
    with pytest.raises(TooFewItems):
        mean_cca(x[:3], y[:3])
    with pytest.raises(ConstantFeatures, match="in y"):
        mean_cca(x, np.ones_like(y))
