import numpy as np
import pytest
from scipy.linalg import subspace_angles
from sklearn.cross_decomposition import CCA
from sklearn.decomposition import PCA

from consilience_server.core.cca import mean_cca
from consilience_server.core.errors import ConstantFeatures, InvalidArgument, TooFewItems
from consilience_server.core.svcca import svcca

RANDOM = np.random.default_rng(2)


def z_scored(x):
    return (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)


def related(n=150, dx=20, dy=30):
    z = RANDOM.normal(size=(n, 8))
    return z @ RANDOM.normal(size=(8, dx)) + RANDOM.normal(size=(n, dx)), z @ RANDOM.normal(size=(8, dy)) + RANDOM.normal(size=(n, dy))


def test_agrees_with_scikit_learn_and_scipy():
    x, y = related()
    left, right = (PCA(5, svd_solver="full").fit_transform(z_scored(side)) for side in (x, y))
    assert svcca(x, y, 5) == pytest.approx(np.cos(subspace_angles(left, right)).mean(), abs=1e-10)
    a, b = CCA(n_components=5, max_iter=10_000, tol=1e-12).fit_transform(left, right)
    assert svcca(x, y, 5) == pytest.approx(np.mean([np.corrcoef(a[:, at], b[:, at])[0, 1] for at in range(5)]), abs=1e-5)


def test_of_all_components_is_cca():
    x, y = related()
    assert svcca(x, y, 1000) == pytest.approx(mean_cca(x, y), abs=1e-12)


def test_wider_than_there_are_items():
    x, y = RANDOM.normal(size=(30, 200)), RANDOM.normal(size=(30, 100))
    angles = subspace_angles(*(PCA(4, svd_solver="full").fit_transform(z_scored(side)) for side in (x, y)))
    assert svcca(x, y, 4) == pytest.approx(np.cos(angles).mean(), abs=1e-10)
    with pytest.raises(TooFewItems, match="SVCCA is 1 for any pairing"):
        svcca(x, y, 29)


def test_constant_columns_are_left_out():
    x, y = related()
    assert svcca(np.column_stack([x, np.full(len(x), 3.0)]), y, 4) == pytest.approx(svcca(x, y, 4), abs=1e-12)


def test_equal_components_are_taken_together():
    """Classes of equal size: all components of the one-hot space are equally strong, so no two of them can be preferred."""
    x = np.eye(6)[np.repeat(np.arange(6), 20)]
    assert svcca(x, x @ np.linalg.qr(RANDOM.normal(size=(6, 6)))[0], 2) == pytest.approx(svcca(x, x, 6), abs=1e-9)


def test_refuses_bad_input():
    x, y = related()
    with pytest.raises(InvalidArgument, match="components is 0"):
        svcca(x, y, 0)
    with pytest.raises(ConstantFeatures, match="in x"):
        svcca(np.ones_like(x), y)
