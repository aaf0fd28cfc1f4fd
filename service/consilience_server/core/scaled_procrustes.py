"""Orthogonal Procrustes with one gain a dimension: a rotation, then a stretch along the target's axes."""

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.procrustes import procrustes


def scaled_procrustes(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """W = Q diag(g): Q by `core/procrustes.py`, and each gain by least squares on its own, given Q.

    g_j = <(X Q)_j, y_j> / |(X Q)_j|^2, which minimises |g_j (X Q)_j - y_j|^2; 0 where the rotated column is zero. One gain for all
    dimensions (tr(S) / |X|^2) would not change a cosine, so only their ratios matter here.

    Args:
        x: (n, d_x) float64, row i the partner of row i of y.
        y: (n, d_y) float64.

    Returns:
        (d_x, d_y) float64. Cost: that of Procrustes and n d_x d_y.

    Source: Schönemann and Carroll, Psychometrika 35 (1970), for one scale; the gains by column are the diagonal least squares problem.
    """
    rotation = procrustes(x, y)
    rotated = x @ rotation
    energy = (rotated * rotated).sum(axis=0)
    gains = np.divide((rotated * y).sum(axis=0), energy, out=np.zeros(y.shape[1]), where=energy > 0)
    weights: NDArray[np.float64] = rotation * gains
    return weights
