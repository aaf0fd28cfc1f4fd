"""Ridge regression from one space to another: the closed form, for every penalty from one decomposition."""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

_RANK_TOLERANCE = 1e-12
"""Eigenvalues below this share of the largest count as zero: a Gram matrix knows squared singular values to about 1e-15."""


@dataclass(frozen=True)
class RidgePath:
    """All ridge solutions of one problem.

    Attributes:
        basis: (d_x, r) float64, eigenvectors of X'X with non-zero eigenvalue.
        eigenvalues: (r,) float64, positive.
        projected: (r, d_y) float64, basis' X'Y.
        scale: the mean eigenvalue tr(X'X) / d_x: the unit of the penalty.
    """

    basis: NDArray[np.float64]
    eigenvalues: NDArray[np.float64]
    projected: NDArray[np.float64]
    scale: float

    def weights(self, penalty: float) -> NDArray[np.float64]:
        """W = (X'X + penalty * scale * I)^-1 X'Y, (d_x, d_y) float64; penalty 0 is least squares of least norm.

        W minimises |X W - Y|^2 + penalty * scale * |W|^2.
        """
        shrunk = self.projected / (self.eigenvalues + penalty * self.scale)[:, None]
        solution: NDArray[np.float64] = self.basis @ shrunk
        return solution


def ridge_path(x: NDArray[np.float64], y: NDArray[np.float64]) -> RidgePath:
    """Decompose the ridge problem X W = Y once, for all penalties.

    Args:
        x: (n, d_x) float64, not all zero. No intercept is fitted: centre first.
        y: (n, d_y) float64.

    Cost: n d_x min(n, d_x) and the eigenvalues of a matrix of order min(n, d_x). X'X is decomposed where n >= d_x, else XX'.

    Source: Hoerl and Kennard, "Ridge regression", Technometrics 12 (1970); the dual form: Saunders et al., ICML 1998.
    """
    n, width = x.shape
    if n >= width:
        gram = x.T @ x
        eigenvalues, vectors = scipy.linalg.eigh(gram, check_finite=False)
        kept = eigenvalues > _RANK_TOLERANCE * eigenvalues[-1]
        basis = vectors[:, kept]
        projected = basis.T @ (x.T @ y)
    else:
        gram = x @ x.T
        eigenvalues, vectors = scipy.linalg.eigh(gram, check_finite=False)
        kept = eigenvalues > _RANK_TOLERANCE * eigenvalues[-1]
        roots = np.sqrt(eigenvalues[kept])
        basis = (x.T @ vectors[:, kept]) / roots
        projected = roots[:, None] * (vectors[:, kept].T @ y)
    return RidgePath(basis, eigenvalues[kept], projected, float(np.trace(gram)) / width)
