"""The angular shape metric: the angle between two spaces after the best rotation, as a similarity. The definition, plainly."""

import math

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.column_space import centred
from consilience_server.core.paired_features import check_paired
from consilience_server.core.procrustes_similarity import SAME

PROPERTIES = {
    "range": (0.0, 1.0),
    "self_value": 1.0,
    "symmetric": True,
    "invariances": ("item_order", "orthogonal", "positive_scale", "shift"),
}
"""What the property tests hold this metric to."""


def angular_shape(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """1 - 2 theta / pi, theta the `angle` of the two spaces: 1 for the same shape, 0 for orthogonal ones.

    Linear in the angle, so 1 - s is the angle in right angles: a true metric, whose triangle inequality makes a map or a dendrogram of many
    spaces from 1 - s meaningful (the cosine of the angle would not have it). The angle itself is (1 - s) pi / 2.

    Arguments, errors and cost as `angle`.
    """
    return 1.0 - angle(x, y) / (math.pi / 2.0)


def angle(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """The angle between two spaces, in [0, pi/2], after the best rotation of one onto the other; smaller is more alike.

    ```
    theta = arccos( |X'Y|_* / (|X| |Y|) ),   columns of mean 0, Frobenius norms
    ```
    |X'Y|_* is the sum of singular values; the narrower side is padded with zeros. A metric: symmetric, 0 only for spaces equal up to
    rotation, scale and shift, and theta(A, C) <= theta(A, B) + theta(B, C). Angles below
    4.5e-7, which inputs of float32 cannot tell, are 0.

    Args:
        x: (n, d_x), finite.
        y: (n, d_y), row i the same item.

    Raises:
        ShapeMismatch: different numbers of rows.
        TooFewItems: n < 2.
        ConstantFeatures: all rows of a side are equal.

    Cost:
        O(n d_x d_y) time.

    Source:
        Williams et al. 2021 (arXiv 2110.14739), equation 3; netrep `LinearMetric(alpha=1, center_columns=True, score_method="angular")`.
    """
    check_paired(x, y, "the angular shape metric", 2)
    left, right = centred(x), centred(y)
    nuclear = np.linalg.svd(left.T @ right, compute_uv=False).sum()
    return float(np.arccos(cosine_of(nuclear, float(np.vdot(left, left)), float(np.vdot(right, right)))))


def cosine_of(nuclear: NDArray[np.float64], square_x: float, square_y: float) -> NDArray[np.float64]:
    """The cosine of the angle from sums |X'Y|_* (any shape) and squared norms of the centred sides; 1 where rounding hides more."""
    cosine = np.asarray(nuclear, dtype=np.float64) / (math.sqrt(square_x) * math.sqrt(square_y))
    return np.where(cosine >= 1.0 - SAME, 1.0, cosine)


def similarity_of(nuclear: NDArray[np.float64], square_x: float, square_y: float) -> NDArray[np.float64]:
    """`angular_shape` from the same."""
    similarity: NDArray[np.float64] = 1.0 - np.arccos(cosine_of(nuclear, square_x, square_y)) / (math.pi / 2.0)
    return similarity
