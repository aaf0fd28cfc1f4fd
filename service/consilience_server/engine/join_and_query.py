"""Two engines as one: the first joins whole spaces, the second answers queries against a gallery."""

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.similarity import Similarity
from consilience_server.engine.protocol import NeighbourEngine, NeighbourTable


class JoinAndQuery:
    """The `NeighbourEngine` of a GPU: what is fastest for a million items at once is not what a few queries want.

    Both give the same answers to the bit, so which of them did is told by the table's certificate alone.

    Args:
        join: finds the neighbours of whole spaces.
        query: finds those of queries.
    """

    def __init__(self, join: NeighbourEngine, query: NeighbourEngine) -> None:
        self._join = join
        self._query = query

    @property
    def backend(self) -> str:
        """Both names."""
        return f"{self._join.backend}+{self._query.backend}"

    @property
    def device(self) -> str:
        """Where the spaces are joined."""
        return self._join.device

    def self_join(
        self,
        vectors: NDArray[np.float32],
        similarity: Similarity,
        k_max: int,
        *,
        tie_keys: NDArray[np.uint64],
        control: Control,
    ) -> NeighbourTable:
        """As in `NeighbourEngine`."""
        return self._join.self_join(vectors, similarity, k_max, tie_keys=tie_keys, control=control)

    def query(
        self,
        queries: NDArray[np.float32],
        gallery: NDArray[np.float32],
        similarity: Similarity,
        k_max: int,
        *,
        exclude: NDArray[np.int64] | None = None,
        bias: NDArray[np.float64] | None = None,
        tie_keys: NDArray[np.uint64] | None = None,
        control: Control,
    ) -> NeighbourTable:
        """As in `NeighbourEngine`."""
        return self._query.query(queries, gallery, similarity, k_max, exclude=exclude, bias=bias, tie_keys=tie_keys, control=control)

    def self_join_bytes(self, n: int, d: int, k_max: int) -> int:
        """As in `NeighbourEngine`."""
        return self._join.self_join_bytes(n, d, k_max)

    def query_bytes(self, m: int, n: int, d: int, k_max: int) -> int:
        """As in `NeighbourEngine`."""
        return self._query.query_bytes(m, n, d, k_max)
