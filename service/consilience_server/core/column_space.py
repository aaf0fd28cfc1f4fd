"""The directions of item space that a space's features span: an orthonormal basis, strongest first, of the numerical rank."""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

TIED = 1e-6
"""Strengths within this share of each other are equal: rounding to float32 alone moves them by about a tenth of that."""


@dataclass(frozen=True)
class ColumnSpace:
    """An orthonormal basis of the span of centred columns.

    Attributes:
        basis: (n, r) float64, orthonormal columns of mean 0.
        strengths: (r,) float64, the singular values, falling.
    """

    basis: NDArray[np.float64]
    strengths: NDArray[np.float64]

    @property
    def rank(self) -> int:
        """Directions of the span."""
        return len(self.strengths)

    def first(self, components: int) -> "ColumnSpace":
        """The `components` strongest directions, and those that tie with the last of them: which of equals came first is no property."""
        kept = components_kept(self.strengths, components)
        return ColumnSpace(np.ascontiguousarray(self.basis[:, :kept]), self.strengths[:kept])


def components_kept(strengths: NDArray[np.float64], components: int) -> int:
    """How many falling strengths are taken when `components` are asked: those that tie with the last too, at most all."""
    if components >= len(strengths):
        return len(strengths)
    return int(np.count_nonzero(strengths >= strengths[components - 1] * (1.0 - TIED)))


def centred(x: NDArray[np.floating]) -> NDArray[np.float64]:
    """(n, d) float64, columns of mean 0; taken from the first row on, so that a large shift costs no digits and equal rows become zeros."""
    values = x.astype(np.float64)
    values -= values[0].copy()
    values -= values.mean(axis=0)
    return values


def standardized(x: NDArray[np.floating]) -> NDArray[np.float64]:
    """(n, d') float64, columns of mean 0 and standard deviation 1 (divisor n - 1); constant columns are left out."""
    values = centred(x[:, (x != x[:1]).any(axis=0)])
    values /= values.std(axis=0, ddof=1)
    return values


def column_space(values: NDArray[np.float64], noise: float) -> ColumnSpace:
    """The span of centred columns, by an exact singular value decomposition.

    A direction counts when its singular value is above `noise` and above max(n, d) 2^-52 of the largest, the decomposition's own error.

    Args:
        values: (n, d) float64, columns of mean 0.
        noise: the largest singular value that rounding of the input can make (`rounding_noise`).

    Returns:
        The sign of each direction is arbitrary; nothing that is made of it may depend on it.

    Cost:
        About 6 n d min(n, d) operations.
    """
    # The mean of what is left of a column is exactly 0 only up to rounding; that moves a basis by no more than the noise.
    left, strengths, _ = scipy.linalg.svd(values, full_matrices=False, check_finite=False)
    floor = max(noise, max(values.shape) * 2.0**-52 * float(strengths[0]))
    kept = strengths > floor
    return ColumnSpace(np.ascontiguousarray(left[:, kept]), strengths[kept])


def rounding_noise(x: NDArray[np.floating], dtype: np.dtype[np.floating]) -> float:
    """A bound on the singular values of what rounding x to `dtype` changed: u |x|_F, u = 2^-24 for float32, 2^-53 for float64.

    Without it a space of low rank stored in float32 would have its full width, and a metric that weighs all directions alike, like CCA,
    would compare rounding.
    """
    unit = float(np.finfo(dtype).eps) / 2.0
    return unit * float(np.sqrt(np.einsum("ij,ij->", x, x, dtype=np.float64)))
