"""Inverted softmax: the share that a query has in everything that a bank of queries sends to a target.

With the inverse temperature b, P(q | t) = exp(b s(q, t)) / sum over q' of the bank of exp(b s(q', t)). A hub, near to every query, gives
each a small share. What is answered is its logarithm,

    score(q, t) = b s(q, t) - log sum_q' exp(b s(q', t)),

which never underflows; `exp(score)` is the share, above 1 only for a query that is not in the bank. The logarithm of the sum belongs to the
target alone, so the ranking is that of s(q, t) - L(t) / b.

It is defined for cosine only: b is a temperature in units of the similarity, and without a common scale no b is right for two spaces.

Source: Smith, Turban, Hamblin and Hammerla, "Offline bilingual word vectors, orthogonal transformations and the inverted softmax", ICLR
2017, arXiv 1702.03859, equation 10; b = 30 is common since MUSE (arXiv 1710.04087).
"""

import numpy as np
from numpy.typing import NDArray

DEFAULT_BETA = 30.0
MOST_BETA = 1e6
"""Beyond it the share is that of the nearest query of the bank alone."""


def log_sum_exp(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log of the sum of exp(values[i, j]) over each row, (n,) float64, the largest taken out first.

    A row needs one finite entry; others may be -inf.
    """
    largest = values.max(axis=1)
    total: NDArray[np.float64] = largest + np.log(np.exp(values - largest[:, None]).sum(axis=1))
    return total


def inverted_softmax(similarities: NDArray[np.float64], beta: float) -> NDArray[np.float64]:
    """The definition on a full matrix, the referee of the fast path: (m, n) float64, the logarithm of the share.

    Args:
        similarities: (m, n) float64 of the whole bank (m sources) with the whole gallery (n targets).
        beta: inverse temperature, above 0.
    """
    scores: NDArray[np.float64] = beta * similarities - log_sum_exp(beta * similarities.T)[None, :]
    return scores
