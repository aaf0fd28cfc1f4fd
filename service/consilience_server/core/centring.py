"""Unit length, minus a mean, unit length again: what both sides of a bridge go through (Artetxe et al. 2018, "unit, center, unit").

All arithmetic is float64 and element by element in one fixed order, so every bit is the same on every machine.
"""

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.exact_score import LANES

NO_DIRECTION = 2.0**-23
"""A unit row this near to the mean is the mean: rounding to float32 moves a unit vector by up to 2^-24, so what is left is rounding."""


def _squared_lengths(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of squares of each row, (n,) float64, in the order of `core/exact_score.py`: 64 lanes, then halved pairwise."""
    n, width = rows.shape
    lanes = np.zeros((n, LANES))
    for start in range(0, width, LANES):
        block = rows[:, start : start + LANES]
        lanes[:, : block.shape[1]] += block * block
    half = LANES // 2
    while half:
        lanes = lanes[:, :half] + lanes[:, half:]
        half //= 2
    total: NDArray[np.float64] = lanes[:, 0]
    return total


def unit(rows: NDArray[np.floating]) -> NDArray[np.float64]:
    """Each row divided by its Euclidean length, (n, d) float64; a zero row stays zero."""
    wide = rows.astype(np.float64, copy=False)
    norms = np.sqrt(_squared_lengths(wide))
    norms[norms == 0.0] = 1.0
    scaled: NDArray[np.float64] = wide / norms[:, None]
    return scaled


def unit_mean(rows: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean of the unit rows, (d,) float64: what `centred` subtracts, taken over the rows of the fit."""
    mean: NDArray[np.float64] = unit(rows).mean(axis=0)
    return mean


def centred(rows: NDArray[np.floating], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """unit(unit(x) - mean) for each row x, (n, d) float64; zero where the unit row lies within NO_DIRECTION of the mean.

    Args:
        rows: (n, d), not zero.
        mean: (d,) of the unit rows of the fit; zeros leave the unit row as it is.
    """
    offsets = unit(rows) - mean
    offsets[_squared_lengths(offsets) < NO_DIRECTION**2] = 0.0
    return unit(offsets)
