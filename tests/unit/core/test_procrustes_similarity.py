import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes

from consilience_server.core.errors import ConstantFeatures, ShapeMismatch, TooFewItems
from consilience_server.core.procrustes_similarity import procrustes_similarity

RANDOM = np.random.default_rng(3)


def by_scipy(x, y):
    width = max(x.shape[1], y.shape[1])
    x, y = (np.pad(side - side.mean(axis=0), ((0, 0), (0, width - side.shape[1]))) for side in (x, y))
    rotation, _ = orthogonal_procrustes(x, y)
    return 1 - np.linalg.norm(x @ rotation - y) / np.linalg.norm(y)


@pytest.mark.parametrize(("dx", "dy"), [(5, 5), (3, 9), (9, 3), (60, 20)])
def test_agrees_with_the_best_rotation_of_scipy(dx, dy):
    x, y = RANDOM.normal(size=(40, dx)), 2.0 * RANDOM.normal(size=(40, dy))
    assert procrustes_similarity(x, y) == pytest.approx(by_scipy(x, y), abs=1e-10)
    assert procrustes_similarity(y, x) == pytest.approx(by_scipy(y, x), abs=1e-10)


def test_y_is_the_unit():
    x = RANDOM.normal(size=(30, 4))
    assert procrustes_similarity(3.0 * x, x) == pytest.approx(1 - 2.0, abs=1e-9)
    assert procrustes_similarity(x, 3.0 * x) == pytest.approx(1 - 2.0 / 3.0, abs=1e-9)


def test_a_rotation_scores_exactly_1():
    x = RANDOM.normal(size=(500, 8))
    assert procrustes_similarity(x, x @ np.linalg.qr(RANDOM.normal(size=(8, 8)))[0] + 5.0) == 1.0


def test_refuses_bad_input():
    x = RANDOM.normal(size=(5, 2))
    with pytest.raises(ShapeMismatch):
        procrustes_similarity(x, x[1:])
    with pytest.raises(TooFewItems):
        procrustes_similarity(x[:1], x[:1])
    with pytest.raises(ConstantFeatures):
        procrustes_similarity(x, np.ones((5, 3)))
