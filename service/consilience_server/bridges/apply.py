"""How a bridge applies: where source vectors land, and what the gallery must be to be searched with them.

c(x; m) = unit(unit(x) - m). Through a closed form a source vector lands on unit(c(x; source_mean) @ weights); the gallery that is searched
is the centred copy c(t; target_mean) of the target space, under cosine. A map with weights of the target's own takes both sides into a
space of their own: the gallery is then unit(c(t; target_mean) @ target_weights), and with correlations both get the coordinates of
`core/csa.py`. In general: the steps of either side (`bridges/steps.py`). Everything is float64 in one fixed order and rounded once to
float32, so the same vector has the same bits on every machine, alone or in a batch. "Exact" matches are exact relative to these float32
vectors.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.space_map import SpaceMap
from consilience_server.bridges.steps import Rows
from consilience_server.core.centring import uncentred, unit
from consilience_server.core.control import Control
from consilience_server.core.errors import ZeroVector

_BLOCK_ROWS = 1024
_SHOWN = 10


class ReadyMap(Protocol):
    """A map made ready to apply, for any number of queries and from any number of threads.

    Attributes:
        source_dim, target_dim: widths of the two spaces.
        width: of the vectors that are compared.
    """

    @property
    def source_dim(self) -> int: ...  # noqa: D102  # told above

    @property
    def target_dim(self) -> int: ...  # noqa: D102  # told above

    @property
    def width(self) -> int: ...  # noqa: D102  # told above

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        ...

    def map_block(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Where source rows land, (m, width); zero rows where there is no direction. Rows do not depend on one another."""
        ...

    def centre_block(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Where gallery rows lie, likewise."""
        ...


@dataclass(frozen=True)
class StepwiseMap:
    """`ReadyMap` of steps in float64, each side's prepared once."""

    source_dim: int
    target_dim: int
    width: int
    nbytes: int
    source: Sequence[Callable[[Rows], Rows]]
    target: Sequence[Callable[[Rows], Rows]]

    def map_block(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """All steps, rounded once."""
        return _through(self.source, rows)

    def centre_block(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Likewise."""
        return _through(self.target, rows)


def _through(steps: Sequence[Callable[[Rows], Rows]], rows: NDArray[np.float32]) -> NDArray[np.float32]:
    reached = rows.astype(np.float64)
    for step in steps:
        reached = step(reached)
    return reached.astype(np.float32)


def make_ready(bridge: SpaceMap) -> StepwiseMap:
    """Prepare both sides; a map of 768 x 768 takes about 10 ms."""
    source, target = ([step.ready() for step in bridge.steps(side)] for side in ("source", "target"))
    # Weights are held in two slices.
    return StepwiseMap(len(bridge.source_mean), len(bridge.target_mean), bridge.width, 2 * bridge.nbytes, source, target)


class BridgeRuntime(Protocol):
    """What applies bridges.

    Attributes:
        name: tells apart what was derived by different ones, whose vectors may differ in the last bit.
    """

    name: str

    def ready(self, bridge: SpaceMap) -> ReadyMap:
        """A map made ready."""
        ...


class NumpyBridges:
    """`BridgeRuntime` of this module: the same bits on every machine, alone or in a batch."""

    name = "numpy"

    def ready(self, bridge: SpaceMap) -> ReadyMap:
        """`make_ready`."""
        return make_ready(bridge)


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
        mapped[rows] = ready.map_block(vectors[rows])
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
        gallery[rows] = ready.centre_block(vectors[rows])
        control.progress(min(1.0, (first + _BLOCK_ROWS) / len(vectors)))
    _check_directions(gallery, ids, "have no direction once the bridge's target mean is subtracted")
    return gallery


def stand_in_target(mapped: NDArray[np.float32], target_mean: NDArray[np.float64]) -> NDArray[np.float32]:
    """Where mapped vectors stand in the target space itself, (m, d) float32 of unit length: `Centre(target_mean)` takes them back.

    Args:
        mapped: (m, d) float32 of unit length, in the centred target space.
        target_mean: (d,) float64, what was subtracted there.
    """
    return uncentred(unit(mapped), target_mean).astype(np.float32)


def _check_directions(rows: NDArray[np.float32], ids: NDArray[np.object_] | None, what: str) -> None:
    lost = np.flatnonzero(~rows.any(axis=1))
    if len(lost):
        shown = ", ".join(str(row) if ids is None else repr(ids[row]) for row in lost[:_SHOWN])
        kind = "rows" if ids is None else "items"
        raise ZeroVector(f"{len(lost):,} {kind} {what}: {shown}; drop or repair them", field="vectors", rows=lost[:_SHOWN].tolist())
