"""Representational dissimilarity matrices: how far apart every two items of a space are."""

import math
from typing import Any, Literal, TypeVar, cast, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, squareform

from consilience_server.core.errors import ConstantFeatures, NotFinite, ShapeMismatch, ZeroVector

RdmDistance = Literal["correlation", "cosine", "euclidean", "squared_euclidean"]
"""What `rdm` measures between two vectors."""

RDM_DISTANCES: frozenset[RdmDistance] = frozenset(get_args(RdmDistance))

Entry = TypeVar("Entry", bound=np.generic)

SAME_DIRECTION = 1e-13
"""Rows whose correlation or cosine misses 1 by less are the same but for rounding, which must not be taken for a distance."""

_FLAT = 1e-14
"""A row that differs from its mean by less than this share of its largest component has no variance but that of rounding."""


def rdm(x: NDArray[np.floating], distance: RdmDistance) -> NDArray[np.float64]:
    """The dissimilarity of every two items, condensed: the pairs i < j row by row, as SciPy's `pdist` has them.

    ```
    correlation        1 - r, r Pearson's correlation of the two vectors over their components   [0, 2]
    cosine             1 - <x_i, x_j> / (|x_i| |x_j|)                                            [0, 2]
    euclidean          |x_i - x_j|                                                               [0, inf)
    squared_euclidean  |x_i - x_j|^2                                                             [0, inf)
    ```

    Args:
        x: (n, d), finite, n >= 2.
        distance: by name.

    Returns:
        (n (n-1) / 2,) float64. The first two come from unit rows: absolute error below 1e-13, and what is below that is 0. The last two
        come from differences: relative error below d 2^-52, and equal rows give 0.

    Raises:
        ZeroVector: a zero row under `cosine`.
        ConstantFeatures: a row of equal components under `correlation`, which has no variance.

    Cost:
        O(n^2 d) time, O(n^2) memory.
    """
    rows = prepared_rows(x, distance)
    return upper_triangle(dissimilarities(rows, rows, distance))


def prepared_rows(x: NDArray[np.floating], distance: RdmDistance) -> NDArray[np.float64]:
    """(n, d) float64 rows for `dissimilarities`: of unit length, for `correlation` centred before; as they are for the other two."""
    rows = np.array(x, dtype=np.float64)
    if distance in ("euclidean", "squared_euclidean"):
        return rows
    # A row's scale is no part of its direction, and its square must not leave the range of float64.
    largest = np.abs(rows).max(axis=1, keepdims=True)
    largest[largest == 0.0] = 1.0
    rows /= largest
    if distance == "correlation":
        # From the first component on: a shift of the whole row costs no digits, and equal components become exact zeros.
        rows -= rows[:, :1].copy()
        rows -= rows.mean(axis=1, keepdims=True)
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    flat = int(np.count_nonzero(lengths <= _FLAT))
    if flat and distance == "correlation":
        raise ConstantFeatures(
            f"{flat:,} of {len(rows):,} items have the same value in every component, so a correlation with them is undefined; "
            "remove these items or use rdm_distance='euclidean'",
            items=flat,
        )
    if flat:
        raise ZeroVector(
            f"{flat:,} of {len(rows):,} items are zero vectors and have no direction; remove these items or use rdm_distance='euclidean'",
            items=flat,
        )
    rows /= lengths[:, None]
    return rows


def dissimilarities(left: NDArray[np.float64], right: NDArray[np.float64], distance: RdmDistance) -> NDArray[np.float64]:
    """(a, b) dissimilarities of the prepared rows `left` (a, d) and `right` (b, d)."""
    if distance in ("correlation", "cosine"):
        found = left @ right.T
        np.subtract(1.0, found, out=found)
        found[found < SAME_DIRECTION] = 0.0
        return np.minimum(found, 2.0, out=found)
    # From differences: the expanded square would cancel the digits of near items.
    squared: NDArray[np.float64] = cdist(left, right, "sqeuclidean")
    return squared if distance == "squared_euclidean" else np.sqrt(squared, out=squared)


def condensed(matrix: NDArray[np.floating], n: int) -> NDArray[np.float64]:
    """The pairs i < j of a symmetric (n, n) matrix, or of one that is condensed already, as float64; no diagonal is looked at.

    Raises:
        ShapeMismatch: not of n items; neither square nor condensed; or not symmetric, within 1e-6 of the largest entry.
        NotFinite: NaN or infinity off the diagonal.
    """
    values = np.asarray(matrix, dtype=np.float64)
    if values.ndim == 2 and values.shape[0] == values.shape[1]:
        upper, lower = upper_triangle(values), upper_triangle(values.T)
        if len(upper) and np.nanmax(np.abs(upper - lower)) > 1e-6 * np.nanmax(np.abs(upper)):
            raise ShapeMismatch(
                "the matrix is not symmetric: entries (i, j) and (j, i) differ; average it with its transpose if you mean that"
            )
        values = upper
    elif values.ndim != 1:
        raise ShapeMismatch(f"a matrix of shape {values.shape} is not square; give (n, n), or its n (n-1) / 2 pairs i < j")
    if items_of(len(values)) != n:
        raise ShapeMismatch(f"the matrix is of {items_of(len(values)):,} items, not of {n:,}; it needs one row an item")
    bad = int(np.count_nonzero(~np.isfinite(values)))
    if bad:
        raise NotFinite(f"{bad:,} of {len(values):,} dissimilarities are NaN or infinite; remove the items that they belong to")
    return values


def upper_triangle(matrix: NDArray[Entry]) -> NDArray[Entry]:
    """(n (n-1) / 2,) the pairs i < j of an (n, n) matrix, row by row."""
    n = len(matrix)
    pairs = np.empty(n * (n - 1) // 2, dtype=matrix.dtype)
    start = 0
    for row in range(n - 1):
        stop = start + n - 1 - row
        pairs[start:stop] = matrix[row, row + 1 :]
        start = stop
    return pairs


def square(pairs: NDArray[Entry], diagonal: float | NDArray[np.float64] = 0.0) -> NDArray[Entry]:
    """(n, n) symmetric from condensed pairs, `diagonal` on the diagonal."""
    matrix: NDArray[Entry] = squareform(cast("Any", pairs), force="tomatrix", checks=False)
    np.fill_diagonal(matrix, diagonal)
    return matrix


def items_of(pairs: int) -> int:
    """The n that has n (n-1) / 2 = `pairs` pairs; ShapeMismatch where none has."""
    n = (1 + math.isqrt(1 + 8 * pairs)) // 2
    if n * (n - 1) // 2 != pairs:
        raise ShapeMismatch(f"{pairs:,} is no number of pairs: n items have n (n-1) / 2, {n:,} for instance {n * (n - 1) // 2:,}")
    return n
