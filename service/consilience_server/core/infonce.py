"""InfoNCE: how well partners are told from the other rows of a batch, and what that says of their mutual information.

With unit rows x_i, y_i, temperature t and s_ij = <x_i, y_j> / t, over a batch of N pairs,

    loss = -(1 / 2N) sum_i [ log exp(s_ii) / sum_j exp(s_ij)  +  log exp(s_ii) / sum_j exp(s_ji) ]

For pairs drawn independently, that x, y and t were not fitted on, log N - loss is in expectation at most the mutual information of the two
sides, in nats, whatever the scores; and it is never above log N, so N pairs cannot show more than log N nats.

Sources: van den Oord, Li and Vinyals, "Representation learning with contrastive predictive coding" (2018), eq. 4 and appendix A.1; Poole et
al., "On variational bounds of mutual information" (ICML 2019), eq. 12; both directions: Radford et al. (ICML 2021), figure 3.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from consilience_server.core.centring import unit


def infonce_terms(x: NDArray[np.float64], y: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Of each pair, log N plus the mean of its two log-probabilities, (N,) float64, each at most log N; their mean is log N - loss.

    Args:
        x: (N, d) float64, N >= 1; rows are brought to unit length, a zero row has the score 0 with all.
        y: (N, d) float64, row i the partner of row i of x, likewise.
        temperature: above 0.

    Cost: N^2 d, and N^2 numbers held.
    """
    scores = unit(x) @ unit(y).T / temperature
    own = np.diagonal(scores)
    there, back = own - logsumexp(scores, axis=1), own - logsumexp(scores, axis=0)
    terms: NDArray[np.float64] = math.log(len(x)) + (there + back) / 2.0
    return terms


def infonce_loss(x: NDArray[np.float64], y: NDArray[np.float64], temperature: float) -> float:
    """The loss above, in nats, from 0 on; smaller is better. Args: as `infonce_terms`."""
    return math.log(len(x)) - float(infonce_terms(x, y, temperature).mean())
