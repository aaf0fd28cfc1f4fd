"""Reduced-rank ridge regression: the best map of a given rank, by one decomposition for all ranks."""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from consilience_server.core.ridge import RidgePath


@dataclass(frozen=True)
class RankPath:
    """All ranks of one ridge solution.

    Attributes:
        weights: (d_x, d_y) float64, the ridge solution.
        directions: (r, d_y) float64, orthonormal rows: directions of the target by how much of it the ridge fit explains.
    """

    weights: NDArray[np.float64]
    directions: NDArray[np.float64]

    def of_rank(self, rank: int) -> NDArray[np.float64]:
        """W V_r' V_r, (d_x, d_y) float64 of rank at most `rank`, 1 <= rank; the ridge solution itself from r on."""
        kept = self.directions[:rank]
        cut: NDArray[np.float64] = (self.weights @ kept.T) @ kept
        return cut


def rank_path(path: RidgePath, penalty: float) -> RankPath:
    """Decompose a ridge problem by rank.

    W_r minimises |X W - Y|^2 + penalty * scale * |W|^2 over all W of rank r: it is the ridge solution W projected on the leading right
    singular vectors of (X; sqrt(penalty * scale) I) W, whose Gram matrix is Y'X (X'X + penalty * scale * I)^-1 X'Y.

    Args:
        path: of `core/ridge.py`.
        penalty: in units of the mean eigenvalue, >= 0.

    Cost: a singular value decomposition of (rank of X, d_y).

    Source: Mukherjee and Zhu, "Reduced rank ridge regression and its kernel extensions", Stat. Anal. Data Min. 4 (2011); Izenman 1975.
    """
    half = path.projected / np.sqrt(path.eigenvalues + penalty * path.scale)[:, None]
    _, _, directions = scipy.linalg.svd(half, full_matrices=False, check_finite=False)
    return RankPath(path.weights(penalty), directions)
