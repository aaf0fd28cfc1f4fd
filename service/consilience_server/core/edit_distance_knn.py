"""Edit distance k-NN: how few edits turn one ordered neighbour list of an item into the other. The definition, plainly."""

from collections.abc import Sequence

from consilience_server.core.ordered_lists import OrderedLists, check_comparable

PROPERTIES = {
    "range": (0.0, 1.0),
    "self_value": 1.0,
    "symmetric": True,
    "invariances": ("item_order", "orthogonal", "positive_scale"),
}
"""What the property tests hold this metric to."""


def edit_distance_knn(x: OrderedLists, y: OrderedLists) -> float:
    """One less the mean Levenshtein distance of two neighbour lists of the same item, as a share of k.

    ```
    s = 1 - 1/n sum_i Levenshtein(list_X(i), list_Y(i)) / k
    ```
    Insertions, deletions and substitutions cost 1 each, so lists without a common item are k apart. In [0, 1], larger is more alike;
    symmetric. O(n k^2).

    Args:
        x: the k-lists of n items in one space.
        y: those of the same items in the other.

    Raises:
        ShapeMismatch, InvalidK: the lists are of different items or k.

    Source: platonic-rep, metrics.py `edit_distance_knn`; Levenshtein 1966.
    """
    check_comparable(x, y)
    return 1.0 - sum(_distance(a, b) for a, b in zip(x.indices.tolist(), y.indices.tolist(), strict=True)) / (x.n * x.k)


def _distance(a: Sequence[int], b: Sequence[int]) -> int:
    costs = list(range(len(b) + 1))
    for i, left in enumerate(a):
        above = costs.copy()
        costs[0] = i + 1
        for j, right in enumerate(b):
            costs[j + 1] = min(above[j + 1] + 1, costs[j] + 1, above[j] + (left != right))
    return costs[-1]
