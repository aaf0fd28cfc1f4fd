"""Mean similarity of every item to all others and itself, also without any group of items, without an n x n matrix."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import InvalidArgument, KernelSpace
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.similarity import Similarity

_ROWS = 4096


@dataclass(frozen=True)
class KernelMeans:
    """Sums of similarities by group.

    Attributes:
        by_group: (n, G) float64, entry (i, g) the sum over the items l of group g of the similarity of i and l, itself included; canonical
            positions, of which c belongs to group c mod G.
    """

    by_group: NDArray[np.float64]

    def mean(self, without: int = -1) -> NDArray[np.float64]:
        """(n,) means over all items, or over all but one group."""
        n, groups = self.by_group.shape
        left = np.arange(groups) != without
        return np.asarray(self.by_group[:, left].sum(axis=1) / np.count_nonzero(left[np.arange(n) % groups]), dtype=np.float64)


def kernel_means(vectors: NDArray[np.floating], similarity: Similarity, order: NDArray[np.int64], groups: int) -> KernelMeans:
    """Of a space's cosines or inner products. O(n d G) time, O(n G + d G) memory; relative error below 1e-12.

    Args:
        vectors: (n, d), without zero rows under cosine.
        similarity: cosine or inner product.
        order: (n,) the rows in canonical order.
        groups: G >= 1.

    Raises:
        InvalidArgument: of squared distances, which are no kernel.
    """
    check_kernel(similarity)
    n, width = vectors.shape
    sums = np.zeros((groups, width))
    for start in range(0, n, _ROWS):
        rows = _rows(vectors, similarity, order[start : start + _ROWS])
        for group in range(groups):
            sums[group] += rows[(group - start) % groups :: groups].sum(axis=0)
    by_group = np.empty((n, groups))
    for start in range(0, n, _ROWS):
        by_group[start : start + _ROWS] = _rows(vectors, similarity, order[start : start + _ROWS]) @ sums.T
    return KernelMeans(by_group)


def matrix_means(matrix: NDArray[np.floating], order: NDArray[np.int64], groups: int) -> KernelMeans:
    """The same of a kernel space's similarities (n, n). O(n^2) time, O(n G) memory."""
    by_group = np.stack([matrix[np.ix_(order, order[group::groups])].sum(axis=1, dtype=np.float64) for group in range(groups)], axis=1)
    return KernelMeans(by_group)


def check_kernel_space(kernel: KernelKind, name: str = "x") -> None:
    """The entries are similarities: those are what CKNNA weighs. KernelSpace."""
    if kernel.is_dissimilarity:
        raise KernelSpace(
            f"CKNNA weighs neighbours by a similarity, and the kernel {name} holds dissimilarities, which no one rule makes similarities; "
            "upload them as the similarity that you mean, or ask mutual_knn or cka",
            field=name,
        )


def kernel_means_bytes(n: int, width: int, groups: int) -> int:
    """Peak bytes of `kernel_means` beyond the vectors, and of what it answers."""
    return 8 * (n * groups + groups * width + 4 * _ROWS * width)


def check_kernel(similarity: Similarity, name: str = "x") -> None:
    """The similarity is an inner product of the items. InvalidArgument."""
    if similarity is Similarity.SQUARED_L2:
        raise InvalidArgument(
            "CKNNA weighs neighbours by an inner product, and this space is compared by squared_l2; "
            "store it as cosine or inner_product, or ask preprocess='platonic_rep'",
            field=name,
        )


def _rows(vectors: NDArray[np.floating], similarity: Similarity, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    found = np.asarray(vectors[rows], dtype=np.float64)
    if similarity is Similarity.COSINE:
        found = found / np.linalg.norm(found, axis=1, keepdims=True)
    return found
