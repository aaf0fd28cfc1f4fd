"""Dissimilarity matrices against SciPy, their forms, and what is refused."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from consilience_server.core.errors import ConstantFeatures, NotFinite, ShapeMismatch, ZeroVector
from consilience_server.core.rdm import condensed, items_of, rdm, square, upper_triangle

DISTANCES = {"correlation": "correlation", "cosine": "cosine", "euclidean": "euclidean", "squared_euclidean": "sqeuclidean"}


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e18])
def test_distances_are_those_of_scipy(distance, scale):
    x = (scale * np.random.default_rng(0).normal(size=(20, 7))).astype(np.float32)
    # SciPy squares lengths without scaling them first.
    expected = pdist(x.astype(np.float64) / (scale if distance in ("correlation", "cosine") else 1.0), DISTANCES[distance])
    np.testing.assert_allclose(rdm(x, distance), expected, rtol=1e-12, atol=1e-13 if distance in ("correlation", "cosine") else 0.0)


def test_near_and_equal_rows_keep_their_digits():
    x = np.random.default_rng(0).normal(size=(3, 9)) + 1e4
    x[1] = x[0]
    x[2] = x[0]
    x[2, 4] += 2.0**-12
    assert rdm(x, "euclidean").tolist() == [0.0, 2.0**-12, 2.0**-12]
    assert rdm(x, "correlation")[0] == pytest.approx(0.0, abs=1e-13)


def test_rows_without_a_direction_are_refused():
    x = np.random.default_rng(0).normal(size=(6, 4))
    x[2] = 0.1
    with pytest.raises(ConstantFeatures, match=r"1 of 6 items have the same value in every component.*euclidean"):
        rdm(x, "correlation")
    assert rdm(x, "cosine").shape == (15,)
    x[3] = 0.0
    with pytest.raises(ZeroVector, match="1 of 6 items are zero"):
        rdm(x, "cosine")
    with pytest.raises(ConstantFeatures, match="3 of 3"):
        rdm(np.arange(3.0)[:, None], "correlation")


def test_condensed_and_square_are_scipys():
    matrix = squareform(np.arange(1.0, 16.0))
    assert np.array_equal(condensed(matrix, 6), np.arange(1.0, 16.0))
    assert np.array_equal(condensed(np.arange(1.0, 16.0), 6), np.arange(1.0, 16.0))
    assert np.array_equal(square(np.arange(1.0, 16.0), 7.0), matrix + 7.0 * np.eye(6))
    assert np.array_equal(upper_triangle(matrix > 3), squareform(matrix) > 3)
    assert [items_of(n * (n - 1) // 2) for n in (2, 3, 92, 100_000)] == [2, 3, 92, 100_000]


def test_broken_matrices_are_refused():
    matrix = squareform(np.arange(1.0, 16.0))
    for broken, n, message in (
        (matrix + np.triu(matrix), 6, "not symmetric"),
        (matrix[:5], 6, "not square"),
        (matrix, 7, "of 6 items, not of 7"),
        (np.arange(14.0), 6, "no number of pairs"),
    ):
        with pytest.raises(ShapeMismatch, match=message):
            condensed(broken, n)
    matrix[1, 2] = matrix[2, 1] = np.nan
    with pytest.raises(NotFinite, match="1 of 15"):
        condensed(matrix, 6)
