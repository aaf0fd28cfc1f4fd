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


def choose_penalty(x: NDArray[np.float64], y: NDArray[np.float64], penalties: Sequence[float], control: Control) -> float:
    """Cross-validation on retrieval: each fold's sources look for their partners among the fold's targets.

    The criterion is the mean reciprocal rank by cosine (it moves with every rank, where recall@k sees one threshold); of equal values the
    largest penalty wins. Fold f is every fifth row from f on; folds are evaluated until 2,000 queries have voted (all five below 2,500
    pairs, one from 10,000 on), each with at most 2,000 queries against 4,000 targets: more would not move the choice, whose standard error
    is then near .01.

    Args:
        x: (n, d_x) float64, centred as for the fit, n >= 10, in random order.
        y: (n, d_y) float64, likewise.
        penalties: candidates, in units of the mean eigenvalue.
        control: cancellation.
    """
    if len(penalties) == 1:
        return penalties[0]
    gains = np.zeros(len(penalties))
    asked = 0
    for fold in range(FOLDS):
        control.check()
        held = np.arange(fold, len(x), FOLDS)
        kept = np.ones(len(x), dtype=np.bool_)
        kept[held] = False
        path = ridge_path(x[kept], y[kept])
        gallery = unit(y[held[:_FOLD_GALLERY]])
        queries = x[held[:_FOLD_QUERIES]] @ path.basis
        for position, penalty in enumerate(penalties):
            control.check()
            mapped = unit((queries / (path.eigenvalues + penalty * path.scale)) @ path.projected)
            gains[position] += _reciprocal_ranks(mapped, gallery)
        asked += len(queries)
        if asked >= _ENOUGH_QUERIES:
            break
    best = gains.max()
    return max(penalty for penalty, gain in zip(penalties, gains, strict=True) if gain >= best * (1 - 1e-12))


def _reciprocal_ranks(mapped: NDArray[np.float64], gallery: NDArray[np.float64]) -> float:
    """Sum over queries i of 1 / the place of gallery row i."""
    scores = mapped @ gallery.T
    own = np.diagonal(scores)
    return float((1.0 / (1 + (scores > own[:, None]).sum(axis=1))).sum())
