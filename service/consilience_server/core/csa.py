"""Canonical similarity analysis: canonical coordinates compared by cosine, each weighing as much as it correlates."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray


def csa_similarities(x: NDArray[np.float64], y: NDArray[np.float64], correlations: NDArray[np.float64]) -> NDArray[np.float64]:
    """The definition: s(x, y) = sum_i rho_i x_i y_i / (|x| |y|) of canonical coordinates, (m, n) float64 in [-1, 1]; larger is nearer.

    Args:
        x: (m, s) float64, no zero rows.
        y: (n, s) float64, likewise.
        correlations: (s,) float64, rho in [0, 1].

    Source: Li et al., "CSA: Data-efficient mapping of unimodal features to multimodal features", ICLR 2025, equation 4.
    """
    left = x / np.linalg.norm(x, axis=1, keepdims=True)
    right = y / np.linalg.norm(y, axis=1, keepdims=True)
    similarities: NDArray[np.float64] = (left * correlations) @ right.T
    return similarities


def csa_coordinates(rows: NDArray[np.float64], correlations: NDArray[np.float64], side: Literal["source", "target"]) -> NDArray[np.float64]:
    """Coordinates of unit length in which CSA's similarity is a plain cosine, (m, s + 2) float64.

    A source x becomes (sqrt(rho) x, sqrt(1 - sum rho x^2), 0), a target y (sqrt(rho) y, 0, sqrt(1 - sum rho y^2)): the last two entries
    bring either side to length 1 and never meet. So whatever serves cosines serves CSA. Element by element and in one fixed order of
    addition, so every bit is the same on every machine.

    Args:
        rows: (m, s) float64 of unit length; a zero row stays zero.
        correlations: (s,) float64, rho in [0, 1].
        side: which of the two.
    """
    m, width = rows.shape
    placed = np.zeros((m, width + 2))
    placed[:, :width] = rows * np.sqrt(correlations)
    taken = np.zeros(m)
    for column in range(width):
        taken += placed[:, column] * placed[:, column]
    rest = np.sqrt(np.maximum(1.0 - taken, 0.0))
    rest[~rows.any(axis=1)] = 0.0
    placed[:, width if side == "source" else width + 1] = rest
    return placed
