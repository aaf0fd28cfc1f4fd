"""What RSA and RBF CKA read of a kernel space."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from consilience_server.core.errors import InvalidArgument
from consilience_server.core.kernel_distances import dissimilarities_of, dissimilarity_rule, distance_rule, distances_of
from consilience_server.core.kernel_kind import KernelKind

POINTS = np.random.default_rng(0).normal(size=(12, 4))
DISTANCES = cdist(POINTS, POINTS)


def test_each_kind_gives_the_distances_of_its_points():
    matrices = {
        KernelKind.EUCLIDEAN: DISTANCES,
        KernelKind.SQUARED_EUCLIDEAN: DISTANCES**2,
        KernelKind.DISSIMILARITY: DISTANCES**2,
        KernelKind.SIMILARITY: POINTS @ POINTS.T,
    }
    assert set(matrices) == set(KernelKind)
    for kind, matrix in matrices.items():
        np.testing.assert_allclose(distances_of(matrix.astype(np.float32), kind, "x"), DISTANCES, atol=2e-3)
    assert [distance_rule(kind) for kind in matrices] == ["d", "sqrt(d)", "sqrt(d)", "sqrt(s_ii + s_jj - 2 s_ij)"]


def test_rsa_takes_entries_as_they_are_and_similarities_reversed():
    np.testing.assert_array_equal(dissimilarities_of(DISTANCES, KernelKind.DISSIMILARITY), DISTANCES)
    np.testing.assert_array_equal(dissimilarities_of(DISTANCES, KernelKind.SIMILARITY), -DISTANCES)
    assert [dissimilarity_rule(kind) for kind in (KernelKind.EUCLIDEAN, KernelKind.SIMILARITY)] == ["d", "-s"]


def test_what_has_no_distances_is_refused():
    with pytest.raises(InvalidArgument, match=r"similarity must be positive semidefinite.*use rsa"):
        distances_of(DISTANCES, KernelKind.SIMILARITY, "x")
    with pytest.raises(InvalidArgument, match="dissimilarity must be 0 or more everywhere"):
        distances_of(-DISTANCES, KernelKind.DISSIMILARITY, "x")
