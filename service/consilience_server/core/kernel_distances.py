"""What metrics of pairwise dissimilarities read of a kernel space."""

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import InvalidArgument
from consilience_server.core.kernel_kind import KernelKind

_NEGATIVE = 1e-6
"""A squared distance below 0 by no more than this share of the largest is rounding to float32."""


def dissimilarities_of(matrix: NDArray[np.floating], kind: KernelKind) -> NDArray[np.float64]:
    """(n, n) float64 for RSA: the entries, of a similarity their negatives."""
    entries = np.asarray(matrix, dtype=np.float64)
    return entries if kind.is_dissimilarity else np.subtract(0.0, entries)


def dissimilarity_rule(kind: KernelKind) -> str:
    """The same as a formula."""
    return "d" if kind.is_dissimilarity else "-s"


def distances_of(matrix: NDArray[np.floating], kind: KernelKind, name: str) -> NDArray[np.float64]:
    """(n, n) float64 distances for a Gaussian kernel.

    Those given; the roots of squared ones, for which a mere dissimilarity is taken, as in `core/kernel_kind.py`; of a similarity those of
    its feature map, |f_i - f_j|^2 = s_ii + s_jj - 2 s_ij.

    Raises:
        InvalidArgument: a squared distance is negative: the dissimilarity has negative entries, or the similarity is no kernel.
    """
    entries = np.asarray(matrix, dtype=np.float64)
    if kind is KernelKind.EUCLIDEAN:
        return entries
    if kind.is_dissimilarity:
        squared = entries
    else:
        own = np.diagonal(entries)
        squared = own[:, None] + own - 2.0 * entries
    lowest, scale = float(squared.min()), float(np.abs(squared).max())
    if lowest < -_NEGATIVE * scale:
        raise InvalidArgument(
            f"{name} has squared distances down to {lowest:g}, so it has no Gaussian kernel; a {kind} must be "
            f"{'0 or more everywhere' if kind.is_dissimilarity else 'positive semidefinite'}; use rsa, which only compares entries",
            field=name,
        )
    found: NDArray[np.float64] = np.sqrt(np.maximum(squared, 0.0))
    return found


def distance_rule(kind: KernelKind) -> str:
    """The same as a formula."""
    return {KernelKind.EUCLIDEAN: "d", KernelKind.SIMILARITY: "sqrt(s_ii + s_jj - 2 s_ij)"}.get(kind, "sqrt(d)")
