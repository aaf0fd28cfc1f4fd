"""TwoNN: the dimension of the manifold that items lie on, from how much farther the second neighbour is than the first."""

import numpy as np
from numpy.typing import NDArray

DISCARDED = 0.1
"""Share of the largest ratios that the fit leaves out, as the authors do: there the density varies most."""

LEAST_ITEMS = 10
"""Fewer ratios tell no dimension."""


def two_nn(first: NDArray[np.float64], second: NDArray[np.float64]) -> float | None:
    """The intrinsic dimension d by the distances r1 < r2 of every item to its two nearest.

    Where the density hardly varies up to the second neighbour, mu = r2 / r1 has the distribution 1 - mu^-d whatever the density is. So the
    points (log mu_(i), -log(1 - i / n)) of the sorted ratios lie on a line through the origin with slope d:
    ```
    d = sum_i u_i v_i / sum_i u_i^2,   u_i = log mu_(i),  v_i = -log(1 - i / n),  i = 1 .. floor(.9 n)
    ```

    Args:
        first: (n,) r1 > 0.
        second: (n,) r2 >= r1; the next distance that is another than r1.

    Returns:
        d; None for fewer than 10 items, or where all ratios are 1.

    Source:
        Facco, d'Errico, Rodriguez and Laio 2017 (Scientific Reports 7, 12140), section "TWO-NN algorithm".
    """
    n = len(first)
    if n < LEAST_ITEMS:
        return None
    kept = int(n * (1.0 - DISCARDED) + 1e-9)
    ratios = np.log(np.sort(second / first)[:kept])
    heights = -np.log1p(-np.arange(1, kept + 1) / n)
    square = float(ratios @ ratios)
    return float(ratios @ heights) / square if square > 0.0 else None


def first_two(distances: NDArray[np.float64], same: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The two smallest distinct distances above `same` in each row, of the rows that have two.

    A duplicate of an item has the distance 0, and items that are duplicates of each other the same distance: such are one item, not two.

    Args:
        distances: (n, k) ascending, k >= 2.
        same: distances up to here are 0 but for rounding.

    Returns:
        (m,) first and (m,) second, m <= n.
    """
    apart = distances > same
    at_first = np.argmax(apart, axis=1)
    rows = np.arange(len(distances))
    first = distances[rows, at_first]
    beyond = distances > np.maximum(first, same)[:, None] * (1.0 + 1e-9)
    at_second = np.argmax(beyond, axis=1)
    told = apart.any(axis=1) & beyond.any(axis=1)
    return first[told], distances[rows, at_second][told]
