import numpy as np
import pytest
from scipy.spatial import procrustes
from scipy.spatial.distance import cdist
from sklearn.manifold import ClassicalMDS

from consilience_server.core.classical_scaling import classical_scaling, disagreement

PLANE = np.random.default_rng(0).normal(size=(12, 2)) * [3.0, 1.0]


def test_points_of_a_plane_are_found_again():
    found = classical_scaling(cdist(PLANE, PLANE))
    assert procrustes(PLANE, found.coordinates)[2] < 1e-20
    assert cdist(found.coordinates, found.coordinates) == pytest.approx(cdist(PLANE, PLANE), abs=1e-10)
    assert found.explained == pytest.approx(1.0)
    assert found.stress < 1e-10


def test_equals_scikit_learn_up_to_signs():
    distances = cdist(*[np.random.default_rng(1).random((9, 5))] * 2, metric="cityblock")
    expected = ClassicalMDS(n_components=2, metric="precomputed").fit_transform(distances)
    assert np.abs(classical_scaling(distances).coordinates) == pytest.approx(np.abs(expected), abs=1e-10)


def test_signs_are_settled():
    found = classical_scaling(cdist(PLANE, PLANE)).coordinates
    mirrored = classical_scaling(cdist(-PLANE, -PLANE)).coordinates
    assert found == pytest.approx(mirrored)
    for axis in found.T:
        assert axis[np.abs(axis).argmax()] > 0


def test_what_a_plane_cannot_show_is_told():
    simplex = 1.0 - np.eye(5)
    found = classical_scaling(simplex)
    assert found.explained == pytest.approx(0.5)
    assert 0.2 < found.stress < 0.8


def test_two_and_equal_points():
    two = classical_scaling(np.array([[0.0, 0.4], [0.4, 0.0]]))
    assert two.coordinates == pytest.approx(np.array([[0.2, 0.0], [-0.2, 0.0]]))
    assert two.explained == 1.0
    same = classical_scaling(np.zeros((3, 3)))
    assert not same.coordinates.any()
    assert (same.explained, same.stress) == (1.0, 0.0)


def test_disagreement_is_symmetric_and_no_less_than_nothing():
    scores = np.array([[0.9, 0.5, 1.2], [0.7, 1.0, -0.2], [1.0, 0.0, 0.8]])
    assert disagreement(scores) == pytest.approx(np.array([[0, 0.4, 0], [0.4, 0, 1.1], [0, 1.1, 0]]))
