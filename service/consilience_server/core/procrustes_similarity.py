"""Procrustes similarity: what is left between two spaces after the best rotation, in units of the second. The definition, plainly."""

import math

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.column_space import centred
from consilience_server.core.paired_features import check_paired

PROPERTIES = {
    "range": (-math.inf, 1.0),
    "self_value": 1.0,
    "symmetric": False,
    "invariances": ("item_order", "orthogonal", "shift"),
}
"""What the property tests hold this metric to."""

SAME = 1e-13
"""A squared residual below this share of what it is left of is 0: differences of 3e-7 are what inputs of float32 cannot tell."""


def procrustes_similarity(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """1 minus the distance of the spaces after the best rotation of x onto y, divided by the length of y.

    ```
    s = 1 - sqrt(|X|^2 + |Y|^2 - 2 |X'Y|_*) / |Y|,   columns of mean 0, Frobenius norms
    ```
    |X'Y|_* is the sum of singular values; the root is min |X Q - Y| over orthogonal Q, the narrower side padded with zeros. At most 1,
    which is a space and its rotation or shift; negative where x is much longer than y. Not symmetric: **y normalises**. Scale counts: for a
    comparison of shape alone see `angular_shape`.

    Args:
        x: (n, d_x), finite.
        y: (n, d_y), row i the same item; its length is the unit.

    Raises:
        ShapeMismatch: different numbers of rows.
        TooFewItems: n < 2.
        ConstantFeatures: all rows of a side are equal.

    Cost:
        O(n d_x d_y) time.

    Source:
        Schönemann 1966; the similarity: Aristotelian (arXiv 2602.14486), package calibrated-similarity.
    """
    check_paired(x, y, "Procrustes similarity", 2)
    left, right = centred(x), centred(y)
    nuclear = np.linalg.svd(left.T @ right, compute_uv=False).sum()
    return float(similarity_of(nuclear, float(np.vdot(left, left)), float(np.vdot(right, right))))


def similarity_of(nuclear: NDArray[np.float64], square_x: float, square_y: float) -> NDArray[np.float64]:
    """`procrustes_similarity` from sums of singular values |X'Y|_* (any shape) and squared Frobenius norms of the centred sides."""
    whole = square_x + square_y
    residual = whole - 2.0 * np.asarray(nuclear, dtype=np.float64)
    residual = np.where(residual <= SAME * whole, 0.0, residual)
    similarity: NDArray[np.float64] = 1.0 - np.sqrt(residual / square_y)
    return similarity
