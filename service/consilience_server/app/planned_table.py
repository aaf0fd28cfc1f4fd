"""A neighbour table that is not there yet: its shape and size, for estimates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.neighbour_sets import NeighbourSets
from consilience_server.engine.neighbour_table import table_depth
from consilience_server.engine.protocol import Certificate


@dataclass(frozen=True)
class PlannedTable:
    """A `NeighbourTable` of the right shape whose arrays hold one value; without ties, which only a search can tell."""

    indices: NDArray[np.int32]
    scores: NDArray[np.float64]
    k_max: int
    gallery: int
    self_join: bool
    certificate: Certificate
    nbytes: int

    @staticmethod
    def of(queries: int, gallery: int, k_max: int) -> "PlannedTable":
        """The table of so many queries among so many items, for k up to `k_max`."""
        shape = (queries, table_depth(k_max, gallery - 1))
        indices, scores = np.broadcast_to(np.int32(0), shape), np.broadcast_to(np.float64(0), shape)
        # Beside the columns 13 bytes a row: where its tail begins, what lies beyond, and how it counts.
        nbytes = indices.nbytes + scores.nbytes + 13 * queries + 8
        return PlannedTable(indices, scores, k_max, gallery, queries == gallery, Certificate("", 0.0, 0, 0, 0, ""), nbytes)

    def sets(self, k: int) -> NeighbourSets:
        """Not there."""
        raise NotImplementedError(f"a planned table has no sets (k = {k})")
