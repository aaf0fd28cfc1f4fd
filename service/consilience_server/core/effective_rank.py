"""How many directions a space uses: effective rank and participation ratio of its spectrum."""

import math

import numpy as np
from numpy.typing import NDArray


def effective_rank(strengths: NDArray[np.float64]) -> float:
    """exp(H(p)), p_i = sigma_i / sum sigma, H the entropy in nats: from 1 (one direction) to their number (all equally strong).

    Args:
        strengths: (r,) singular values of the centred features, r >= 1, not all 0.

    Source:
        Roy and Vetterli 2007 ("The effective rank", EUSIPCO), definition 1; here of the centred features, so that a common shift is no
        direction.
    """
    shares = strengths[strengths > 0.0] / strengths.sum()
    return math.exp(-float((shares * np.log(shares)).sum()))


def participation_ratio(strengths: NDArray[np.float64]) -> float:
    """(sum lambda)^2 / sum lambda^2, lambda = sigma^2 the variances: from 1 to their number, with less weight on weak directions.

    Source:
        Gao et al. 2017 ("A theory of multineuronal dimensionality", bioRxiv 214262).
    """
    variances = (strengths / strengths.max()) ** 2
    return float(variances.sum() ** 2 / (variances**2).sum())
