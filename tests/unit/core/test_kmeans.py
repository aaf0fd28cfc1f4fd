import numpy as np
import pytest
from sklearn.cluster import KMeans

from consilience_server.core.kmeans import assign, kmeans


def blobs(count=6, each=40, width=5, seed=0):
    rng = np.random.default_rng(seed)
    centres = 8 * rng.standard_normal((count, width))
    return (np.repeat(centres, each, axis=0) + 0.3 * rng.standard_normal((count * each, width))).astype(np.float32)


def test_separate_clusters_are_found_as_scikit_learn_finds_them():
    rows = blobs()
    found = kmeans(rows, 6, np.random.default_rng(1))
    expected = KMeans(6, n_init=5, random_state=0).fit(rows).cluster_centers_
    order, expected_order = np.lexsort(found.T), np.lexsort(expected.T)
    assert found[order] == pytest.approx(expected[expected_order], abs=1e-4)


def test_each_row_goes_to_the_nearest_and_each_centroid_is_the_mean_of_its_rows():
    rows = np.random.default_rng(2).standard_normal((300, 4)).astype(np.float32)
    centroids = kmeans(rows, 7, np.random.default_rng(3), iterations=200)
    nearest = assign(rows, centroids)
    distances = ((rows[:, None].astype(np.float64) - centroids) ** 2).sum(axis=2)
    assert np.array_equal(nearest, distances.argmin(axis=1))
    for place, centroid in enumerate(centroids):
        assert rows[nearest == place].mean(axis=0) == pytest.approx(centroid, abs=1e-5)


def test_a_centroid_without_rows_stays():
    rows = blobs(2)
    start = np.concatenate((rows[[0, -1]], np.full((1, 5), 1e3, dtype=np.float32)))
    assert np.array_equal(kmeans(rows, 3, np.random.default_rng(0), start=start)[2], start[2])


def test_equal_rows_are_no_error():
    assert np.array_equal(kmeans(np.ones((9, 2), dtype=np.float32), 3, np.random.default_rng(0)), np.ones((3, 2)))
