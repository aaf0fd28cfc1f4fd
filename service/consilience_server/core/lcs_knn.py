"""LCS k-NN: the longest common subsequence of an item's two ordered neighbour lists. The definition, plainly."""

from collections.abc import Sequence

from consilience_server.core.ordered_lists import OrderedLists, check_comparable

PROPERTIES = {
    "range": (0.0, 1.0),
    "self_value": 1.0,
    "symmetric": True,
    "invariances": ("item_order", "orthogonal", "positive_scale"),
}
"""What the property tests hold this metric to."""


def lcs_knn(x: OrderedLists, y: OrderedLists) -> float:
    """The mean length of the longest common subsequence of two neighbour lists of the same item, as a share of k.

    ```
    s = 1/n sum_i LCS(list_X(i), list_Y(i)) / k
    ```
    In [0, 1], larger is more alike; symmetric; at most mutual k-NN, with which it agrees where shared neighbours stand in the same order.
    The reference leaves out the division by k. O(n k^2).

    Args:
        x: the k-lists of n items in one space.
        y: those of the same items in the other.

    Raises:
        ShapeMismatch, InvalidK: the lists are of different items or k.

    Source: platonic-rep, metrics.py `lcs_knn`.
    """
    check_comparable(x, y)
    return sum(_common(a, b) for a, b in zip(x.indices.tolist(), y.indices.tolist(), strict=True)) / (x.n * x.k)


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    lengths = [0] * (len(b) + 1)
    for left in a:
        above = lengths.copy()
        for j, right in enumerate(b):
            lengths[j + 1] = above[j] + 1 if left == right else max(above[j + 1], lengths[j])
    return lengths[-1]
