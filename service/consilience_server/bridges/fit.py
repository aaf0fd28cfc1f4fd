"""Fitting one bridge on known pairs, for each closed-form method."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.artefact import BridgeMap, MethodName
from consilience_server.bridges.ridge_penalty import choose_penalty
from consilience_server.core.centring import centred, unit_mean
from consilience_server.core.control import Control
from consilience_server.core.errors import ConstantFeatures
from consilience_server.core.procrustes import procrustes
from consilience_server.core.ridge import ridge_path

NEEDED_PAIRS: dict[MethodName, int] = {"identity": 0, "mean_shift": 2, "procrustes": 10, "ridge": 10}
"""Pairs that a fit needs at the least. Learned maps begin to beat chance at tens of pairs; the number is a floor, not advice."""

EQUAL_WIDTHS: frozenset[MethodName] = frozenset({"identity", "mean_shift"})
"""Methods without a matrix of their own: only for spaces of one width."""


def fit_map(
    method: MethodName, x: NDArray[np.float32], y: NDArray[np.float32], penalties: Sequence[float], control: Control
) -> tuple[BridgeMap, float]:
    """Fit one method; returns the map and the ridge penalty it chose (0 for methods without).

    identity: nothing is fitted, raw directions are compared: W = I, both means 0. mean_shift: W = I between the centred sides.
    procrustes and ridge: `core/procrustes.py` and `core/ridge.py` on the centred rows c(x; mean_x), c(y; mean_y); ridge's penalty by
    `bridges/ridge_penalty.py`, then all pairs are fitted again.

    Args:
        method: which.
        x: (n, d_x) float32 source rows of the fit, not zero, in random order; n >= NEEDED_PAIRS[method].
        y: (n, d_y) float32 target rows, row i the partner of row i of x; d_y = d_x for EQUAL_WIDTHS.
        penalties: candidates for ridge, at least one.
        control: cancellation.

    Raises:
        ConstantFeatures: one direction for all rows of a side.
    """
    if method == "identity":
        width = x.shape[1]
        return BridgeMap(np.eye(width), np.zeros(width), np.zeros(width)), 0.0
    source_mean, target_mean = unit_mean(x), unit_mean(y)
    rows, targets = centred(x, source_mean), centred(y, target_mean)
    for side, directions in (("source", rows), ("target", targets)):
        if not directions.any():
            raise ConstantFeatures(
                f"all {len(x):,} pairs of the fit point the same way in the {side} space; nothing can be learned from them", field=side
            )
    if method == "mean_shift":
        return BridgeMap(np.eye(x.shape[1]), source_mean, target_mean), 0.0
    control.check()
    if method == "procrustes":
        return BridgeMap(procrustes(rows, targets), source_mean, target_mean), 0.0
    penalty = choose_penalty(rows, targets, penalties, control)
    control.check()
    return BridgeMap(ridge_path(rows, targets).weights(penalty), source_mean, target_mean), penalty
