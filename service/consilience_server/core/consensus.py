"""What several spaces agree on: the mean of their kernels, and generalised Procrustes. The definitions, plainly."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import ConstantFeatures
from consilience_server.core.procrustes import procrustes

_CONSTANT = 1e-20


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


def unit_kernel(x: NDArray[np.floating]) -> NDArray[np.float64]:
    """K / |K|_F for the centred linear kernel K = X_c X_c', (n, n) float64: what a space adds to the mean kernel."""
    centred = centred_columns(x)
    kernel = centred @ centred.T
    unit: NDArray[np.float64] = kernel / np.linalg.norm(kernel)
    return unit


def mean_kernel(spaces: Sequence[NDArray[np.floating]]) -> NDArray[np.float64]:
    """The mean of the spaces' unit kernels, (n, n) float64, positive semidefinite with rows summing to 0.

    ```
    Kbar = 1/M sum_i K_i / |K_i|_F
    ```
    Each space weighs the same whatever its scale and width. <K_i, Kbar_(-i)> / |Kbar_(-i)| is linear CKA of space i with the others' mean.
    |Kbar|_F^2 is the mean of the M^2 values of CKA: 1 where all spaces are one, 1/M where they have nothing in common.

    Source: the "compromise" of STATIS (Lavit et al. 1994) with equal weights.
    """
    mean: NDArray[np.float64] = np.mean([unit_kernel(x) for x in spaces], axis=0)
    return mean


def generalised_procrustes(spaces: Sequence[NDArray[np.floating]], *, tolerance: float = 1e-10, most: int = 500) -> Procrusted:
    """Rotations (and reflections) R_i that bring all spaces as near to their mean as they come.

    ```
    minimise sum_i |X_i R_i - G|^2,   G = 1/M sum_i X_i R_i
    ```
    X_i is centred, of Frobenius norm 1, and padded with zero columns to the largest width. Rounds: G fixed, each R_i from the SVD of X_i'G;
    then G anew. The loss M - M |G|^2 never rises; it may end in a local minimum. The first target is the space that has most in common with
    the others, the largest sum of |X_i'X_j|_F^2, so that the answer does not depend on the order of the spaces but for exact ties.

    Args:
        spaces: M of (n, d_i).
        tolerance: relative growth of |G|^2 that ends it.
        most: rounds at most.

    Source: Gower, "Generalized Procrustes analysis", Psychometrika 40 (1975), without its scaling factors.
    """
    width = max(x.shape[1] for x in spaces)
    units = []
    for x in spaces:
        centred = centred_columns(x)
        units.append(np.pad(centred / np.linalg.norm(centred), ((0, 0), (0, width - x.shape[1]))))
    common = [sum(float(((a.T @ b) ** 2).sum()) for b in units if b is not a) for a in units]
    target, size = units[int(np.argmax(common))], 0.0
    rotated, iterations, converged = units, 0, False
    while iterations < most and not converged:
        rotated = [unit @ procrustes(unit, target) for unit in units]
        target = np.mean(rotated, axis=0)
        iterations += 1
        grown = float((target**2).sum())
        converged = grown - size <= tolerance * grown
        size = grown
    return Procrusted(target, rotated, iterations, converged)
