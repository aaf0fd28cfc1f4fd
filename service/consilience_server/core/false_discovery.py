"""Q-values of many p-values: the expected share of false ones among what is called significant."""

import numpy as np
from numpy.typing import NDArray


def benjamini_hochberg(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The Benjamini-Hochberg adjusted p-values.

    ```
    q_(i) = min over j >= i of  m p_(j) / j,   p_(1) <= .. <= p_(m)
    ```
    Rejecting q <= alpha keeps the expected share of false rejections at alpha for independent p-values and for positively dependent ones
    (PRDS); scores that share a space are positively dependent in practice, which is assumed, not proven. Needs no shared pairings.

    Args:
        p_values: (m,) in (0, 1].

    Returns:
        (m,) float64, not below `p_values`, at most 1.

    Source:
        Benjamini and Hochberg 1995; Benjamini and Yekutieli 2001 for dependence.
    """
    m = len(p_values)
    order = np.argsort(p_values, kind="stable")
    # The factor first: it is at least 1, so that rounding takes no q-value below its p-value.
    steps = p_values[order] * (m / np.arange(1, m + 1))
    q_values = np.empty(m)
    q_values[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    return q_values
