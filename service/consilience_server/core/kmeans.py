"""k-means: centroids that the rows of one space cluster around."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

_CANDIDATES = 4


def kmeans(
    rows: NDArray[np.float32], count: int, rng: np.random.Generator, iterations: int = 30, start: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Lloyd's algorithm on squared Euclidean distance, from greedy k-means++ seeds: (count, d) float32 centroids.

    An iteration assigns each row to its nearest centroid (equal: the first) and moves each centroid to the mean of its rows; it ends when
    no row moves. A centroid that loses all its rows stays where it is.

    Args:
        rows: (n, d) float32, n >= count.
        count: centroids.
        rng: of the seeds.
        iterations: at most.
        start: (count, d) centroids to start from instead.

    Cost: n d count an iteration; n count float32 of memory.

    Source: Arthur and Vassilvitskii, "k-means++", SODA 2007.
    """
    centroids = _seeds(rows, count, rng) if start is None else start.copy()
    before = None
    for _ in range(iterations):
        nearest = assign(rows, centroids)
        if before is not None and np.array_equal(nearest, before):
            break
        before = nearest
        members = csr_array((np.ones(len(rows), dtype=np.float32), (nearest, np.arange(len(rows)))), shape=(count, len(rows)))
        sizes = np.bincount(nearest, minlength=count)[:, None]
        means = (members @ rows) / np.maximum(sizes, 1).astype(np.float32)
        centroids = np.where(sizes > 0, means, centroids)
    return centroids


def assign(rows: NDArray[np.float32], centroids: NDArray[np.float32]) -> NDArray[np.int64]:
    """The nearest centroid of each row, (n,) int64."""
    nearness = rows @ centroids.T - 0.5 * (centroids * centroids).sum(axis=1)
    nearest: NDArray[np.int64] = nearness.argmax(axis=1)
    return nearest


def _seeds(rows: NDArray[np.float32], count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Each seed a row, drawn by its squared distance from those before it; of a few draws the one that leaves the least distance."""
    seeds = np.empty((count, rows.shape[1]), dtype=np.float32)
    seeds[0] = rows[rng.integers(len(rows))]
    lengths = (rows * rows).sum(axis=1)
    left = np.maximum(lengths + lengths.dtype.type(seeds[0] @ seeds[0]) - 2 * (rows @ seeds[0]), 0)
    for place in range(1, count):
        reached = np.cumsum(left, dtype=np.float64)
        drawn = np.searchsorted(reached, rng.random(_CANDIDATES) * reached[-1]).clip(0, len(rows) - 1)
        between = np.maximum(lengths[:, None] + lengths[drawn] - 2 * (rows @ rows[drawn].T), 0)
        options = np.minimum(left[:, None], between)
        best = int(options.sum(axis=0).argmin())
        seeds[place], left = rows[drawn[best]], options[:, best]
    return seeds
