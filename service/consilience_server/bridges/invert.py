"""The way back through a map, where there is one."""

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.chain import ChainMap
from consilience_server.bridges.closed_form import BridgeMap
from consilience_server.bridges.space_map import SpaceMap
from consilience_server.core.errors import DimensionMismatch, InvalidArgument

MOST_CONDITION = 1e4
"""Largest condition number that is inverted: float32 vectors are known to 6e-8, so what comes back is right to 6e-4 at the worst."""

_ORTHONORMAL = 1e-9


def invert(bridge: SpaceMap) -> SpaceMap:
    """The map that takes what `bridge` made of a source vector back to where that vector lies in the centred source space.

    A matrix W (d_source, d_target) is inverted by its pseudo-inverse, which is W' where its rows are orthonormal (identity, mean shift,
    Procrustes); the means change sides. As W^+ W = I needs d_source <= d_target, a map into fewer dimensions has no way back. Where both
    sides meet in a space of their own, they change places, and every cosine stays what it was. A chain is inverted part by part, from the
    last on.

    Raises:
        DimensionMismatch: it leads into fewer dimensions.
        InvalidArgument: an ill-conditioned matrix, a map of another kind, or a chain whose last part leads into a space of its own.
    """
    if isinstance(bridge, ChainMap):
        if not bridge.leads_into_target:
            raise InvalidArgument(
                "the last of its parts maps both sides into a space of their own, so there is no way back; invert the parts",
                field="bridge",
            )
        return ChainMap(tuple(invert(part) for part in reversed(bridge.parts)))
    if not isinstance(bridge, BridgeMap):
        raise InvalidArgument("its map is not linear, so it has no inverse; fit a bridge for the other direction", field="bridge")
    if bridge.target_weights is not None:
        return BridgeMap(bridge.target_weights, bridge.target_mean, bridge.source_mean, bridge.weights, bridge.correlations)
    return BridgeMap(_way_back(bridge.weights), bridge.target_mean, bridge.source_mean)


def _way_back(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    source_dim, target_dim = weights.shape
    if source_dim > target_dim:
        raise DimensionMismatch(
            f"it leads from {source_dim} dimensions into {target_dim}, so {source_dim - target_dim} are lost and cannot be brought back; "
            "fit a bridge for the other direction",
            field="bridge",
            source_dim=source_dim,
            target_dim=target_dim,
        )
    if np.abs(weights @ weights.T - np.eye(source_dim)).max() < _ORTHONORMAL:
        return np.ascontiguousarray(weights.T)
    left, values, right = np.linalg.svd(weights, full_matrices=False)
    condition = float("inf") if values[-1] == 0 else float(values[0] / values[-1])
    if not condition <= MOST_CONDITION:
        raise InvalidArgument(
            f"its matrix has the condition number {condition:.3g}; above {MOST_CONDITION:g} what is brought back is rounding: fit a bridge "
            "for the other direction",
            field="bridge",
            condition=condition,
        )
    back: NDArray[np.float64] = (right.T / values) @ left.T
    return back
