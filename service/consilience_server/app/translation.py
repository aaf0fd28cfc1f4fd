"""Translation: vectors of a bridge's source space as vectors of its target space, batch by batch."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.bridge_spaces import ANY_BRIDGE, ExpectedBridge, check_expected, check_side_width
from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.derived_vectors import DerivedVectors
from consilience_server.app.validation import check_vectors
from consilience_server.bridges.apply import ReadyMap, centre_gallery, map_vectors, stand_in_target
from consilience_server.bridges.artefact import BridgeArtefact
from consilience_server.core.errors import InvalidArgument
from consilience_server.core.similarity import Similarity

SideName = Literal["source", "target"]


class Translation:
    """Opens bridges for translation.

    Args:
        derived: bridges and their maps, kept within the memory budget.
        pool: where batches are mapped.
    """

    def __init__(self, derived: DerivedVectors, pool: ComputePool) -> None:
        self._derived = derived
        self._pool = pool

    async def open(
        self, call: Call, bridge: str, side: SideName, expected: ExpectedBridge = ANY_BRIDGE, *, uncentred: bool = False
    ) -> "OpenTranslation":
        """A bridge made ready. Its spaces are not read: they may have moved on, or be gone.

        Args:
            call: pays for reading the bridge.
            bridge: its bare id.
            side: whose vectors will come.
            expected: what the bridge must be.
            uncentred: source vectors are answered where they stand in the target space, not where a match compares them.

        Raises:
            BridgeNotFound: no such bridge.
            VersionExpired, WrongSpace: another one than expected.
            InvalidArgument: a bridge whose sides meet in a space of their own, whose vectors are none of the target space; target vectors
                uncentred, which they are already.
            MemoryBudget, Overloaded.
        """
        if uncentred and side == "target":
            raise InvalidArgument(
                "target vectors that are not centred are the very vectors given; leave uncentred out, or keep them as they are",
                field="uncentred",
            )
        artefact = await self._derived.bridge(call, bridge)
        check_expected(artefact, expected)
        if not artefact.leads_into_target:
            raise InvalidArgument(
                f"bridge {bridge!r} was fitted by {artefact.method}, which maps both sides into a space of their own, so its vectors are "
                f"none of {artefact.target_name!r}; match through it, or fit a method that leads into the target, say ridge or procrustes",
                field="bridge",
                method=artefact.method,
            )
        return OpenTranslation(artefact, await self._derived.ready_map(call, artefact), side, self._pool, uncentred)


@dataclass
class OpenTranslation:
    """One stream of batches through one bridge; holds no more than the batch that it works on."""

    artefact: BridgeArtefact
    ready: ReadyMap
    side: SideName
    pool: ComputePool
    uncentred: bool = False
    rows: int = 0

    async def translate(self, call: Call, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The next batch: (m, d) float32 to (m, width) float32 of unit length.

        They are the bits that a match would search with, or, uncentred, where these stand in the target space.

        Raises:
            DimensionMismatch: not the width of the side's space.
            NotFinite, ZeroVector: rows, counted through the stream.
            MemoryBudget, Overloaded.
        """
        source = self.side == "source"
        check_side_width(self.artefact, self.side, vectors.shape[1])
        first, self.rows = self.rows, self.rows + len(vectors)

        def compute() -> NDArray[np.float32]:
            check_vectors(vectors, Similarity.COSINE, field="vectors", first_row=first)
            apply = map_vectors if source else centre_gallery
            reached = apply(self.ready, vectors, call.control.silent(), np.arange(first, first + len(vectors)).astype(object))
            return stand_in_target(reached, self.artefact.map.target_mean) if self.uncentred else reached

        return await self.pool.run(
            call, "load", compute, nbytes=(36 if self.uncentred else 4) * len(vectors) * self.ready.width + _SCRATCH_BYTES
        )


_SCRATCH_BYTES = 32 << 20
"""Blocks of rows in float64 and their slices."""
