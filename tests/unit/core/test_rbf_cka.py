"""RBF CKA against scikit-learn's kernel, its bandwidth, its limits, and what is refused."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from sklearn.metrics.pairwise import rbf_kernel

from consilience_server.core.cka import linear_cka
from consilience_server.core.errors import ConstantFeatures, ShapeMismatch
from consilience_server.core.rbf_cka import Bandwidth, rbf_cka


def centred_product(k, l):
    centre = np.eye(len(k)) - 1 / len(k)
    k, l = centre @ k @ centre, centre @ l @ centre
    return (k * l).sum() / np.sqrt((k * k).sum() * (l * l).sum())


def spaces(n=30):
    draw = np.random.default_rng(0)
    x = draw.normal(size=(n, 5))
    return x, np.hstack([x[:, :2], 3.0 * draw.normal(size=(n, 4))])


@pytest.mark.parametrize("bandwidth", [Bandwidth(1.0), Bandwidth(0.4), Bandwidth(), Bandwidth(factor=0.5)])
def test_the_kernel_is_scikit_learns(bandwidth):
    kernels = []
    for side in spaces():
        sigma = bandwidth.fixed or bandwidth.factor * np.median(pdist(side))
        kernels.append(rbf_kernel(side, gamma=1 / (2 * sigma**2)))
    assert rbf_cka(*spaces(), bandwidth) == pytest.approx(centred_product(*kernels), abs=1e-12)


def test_a_wide_kernel_sees_what_linear_cka_sees():
    x, y = spaces()
    assert rbf_cka(x, y, Bandwidth(factor=1e3)) == pytest.approx(linear_cka(x, y), abs=1e-5)
    assert rbf_cka(x, y, Bandwidth(factor=0.2)) != pytest.approx(linear_cka(x, y), abs=0.05)


def test_a_fixed_bandwidth_sees_the_scale_and_the_median_does_not():
    x, y = spaces()
    assert rbf_cka(5.0 * x, y) == pytest.approx(rbf_cka(x, y), abs=1e-12)
    assert rbf_cka(5.0 * x, y, Bandwidth(1.0)) != pytest.approx(rbf_cka(x, y, Bandwidth(1.0)), abs=0.01)


def test_what_has_no_kernel_is_refused():
    x, y = spaces()
    with pytest.raises(ShapeMismatch):
        rbf_cka(x, y[:-1])
    with pytest.raises(ConstantFeatures, match="same vector in y"):
        rbf_cka(x, np.ones_like(y))
    with pytest.raises(ConstantFeatures, match="half or more of all pairs"):
        rbf_cka(x, np.repeat(np.eye(2), (28, 2), axis=0))
    assert 0 < rbf_cka(x, np.repeat(np.eye(2), (28, 2), axis=0), Bandwidth(1.0)) < 1
    with pytest.raises(ConstantFeatures, match="no two items near each other"):
        rbf_cka(x, y, Bandwidth(1e-6))
    with pytest.raises(ConstantFeatures, match="all items the same"):
        rbf_cka(x, y, Bandwidth(1e9))
