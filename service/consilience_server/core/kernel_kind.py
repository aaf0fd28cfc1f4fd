"""What the entries of a kernel space's matrix are, and how they become nearness and a kernel."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class KernelKind(StrEnum):
    """The declared meaning of a symmetric (n, n) matrix over items.

    SIMILARITY: larger is nearer; the matrix is a kernel K as it stands.
    DISSIMILARITY: smaller is nearer, zero on the diagonal; nothing more is known (correlation distance, human judgements). Taken for the
        squared distance of some embedding wherever a kernel is needed.
    EUCLIDEAN: distances |x_i - x_j| of points.
    SQUARED_EUCLIDEAN: their squares.
    """

    SIMILARITY = "similarity"
    DISSIMILARITY = "dissimilarity"
    EUCLIDEAN = "euclidean"
    SQUARED_EUCLIDEAN = "squared_euclidean"

    @property
    def is_dissimilarity(self) -> bool:
        """Whether smaller is nearer."""
        return self is not KernelKind.SIMILARITY

    @property
    def nearness_rule(self) -> str:
        """What `nearness` makes of an entry, as a formula: `s` or `-d`."""
        return "-d" if self.is_dissimilarity else "s"

    @property
    def kernel_rule(self) -> str:
        """How `as_kernel` makes a kernel of an entry, as a formula: `s`, `-d` or `-d^2/2`. A positive factor changes no alignment score."""
        return {KernelKind.SIMILARITY: "s", KernelKind.EUCLIDEAN: "-d^2/2"}.get(self, "-d")


def nearness(matrix: NDArray[np.floating], kind: KernelKind) -> NDArray[np.float64]:
    """Scores of all items with each other, larger is nearer: the entries in float64, of a dissimilarity their negatives. Exact."""
    entries = np.asarray(matrix, dtype=np.float64)
    # 0 - d, not -d: a negative zero would be another value to whoever compares bits.
    return np.subtract(0.0, entries) if kind.is_dissimilarity else entries


def as_kernel(matrix: NDArray[np.floating], kind: KernelKind) -> NDArray[np.float64]:
    """The matrix as a kernel (n, n) float64, up to what centring takes away and a positive factor; see `KernelKind.kernel_rule`.

    For points x_i with the distances D, the centred Gram matrix is H (-D^2/2) H, H = I - 11'/n (classical scaling: Torgerson 1952;
    Gower 1966). A dissimilarity that is the squared distance of no points gives an indefinite kernel: centred alignment is still defined,
    but no longer confined to values above 0. "Max less d" is the same kernel as -d once centred.
    """
    entries = nearness(matrix, kind)
    return -0.5 * entries**2 if kind is KernelKind.EUCLIDEAN else entries
