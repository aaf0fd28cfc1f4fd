"""Which ridge penalty a fit gets: the one that finds partners best among pairs it did not see."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.centring import unit
from consilience_server.core.control import Control
from consilience_server.core.ridge import ridge_path

PENALTIES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Tried where the caller names none, in units of the mean eigenvalue: from nearly least squares to nearly the direction of X'Y."""

FOLDS = 5
_ENOUGH_QUERIES = 2000
_FOLD_QUERIES = 2000
_FOLD_GALLERY = 4000
_EQUAL = 1e-9
"""Differences below this share are rounding."""


def choose_penalty(x: NDArray[np.float64], y: NDArray[np.float64], penalties: Sequence[float], control: Control) -> float:
    """Cross-validation on retrieval: sources that a fit did not see look for their partners among all targets.

    The criterion is the mean reciprocal rank by cosine (it moves with every rank, where recall@k sees one threshold). Of penalties that it
    does not tell apart, as where every partner comes first, the one whose mapped sources lie nearest to their partners wins; then the
    largest. Fold f is every fifth row from f on; folds are evaluated until 2,000 queries have voted (all five below 2,500 pairs, one from
    10,000 on), each with at most 2,000 queries against 4,000 targets, the fold's own first: more would not move the choice, whose standard
    error is then near .01.

    Args:
        x: (n, d_x) float64, centred as for the fit, n >= 10, in random order.
        y: (n, d_y) float64, likewise.
        penalties: candidates, in units of the mean eigenvalue.
        control: cancellation.
    """
    if len(penalties) == 1:
        return penalties[0]
    gains, cosines = np.zeros(len(penalties)), np.zeros(len(penalties))
    asked = 0
    for fold in range(FOLDS):
        control.check()
        held = np.arange(fold, len(x), FOLDS)
        kept = np.setdiff1d(np.arange(len(x)), held, assume_unique=True)
        path = ridge_path(x[kept], y[kept])
        gallery = unit(y[np.concatenate((held, kept))[:_FOLD_GALLERY]])
        queries = x[held[:_FOLD_QUERIES]] @ path.basis
        for position, penalty in enumerate(penalties):
            control.check()
            mapped = unit((queries / (path.eigenvalues + penalty * path.scale)) @ path.projected)
            scores = mapped @ gallery.T
            own = np.diagonal(scores)
            gains[position] += (1.0 / (1 + (scores > own[:, None]).sum(axis=1))).sum()
            cosines[position] += own.sum()
        asked += len(queries)
        if asked >= _ENOUGH_QUERIES:
            break
    best = np.flatnonzero(gains >= gains.max() * (1 - _EQUAL))
    nearest = best[cosines[best] >= cosines[best].max() - _EQUAL * asked]
    return max(float(penalties[position]) for position in nearest)
