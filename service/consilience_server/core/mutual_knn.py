"""Mutual k-NN: how far the k-neighbour lists of the same items agree in two spaces. The definition, plainly."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import InvalidK, ShapeMismatch
from consilience_server.core.neighbour_sets import NeighbourSets

PROPERTIES = {
    "range": (0.0, 1.0),
    "self_value": 1.0,
    "symmetric": True,
    "invariances": ("item_order", "orthogonal", "positive_scale"),
}
"""What the property tests hold this metric to. The self value is 1 for spaces without ties at the k-th place."""


def mutual_knn(x: NeighbourSets, y: NeighbourSets) -> float:
    """The mean overlap of two neighbour lists of the same item.

    ```
    s = 1/n sum_i o_i,   o_i = 1/k sum_j w_X(i, j) w_Y(i, j)
    ```
    With weights of 0 and 1 this is |N_X(i) & N_Y(i)| / k; with the fractional weights of tied lists it is the expectation of that under
    independent random tie-breaking in the two spaces. In [0, 1], larger is more alike; symmetric. O(n k).

    Args:
        x: the k-neighbour sets of n items in one space.
        y: those of the same items, in the same order, in the other, with the same k.

    Raises:
        ShapeMismatch: the sets are of different items.
        InvalidK: the sets are of different k.

    Source: Huh et al. 2024 (arXiv 2405.07987), section 2; the tie rule is this project's.
    """
    return float(overlaps(x, y).mean())


def overlaps(x: NeighbourSets, y: NeighbourSets) -> NDArray[np.float64]:
    """(n,) o_i of `mutual_knn`: the overlap of each item's two lists, in [0, 1]."""
    if x.n != y.n or x.gallery != y.gallery:
        raise ShapeMismatch(f"lists of {x.n:,} of {x.gallery:,} items and of {y.n:,} of {y.gallery:,} cannot be compared; join them first")
    if x.k != y.k:
        raise InvalidK(f"lists of k = {x.k} and k = {y.k} cannot be compared; ask the same k of both", k_x=x.k, k_y=y.k)
    found = np.empty(x.n)
    for i in range(x.n):
        of_x, of_y = slice(x.indptr[i], x.indptr[i + 1]), slice(y.indptr[i], y.indptr[i + 1])
        _, at_x, at_y = np.intersect1d(x.indices[of_x], y.indices[of_y], assume_unique=True, return_indices=True)
        found[i] = (x.weights[of_x][at_x] * y.weights[of_y][at_y]).sum() / x.k
    return found


def chance(k: int, gallery: int) -> float:
    """The mean of `mutual_knn` over all pairings of the items: k / (n - 1), exactly, with ties and without.

    A uniform pairing pi sends the pair (i, j), i != j, to a uniform ordered pair of different items, so w_Y(pi i, pi j) has the mean weight
    of Y, n k / (n (n - 1)) = k / (n - 1); and the weights of X sum to n k. Only the row sums k matter, not that weights are 0 or 1.

    Args:
        k: 1 <= k <= gallery - 1.
        gallery: number n of items.

    Raises:
        InvalidK: k is outside its range.
    """
    if not 1 <= k < gallery:
        raise InvalidK(f"k is {k}; among {gallery:,} items it must be 1 to {gallery - 1:,}", k=k, n=gallery)
    return float(Fraction(k, gallery - 1))


def self_score(x: NeighbourSets) -> float:
    """What a space scores with itself, 1/(n k) sum_ij w(i, j)^2: 1 without ties, less where ties leave the lists undecided."""
    return min(float(np.add.reduce(x.weights * x.weights) / (x.n * x.k)), 1.0)
