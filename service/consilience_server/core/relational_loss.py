"""Cosine to the own partner, and cosines among the rows as they are among their partners.

    loss = mean_i (1 - cos(x_i, y_i)) + weight * mean_ij (cos(x_i, x_j) - cos(y_i, y_j))^2

The first term places each mapped row at its partner, the second keeps the geometry of the batch (distance-wise distillation of relations:
Park et al., "Relational knowledge distillation", CVPR 2019, section 3.2, here of cosines and squared).
"""

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.centring import unit


def cosine_relational_loss(x: NDArray[np.float64], y: NDArray[np.float64], weight: float) -> float:
    """The loss above, from 0 on; smaller is better.

    Args:
        x: (n, d) float64 mapped rows, n >= 1; a zero row has the cosine 0 with all.
        y: (n, d) float64, row i the partner of row i of x.
        weight: of the second term, from 0 on; all i and j count in its mean, i = j too.
    """
    mapped, partners = unit(x), unit(y)
    own = float((1.0 - (mapped * partners).sum(axis=1)).mean())
    return own + weight * float(((mapped @ mapped.T - partners @ partners.T) ** 2).mean())
