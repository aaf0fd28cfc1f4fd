"""Points in the plane whose distances are near to given ones: a map of models by their agreement."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ClassicalScaling:
    """A map.

    Attributes:
        coordinates: (M, dimensions) float64, centred; axes by falling variance; of each axis the entry farthest from 0 (of equals the
            first) is positive. Axes that the distances do not have are 0.
        explained: share of the (positive) variance that these axes have, in [0, 1]; 1 where all distances are 0.
        stress: Kruskal's stress 1: root of sum (d - d_map)^2 / sum d^2; 0 is a perfect map.
    """

    coordinates: NDArray[np.float64]
    explained: float
    stress: float


def classical_scaling(distances: NDArray[np.float64], dimensions: int = 2) -> ClassicalScaling:
    """Torgerson's classical scaling: the leading eigenvectors of B = -1/2 J D^2 J, each times the root of its eigenvalue.

    Exact for distances of points in that many dimensions. Others (1 - score seldom is Euclidean) have negative eigenvalues, which no map
    can show: `explained` and `stress` tell what is lost.

    Args:
        distances: (M, M) float64, symmetric, at least 0, zero diagonal, M >= 2.
        dimensions: axes of the map.

    Source:
        Torgerson 1952; Kruskal 1964 for the stress.
    """
    count = len(distances)
    squares = distances * distances
    centred = squares - squares.mean(axis=0) - squares.mean(axis=1)[:, None] + squares.mean()
    values, vectors = np.linalg.eigh(-0.5 * centred)
    values, vectors = values[::-1], vectors[:, ::-1]
    # Rounding leaves eigenvalues of the order of 1e-16 where there is nothing.
    positive = np.where(values > 1e-12 * max(float(values[0]), 0.0), values, 0.0)
    coordinates = np.zeros((count, dimensions))
    shown = min(dimensions, count)
    coordinates[:, :shown] = vectors[:, :shown] * np.sqrt(positive[:shown])
    sizes = np.abs(coordinates)
    farthest = np.argmax(sizes >= sizes.max(axis=0) * (1.0 - 1e-9), axis=0)
    coordinates *= np.where(coordinates[farthest, np.arange(dimensions)] < 0, -1.0, 1.0)
    total = float(positive.sum())
    upper = np.triu_indices(count, 1)
    mapped = np.sqrt(((coordinates[:, None] - coordinates[None]) ** 2).sum(axis=2))[upper]
    norm = float(squares[upper].sum())
    stress = math.sqrt(float(((mapped - distances[upper]) ** 2).sum()) / norm) if norm else 0.0
    return ClassicalScaling(coordinates, float(positive[:shown].sum()) / total if total else 1.0, stress)


def disagreement(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """(M, M) distances 1 - (s_ij + s_ji) / 2, at least 0, with a zero diagonal: what maps and trees of spaces are made of."""
    distances = np.maximum(1.0 - 0.5 * (scores + scores.T), 0.0)
    np.fill_diagonal(distances, 0.0)
    return np.asarray(distances, dtype=np.float64)
