"""Chance where items are only exchanged within groups: the mean of a sum of products over such pairings, exactly."""

import numpy as np
from numpy.typing import NDArray


def mean_product(k: NDArray[np.float64], l: NDArray[np.float64], groups: NDArray[np.int64]) -> float:  # noqa: E741 - the formula's letter
    """The mean of sum_ij K_ij L_(pi i)(pi j) over all permutations pi that keep every item within its group.

    Such a pi sends an item of group g to a uniform one of its n_g members, a pair of different items of g to a uniform ordered pair of
    different ones, and a pair of items of g and h to a uniform pair of the n_g n_h. So entries of K meet the means of L over their class:
    ```
    sum_g D_K(g) D_L(g) / n_g  +  sum_gh S_K(g, h) S_L(g, h) / N(g, h),     N(g, h) = n_g n_h,  N(g, g) = n_g (n_g - 1)
    ```
    with D(g) the sum of the diagonal entries of group g and S(g, h) that of the others from g to h. With one group for all it is the mean
    over all pairings: k / (n - 1) for the weights of neighbour lists divided by n k, tr(KH) tr(LH) / (n - 1) for centred Gram matrices.

    Args:
        k: (n, n), and
        l: (n, n), of the same items.
        groups: (n,) group of each item, 0 <= group.

    Returns:
        The mean. O(n^2) memory and time: the definition that `engine/within_chance.py` is held to.
    """
    member = np.eye(int(groups.max()) + 1)[groups]
    sizes = member.sum(axis=0)
    diagonals = (member.T @ np.diagonal(k)) * (member.T @ np.diagonal(l))
    others = [member.T @ (matrix - np.diag(np.diagonal(matrix))) @ member for matrix in (k, l)]
    pairs = np.outer(sizes, sizes) - np.diag(sizes)
    # A group of one has no pair, and one without members no item: their sums are 0 as well.
    return float((diagonals / np.maximum(sizes, 1)).sum() + (others[0] * others[1] / np.maximum(pairs, 1)).sum())
