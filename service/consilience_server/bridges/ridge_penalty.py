"""Which ridge penalty a fit gets: the one that finds partners best among pairs it did not see."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.cross_validation import Groups, Scores, best_options
from consilience_server.core.centring import unit
from consilience_server.core.control import Control
from consilience_server.core.ridge import ridge_path

PENALTIES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Tried where the caller names none, in units of the mean eigenvalue: from nearly least squares to nearly the direction of X'Y."""


def choose_penalty(
    x: NDArray[np.float64], y: NDArray[np.float64], penalties: Sequence[float], control: Control, groups: Groups = None
) -> float:
    """Cross-validation on retrieval (`bridges/cross_validation.py`); of penalties that nothing tells apart, the largest.

    Args:
        x: (n, d_x) float64, centred as for the fit, n >= 10, in random order.
        y: (n, d_y) float64, likewise.
        penalties: candidates, in units of the mean eigenvalue.
        control: cancellation.
        groups: (n,) of pairs that no fold may tear apart, or None.
    """
    if len(penalties) == 1:
        return penalties[0]

    def fit(kept_x: NDArray[np.float64], kept_y: NDArray[np.float64]) -> Scores:
        path = ridge_path(kept_x, kept_y)

        def scores(queries: NDArray[np.float64], gallery: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
            projected = queries @ path.basis
            for penalty in penalties:
                yield unit((projected / (path.eigenvalues + penalty * path.scale)) @ path.projected) @ gallery.T

        return scores

    return max(float(penalties[position]) for position in best_options(x, y, len(penalties), fit, control, groups))
