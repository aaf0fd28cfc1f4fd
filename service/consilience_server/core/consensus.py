"""What several spaces agree on: the mean of their kernels, and generalised Procrustes. The definitions, plainly."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import ConstantFeatures
from consilience_server.core.kernel_kind import KernelKind, as_kernel
from consilience_server.core.procrustes import procrustes

_CONSTANT = 1e-20
NOTHING = 1e-10
"""Eigenvalues below this share of the largest are rounding."""


@dataclass(frozen=True)
class Procrusted:
    """Where generalised Procrustes came to rest.

    Attributes:
        mean: (n, d) float64 the mean configuration G, d the largest width.
        rotated: the configurations X_i R_i, each (n, d).
        iterations: rounds of rotating all to the mean.
        converged: |G|^2 grew by less than the tolerance, relatively.
    """

    mean: NDArray[np.float64]
    rotated: Sequence[NDArray[np.float64]]
    iterations: int
    converged: bool


def centred_columns(x: NDArray[np.floating], space: str = "x") -> NDArray[np.float64]:
    """X minus its column means, (n, d) float64; ConstantFeatures where nothing is left but rounding."""
    wide = x.astype(np.float64)
    centred: NDArray[np.float64] = wide - wide.mean(axis=0)
    if (centred**2).sum() <= _CONSTANT * (wide**2).sum():
        raise ConstantFeatures(f"all items have the same vector in {space}; it has no geometry to agree with", field="spaces")
    return centred


def centred_kernel(matrix: NDArray[np.floating], kind: KernelKind, space: str = "x") -> NDArray[np.float64]:
    """H K H of a kernel space, K by `core/kernel_kind.py: as_kernel`, H = I - 11'/n; ConstantFeatures where nothing is left but rounding.

    (n, n) float64, rows summing to 0. Of distances between points it is their Gram matrix; else it may have negative eigenvalues.
    """
    kernel = as_kernel(matrix, kind)
    centred: NDArray[np.float64] = kernel - kernel.mean(axis=0) - kernel.mean(axis=1)[:, None] + kernel.mean()
    if (centred**2).sum() <= _CONSTANT * (kernel**2).sum():
        raise ConstantFeatures(f"all items are equally near to each other in {space}; it has no geometry to agree with", field="spaces")
    return centred


def unit_kernel(x: NDArray[np.floating], kind: KernelKind | None = None) -> NDArray[np.float64]:
    """K / |K|_F, (n, n) float64: what a space adds to the mean kernel.

    K is the centred linear kernel X_c X_c' of vectors, or, with a kind, the centred kernel of the matrix that a kernel space is.
    """
    if kind is None:
        columns = centred_columns(x)
        kernel = columns @ columns.T
    else:
        kernel = centred_kernel(x, kind)
    unit: NDArray[np.float64] = kernel / np.linalg.norm(kernel)
    return unit


def scaled_coordinates(kernel: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Points whose inner products are a centred kernel, by classical scaling: U sqrt(max(values, 0)), (n, r) float64.

    Returns:
        The r <= n - 1 axes of positive eigenvalues, the largest first; and the share of the sum of absolute eigenvalues that is negative,
        which no points have: 0 for the Gram matrix of points.

    Source: Torgerson 1952; Gower 1966.
    """
    values, axes = np.linalg.eigh(kernel)
    values, axes = values[::-1], axes[:, ::-1]
    kept = values > NOTHING * np.abs(values).max()
    beyond = float(-values[values < -NOTHING * np.abs(values).max()].sum() / np.abs(values).sum())
    return axes[:, kept] * np.sqrt(values[kept]), beyond + 0.0


def mean_kernel(spaces: Sequence[NDArray[np.floating]], kinds: Sequence[KernelKind | None] | None = None) -> NDArray[np.float64]:
    """The mean of the spaces' unit kernels, (n, n) float64 with rows summing to 0; of vectors positive semidefinite.

    ```
    Kbar = 1/M sum_i K_i / |K_i|_F
    ```
    Each space weighs the same whatever its scale and width. <K_i, Kbar_(-i)> / |Kbar_(-i)| is linear CKA of space i with the others' mean.
    |Kbar|_F^2 is the mean of the M^2 values of CKA: 1 where all spaces are one, 1/M where no two have an inner
    product, more by chance.

    Args:
        spaces: M of (n, d_i) vectors or (n, n) matrices over the items.
        kinds: what a matrix is, None for vectors; None altogether where all are vectors.

    Source: the "compromise" of STATIS (Lavit et al. 1994) with equal weights.
    """
    units = [unit_kernel(x, kind) for x, kind in zip(spaces, kinds or [None] * len(spaces), strict=True)]
    mean: NDArray[np.float64] = np.mean(units, axis=0)
    return mean


def generalised_procrustes(spaces: Sequence[NDArray[np.floating]], *, tolerance: float = 1e-6, most: int = 200) -> Procrusted:
    """Rotations (and reflections) R_i that bring all spaces as near to their mean as they come.

    ```
    minimise sum_i |X_i R_i - G|^2,   G = 1/M sum_i X_i R_i
    ```
    X_i is centred, of Frobenius norm 1, and padded with zero columns to the largest width. One after the other each R_i is the best for the
    sum of the other X_j R_j, from the SVD of X_i' times it, which never raises the loss M - M |G|^2; it may end in a local minimum. All
    begin turned to the space that has most in common with the others (the largest sum of |X_i'X_j|_F^2), and their turn comes in the order
    of that sum, so that the answer does not depend on the order of the spaces but for exact ties.

    Args:
        spaces: M of (n, d_i).
        tolerance: relative growth of |G|^2 in a round that ends it.
        most: rounds at most.

    Source: Gower, "Generalized Procrustes analysis", Psychometrika 40 (1975), without its scaling factors; the rounds of ten Berge,
    "Orthogonal Procrustes rotation for two or more matrices", Psychometrika 42 (1977), which need a tenth of Gower's.
    """
    width = max(x.shape[1] for x in spaces)
    units = []
    for x in spaces:
        centred = centred_columns(x)
        units.append(np.pad(centred / np.linalg.norm(centred), ((0, 0), (0, width - x.shape[1]))))
    common = np.array([sum(float(((a.T @ b) ** 2).sum()) for b in units if b is not a) for a in units])
    turns = np.argsort(-common, kind="stable").tolist()
    rotated = [unit @ procrustes(unit, units[turns[0]]) for unit in units]
    mean, size, iterations, converged = np.mean(rotated, axis=0), 0.0, 0, len(units) == 1
    while iterations < most and not converged:
        for i in turns:
            rotated[i] = units[i] @ procrustes(units[i], np.add.reduce([rotated[j] for j in turns if j != i]))
        mean = np.mean(rotated, axis=0)
        iterations += 1
        grown = float((mean**2).sum())
        converged = grown - size <= tolerance * grown
        size = grown
    return Procrusted(mean, rotated, iterations, converged)
