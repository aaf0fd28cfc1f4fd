"""The geometry of one space from its neighbour table, and from its vectors."""

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from consilience_server.core.column_means import column_means
from consilience_server.core.column_space import rounding_noise
from consilience_server.core.control import Control
from consilience_server.core.hubness import antihub_fraction, hubness, k_occurrences
from consilience_server.core.intrinsic_dimension import first_two, two_nn
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.similarity import Similarity
from consilience_server.core.space_geometry import SpaceGeometry
from consilience_server.engine.protocol import NeighbourTable

_ROWS = 4096

_SAME_DIRECTION = 1e-7
"""Distance of unit vectors below which two of float32 are the same direction."""


def neighbour_geometry(table: NeighbourTable, k: int, similarity: Similarity, kernel: KernelKind | None) -> SpaceGeometry:
    """Hubness and intrinsic dimension of a self-join table. O(n k); nothing is searched again.

    Args:
        table: of all items among themselves.
        k: of the lists, 1 <= k <= table.k_max.
        similarity: what the table's scores are; says nothing of a kernel.
        kernel: what the entries of a kernel space are, None for vectors.
    """
    occurrences = k_occurrences(table.sets(k))
    distances = _distances(table.scores, similarity, kernel)
    dimension, told = None, 0
    if distances is not None and distances.shape[1] >= 2:
        first, second = first_two(distances, _SAME_DIRECTION if kernel is None and similarity is Similarity.COSINE else 0.0)
        dimension, told = two_nn(first, second), len(first)
    return SpaceGeometry(k, hubness(occurrences), float(occurrences.max()), antihub_fraction(occurrences), dimension, told)


def spectrum(x: NDArray[np.float32], control: Control) -> NDArray[np.float64]:
    """(r,) singular values of the centred vectors, falling, less those that rounding of the input could have made.

    Args:
        x: (n, d) float32.
        control: asked for every block of rows.

    Cost:
        O(n d min(n, d)) time, O(min(n, d)^2) memory.
    """
    mean, (n, d) = column_means(x), x.shape
    if d <= n:
        gram = np.zeros((d, d))
        for start in range(0, n, _ROWS):
            control.check()
            rows = x[start : start + _ROWS] - mean
            gram += rows.T @ rows
    else:
        centred = x - mean
        gram = centred @ centred.T
    control.check()
    squares = np.maximum(scipy.linalg.eigvalsh(gram, check_finite=False)[::-1], 0.0)
    strengths = np.sqrt(squares)
    floor = max(rounding_noise(x, x.dtype), float(strengths[0]) * np.sqrt(len(squares) * 2.0**-52))
    kept: NDArray[np.float64] = strengths[strengths > floor]
    return kept


def spectrum_bytes(n: int, d: int) -> int:
    """Peak bytes of `spectrum` beyond the vectors."""
    small = min(n, d)
    return 8 * (3 * small * small + (n * d if d > n else 2 * _ROWS * d))


def _distances(scores: NDArray[np.float64], similarity: Similarity, kernel: KernelKind | None) -> NDArray[np.float64] | None:
    """(n, k) ascending distances of a table's scores; None where they are none."""
    if kernel is KernelKind.EUCLIDEAN:
        return -scores
    if kernel is KernelKind.SQUARED_EUCLIDEAN or (kernel is None and similarity is Similarity.SQUARED_L2):
        return np.sqrt(np.maximum(-scores, 0.0))
    if kernel is None and similarity is Similarity.COSINE:
        # Between the unit vectors: Euclidean on the sphere that cosine compares on.
        return np.sqrt(np.maximum(2.0 - 2.0 * scores, 0.0))
    return None
