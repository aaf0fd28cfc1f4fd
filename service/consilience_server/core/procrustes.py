"""The orthogonal map between two spaces that fits known pairs best."""

import numpy as np
import scipy.linalg
from numpy.typing import NDArray


def procrustes(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The semi-orthogonal W that maximises tr(W' X'Y); of equal widths, that minimises |X W - Y| over orthogonal W.

    W = U V' from the thin singular value decomposition U S V' of X'Y. W W' = I where d_x <= d_y (lengths and angles of x are kept), W' W =
    I where d_x >= d_y. Where X'Y has a rank below min(d_x, d_y) (fewer pairs than dimensions), the pairs do not decide the rest of W.

    Args:
        x: (n, d_x) float64, row i the partner of row i of y.
        y: (n, d_y) float64.

    Returns:
        (d_x, d_y) float64. Cost: n d_x d_y + d_x d_y min(d_x, d_y).

    Source: Schönemann, "A generalized solution of the orthogonal Procrustes problem", Psychometrika 31 (1966).
    """
    left, _, right = scipy.linalg.svd(x.T @ y, full_matrices=False, check_finite=False)
    weights: NDArray[np.float64] = left @ right
    return weights
