"""The k-neighbour sets of all items of a space, with the weights that the tie rule gives."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class NeighbourSets:
    """For each query its k nearest gallery items as a weighted set, in CSR form.

    Row i is `indices[indptr[i]:indptr[i + 1]]`, ascending, without the query itself. An item strictly above the k-th score weighs 1;
    an item tied at the k-th place weighs (k - n_above) / n_tied: its chance to be in the list under independent random tie-breaking.
    Weights of a row sum to k. Without ties every row has k items of weight 1.

    Attributes:
        indptr: (n + 1,) int64.
        indices: (m,) int32, positions in the gallery.
        weights: (m,) float64 in (0, 1].
        k: the k of the lists.
        gallery: number of gallery items, the query itself included.
        tied: (n,) bool, whether the k-th place of the row is shared by more items than fit.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    weights: NDArray[np.float64]
    k: int
    gallery: int
    tied: NDArray[np.bool_]

    @property
    def n(self) -> int:
        """Number of queries."""
        return len(self.indptr) - 1

    @property
    def tie_fraction(self) -> float:
        """Share of rows whose k-th place is tied, in [0, 1]."""
        return float(self.tied.mean()) if self.n else 0.0
