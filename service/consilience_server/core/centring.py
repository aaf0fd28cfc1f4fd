"""Unit length, minus a mean, unit length again: what both sides of a bridge go through (Artetxe et al. 2018, "unit, center, unit").

All arithmetic is float64 and element by element in one fixed order, so every bit is the same on every machine.
"""

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.exact_score import LANES

NO_DIRECTION = 2.0**-23
"""A unit row this near to the mean is the mean: rounding to float32 moves a unit vector by up to 2^-24, so what is left is rounding."""


def _sums(terms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of each row, (n,) float64, in the order of `core/exact_score.py`: 64 lanes, then halved pairwise."""
    n, width = terms.shape
    lanes = np.zeros((n, LANES))
    for start in range(0, width, LANES):
        block = terms[:, start : start + LANES]
        lanes[:, : block.shape[1]] += block
    half = LANES // 2
    while half:
        lanes = lanes[:, :half] + lanes[:, half:]
        half //= 2
    total: NDArray[np.float64] = lanes[:, 0]
    return total


def unit(rows: NDArray[np.floating]) -> NDArray[np.float64]:
    """Each row divided by its Euclidean length, (n, d) float64; a zero row stays zero."""
    wide = rows.astype(np.float64, copy=False)
    norms = np.sqrt(_sums(wide * wide))
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
        rows: (n, d); a zero row stays zero.
        mean: (d,) of the unit rows of the fit; zeros leave the unit row as it is.
    """
    offsets = unit(rows) - mean
    offsets[(_sums(offsets * offsets) < NO_DIRECTION**2) | ~rows.any(axis=1)] = 0.0
    return unit(offsets)


def uncentred(directions: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """The one unit row u that `centred` takes to each direction c, (n, d) float64.

    u = mean + s c with s = -(mean . c) + sqrt((mean . c)^2 + 1 - |mean|^2). A mean of unit rows that do not all point one way
    lies within the unit sphere, so from it every direction meets the sphere once (s > 0).

    Args:
        directions: (n, d) float64 of unit length; a zero row stays zero.
        mean: (d,) as in `centred`, shorter than 1.
    """
    along = _sums(directions * mean)
    reach = np.sqrt(along * along + (1.0 - _sums(mean[None] * mean[None]))) - along
    rows = mean + reach[:, None] * directions
    rows[~directions.any(axis=1)] = 0.0
    return rows
