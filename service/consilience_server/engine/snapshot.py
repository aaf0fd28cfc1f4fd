"""What computations run on: the vectors of one version of a space, in memory and immutable."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.similarity import Similarity


@dataclass(frozen=True)
class Snapshot:
    """One version of a space in memory; arrays are read-only.

    Attributes:
        name: `spaces/{space}`, or a label for arrays that were never stored.
        uid: random id of the space; decides the tie hash together with the item ids.
        version: the version held.
        similarity: how nearness is measured.
        ids: (n,) object array of str, ascending in byte order (row i is the i-th id); for arrays the decimal row numbers as given.
        vectors: (n, d) float32, C-contiguous, raw as stored; of a kernel space the (n, n) matrix, columns in the order of the rows.
        kernel: what the entries of a kernel space are, None where the rows are vectors. Then `similarity` says nothing.
        repeats: (n, R, n) float32, the rows of each of R repeats of a kernel, NaN where one lacks an entry; `vectors` is their mean. None
            where the matrix is given once.
    """

    name: str
    uid: str
    version: int
    similarity: Similarity
    ids: NDArray[np.object_]
    vectors: NDArray[np.float32]
    kernel: KernelKind | None = None
    repeats: NDArray[np.float32] | None = None

    @property
    def stored(self) -> NDArray[np.float32]:
        """The rows as they were uploaded: the vectors, or (n, R n) those of all repeats one after the other."""
        return self.vectors if self.repeats is None else self.repeats.reshape(self.n, -1)

    @property
    def n(self) -> int:
        """Number of items."""
        return int(self.vectors.shape[0])

    @property
    def dim(self) -> int:
        """Columns of a row: the width of the vectors, or the number of items."""
        return int(self.vectors.shape[1])

    @property
    def nbytes(self) -> int:
        """Bytes held: the vectors and a fair estimate of the ids."""
        return int(self.vectors.nbytes) + (0 if self.repeats is None else int(self.repeats.nbytes)) + 72 * len(self.ids)
