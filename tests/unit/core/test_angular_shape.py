import numpy as np
import pytest
from scipy.spatial import procrustes

from consilience_server.core.angular_shape import angle, angular_shape
from consilience_server.core.errors import ConstantFeatures

RANDOM = np.random.default_rng(4)


@pytest.mark.parametrize("dy", [6, 3])
def test_agrees_with_the_disparity_of_scipy(dy):
    x, y = RANDOM.normal(size=(50, 6)), RANDOM.normal(size=(50, dy))
    _, _, disparity = procrustes(x, np.pad(y, ((0, 0), (0, 6 - dy))))
    assert np.sin(angle(x, y)) ** 2 == pytest.approx(disparity, abs=1e-12)


def test_the_score_is_linear_in_the_angle():
    x, y = RANDOM.normal(size=(50, 6)), RANDOM.normal(size=(50, 9))
    assert (1 - angular_shape(x, y)) * np.pi / 2 == pytest.approx(angle(x, y), abs=1e-15)


def test_the_angle_is_a_metric():
    spaces = [RANDOM.normal(size=(20, width)) for width in (2, 3, 5, 5, 12, 30)]
    angles = np.array([[angle(x, y) for y in spaces] for x in spaces])
    assert np.array_equal(np.diagonal(angles), np.zeros(len(spaces)))
    assert np.allclose(angles, angles.T, atol=1e-12)
    assert (angles[:, None, :] <= angles[:, :, None] + angles[None, :, :] + 1e-12).all()


def test_orthogonal_spaces_score_0():
    x = np.array([1.0, -1.0, 0.0, 0.0])[:, None]
    assert angular_shape(x, np.array([0.0, 0.0, 1.0, -1.0])[:, None]) == 0.0


def test_refuses_constant_features():
    with pytest.raises(ConstantFeatures, match="angular shape metric is undefined"):
        angular_shape(np.ones((5, 2)), RANDOM.normal(size=(5, 2)))
