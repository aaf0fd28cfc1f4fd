"""Roots of a regularised covariance: what makes a space's directions equally strong, and what undoes it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray


@dataclass(frozen=True)
class Whitening:
    """The symmetric square roots of C = X'X + penalty * tr(X'X)/d * I.

    Attributes:
        inverse_root: (d, d) float64, C^-1/2: X C^-1/2 is white.
        root: (d, d) float64, C^1/2, which undoes it.
    """

    inverse_root: NDArray[np.float64]
    root: NDArray[np.float64]


def whitenings(x: NDArray[np.float64], penalties: Sequence[float]) -> list[Whitening]:
    """Roots by the eigenvalues of X'X, one decomposition for all penalties.

    Args:
        x: (n, d) float64, not all zero; centre first.
        penalties: > 0, in units of the mean eigenvalue: no direction counts as weaker than about this share of the mean.

    Cost: n d^2, the eigenvalues of a matrix of order d, two products of order d for each penalty.
    """
    gram = x.T @ x
    eigenvalues, vectors = scipy.linalg.eigh(gram, check_finite=False)
    mean = float(np.trace(gram)) / len(gram)
    scales = [np.sqrt(np.maximum(eigenvalues, 0.0) + penalty * mean) for penalty in penalties]
    return [Whitening((vectors / scale) @ vectors.T, (vectors * scale) @ vectors.T) for scale in scales]
