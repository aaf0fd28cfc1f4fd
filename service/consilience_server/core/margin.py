"""Margins: how much nearer a target is than the neighbourhoods of both sides are on average.

With r_T(q) and r_S(t) of `core/csls.py` and the mean m(q, t) = (r_T(q) + r_S(t)) / 2:

    distance(q, t) = s(q, t) - m(q, t)
    ratio(q, t)    = s(q, t) / max(m(q, t), RATIO_FLOOR)

The distance is half of CSLS and ranks as it does. The ratio is meant for similarities of which neighbours have positive ones; where the
mean is zero or below, the quotient would turn its sign and rank the farthest first, so the mean is clamped at `RATIO_FLOOR`. It is defined
for cosine only: of a negative squared distance, a larger quotient means farther.

Source: Artetxe and Schwenk, "Margin-based parallel corpus mining with multilingual sentence embeddings", ACL 2019, arXiv 1811.01136,
section 3; k = 4 there.
"""

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.csls import neighbourhood_mean

RATIO_FLOOR = 1e-6
"""The least mean that a ratio divides by."""


def ratio(similarities: NDArray[np.float64], r_target: NDArray[np.float64], r_source: NDArray[np.float64]) -> NDArray[np.float64]:
    """The quotient s / max((r_T + r_S) / 2, RATIO_FLOOR), elementwise float64; the three broadcast against each other."""
    quotient: NDArray[np.float64] = similarities / np.maximum((r_target + r_source) / 2.0, RATIO_FLOOR)
    return quotient


def margin_ratio(similarities: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """The definition on a full matrix, the referee of the fast path: (m, n) float64.

    Args:
        similarities: (m, n) float64 of the whole bank (m sources) with the whole gallery (n targets).
        k: 1 <= k <= min(m, n).
    """
    r_target, r_source = _neighbourhoods(similarities, k)
    return ratio(similarities, r_target[:, None], r_source[None, :])


def margin_distance(similarities: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """As `margin_ratio`, of the distance."""
    r_target, r_source = _neighbourhoods(similarities, k)
    distance: NDArray[np.float64] = similarities - (r_target[:, None] + r_source[None, :]) / 2.0
    return distance


def _neighbourhoods(similarities: NDArray[np.float64], k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return (
        neighbourhood_mean(-np.sort(-similarities, axis=1), k),
        neighbourhood_mean(-np.sort(-similarities.T, axis=1), k),
    )
