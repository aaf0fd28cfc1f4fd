"""What every metric that compares feature matrices asks of its two arguments."""

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import ConstantFeatures, ShapeMismatch, TooFewItems

_BLOCK = 1024


def check_paired(x: NDArray[np.floating], y: NDArray[np.floating], metric: str, least: int) -> None:
    """Refuse what has no score: row i of both must be the same item, there must be enough items, and a side must tell them apart.

    Args:
        x: (n, d_x).
        y: (n, d_y).
        metric: its name, for the message.
        least: items that the metric needs.

    Raises:
        ShapeMismatch: different numbers of rows.
        TooFewItems: n < least.
        ConstantFeatures: all rows of a side are equal.
    """
    if len(x) != len(y):
        raise ShapeMismatch(f"x has {len(x):,} rows and y {len(y):,}; row i of both must be the same item", field="y")
    if len(x) < least:
        raise TooFewItems(f"{metric} needs {least} items or more, there are {len(x)}; add items", n=len(x), least=least)
    for name, array in (("x", x), ("y", y)):
        check_informative(array, metric, name)


def rows_are_equal(array: NDArray[np.floating]) -> bool:
    """Whether every row is the first. Block by block: the first block tells nearly always."""
    return all(bool((array[start : start + _BLOCK] == array[:1]).all()) for start in range(0, len(array), _BLOCK))


def check_informative(array: NDArray[np.floating], metric: str, name: str) -> None:
    """ConstantFeatures where all rows of `array` are equal; `name` is the side, for the message."""
    if rows_are_equal(array):
        raise ConstantFeatures(
            f"all {len(array):,} items have the same vector in {name}, so {metric} is undefined; use a space that tells items apart",
            field=name,
        )
