"""How a bridge applies: where source vectors land, and what the gallery must be to be searched with them.

c(x; m) = unit(unit(x) - m). A source vector lands on unit(c(x; source_mean) @ weights); the gallery that is searched is the centred copy
c(t; target_mean) of the target space, under cosine. A map with weights of the target's own takes both sides into a space of their own: the
gallery is then unit(c(t; target_mean) @ target_weights), and with correlations both get the coordinates of `core/csa.py`. Everything is
float64 in one fixed order (`core/centring.py`, `core/exact_product.py`) and rounded once to float32, so the same vector has the same bits
on every machine, alone or in a batch. "Exact" matches are exact relative to these float32 vectors.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.artefact import BridgeMap
from consilience_server.core.centring import centred, unit
from consilience_server.core.control import Control
from consilience_server.core.csa import csa_coordinates
from consilience_server.core.errors import ZeroVector
from consilience_server.core.exact_product import Slices, cut, exact_product

_BLOCK_ROWS = 1024
_SHOWN = 10


@dataclass(frozen=True)
class ReadyMap:
    """A map made ready to apply: its weights cut once, for any number of queries. `width` is that of the vectors that are compared."""

    weights: Slices
    source_mean: NDArray[np.float64]
    target_mean: NDArray[np.float64]
    width: int
    target_weights: Slices | None = None
    correlations: NDArray[np.float64] | None = None

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        cuts = sum(part.high.nbytes + part.low.nbytes for part in (self.weights, self.target_weights) if part is not None)
        return cuts + self.source_mean.nbytes + self.target_mean.nbytes


def make_ready(bridge: BridgeMap) -> ReadyMap:
    """Cut the weights; a map of 768 x 768 takes about 10 ms."""
    return ReadyMap(
        cut(bridge.weights, inner_axis=0),
        bridge.source_mean,
        bridge.target_mean,
        bridge.width,
        None if bridge.target_weights is None else cut(bridge.target_weights, inner_axis=0),
        bridge.correlations,
    )


def map_vectors(
    ready: ReadyMap, vectors: NDArray[np.float32], control: Control, ids: NDArray[np.object_] | None = None
) -> NDArray[np.float32]:
    """Where source vectors land in the space where both sides meet, (m, width) float32 of unit length.

    Args:
        ready: of the bridge.
        vectors: (m, d_source) float32, finite.
        control: cancellation and progress.
        ids: names of the rows, for the message.

    Raises:
        ZeroVector: rows that have no direction, before or after the map.
    """
    mapped = np.empty((len(vectors), ready.width), dtype=np.float32)
    for first in range(0, len(vectors), _BLOCK_ROWS):
        control.check()
        rows = slice(first, first + _BLOCK_ROWS)
        landed = _mapped(centred(vectors[rows], ready.source_mean), ready.weights)
        mapped[rows] = landed if ready.correlations is None else csa_coordinates(landed, ready.correlations, "source")
        control.progress(min(1.0, (first + _BLOCK_ROWS) / len(vectors)))
    _check_directions(mapped, ids, "have no direction in the bridge's target space")
    return mapped


def centre_gallery(
    ready: ReadyMap, vectors: NDArray[np.float32], control: Control, ids: NDArray[np.object_] | None = None
) -> NDArray[np.float32]:
    """The copy of the target space that mapped vectors are searched in, (n, width) float32 of unit length.

    Args, Raises: as `map_vectors`, of the target's side.
    """
    gallery = np.empty((len(vectors), ready.width), dtype=np.float32)
    for first in range(0, len(vectors), _BLOCK_ROWS):
        control.check()
        rows = slice(first, first + _BLOCK_ROWS)
        landed = centred(vectors[rows], ready.target_mean)
        if ready.target_weights is not None:
            landed = _mapped(landed, ready.target_weights)
        gallery[rows] = landed if ready.correlations is None else csa_coordinates(landed, ready.correlations, "target")
        control.progress(min(1.0, (first + _BLOCK_ROWS) / len(vectors)))
    _check_directions(gallery, ids, "have no direction once the bridge's target mean is subtracted")
    return gallery


def _mapped(directions: NDArray[np.float64], weights: Slices) -> NDArray[np.float64]:
    return unit(exact_product(cut(directions, inner_axis=1), weights))


def _check_directions(rows: NDArray[np.float32], ids: NDArray[np.object_] | None, what: str) -> None:
    lost = np.flatnonzero(~rows.any(axis=1))
    if len(lost):
        shown = ", ".join(str(row) if ids is None else repr(ids[row]) for row in lost[:_SHOWN])
        kind = "rows" if ids is None else "items"
        raise ZeroVector(f"{len(lost):,} {kind} {what}: {shown}; drop or repair them", field="vectors", rows=lost[:_SHOWN].tolist())
