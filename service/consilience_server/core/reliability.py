"""How far the columns of a space agree with themselves when they are measured again: the ceiling of whatever predicts them."""

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import ShapeMismatch, TooFewItems

LEAST_ITEMS = 3


def column_correlations(x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float64]:
    """(d,) Pearson's r of each column of x with the same column of y, over the items; NaN where either is constant."""
    left, right = _standardised(x), _standardised(y)
    products: NDArray[np.float64] = np.einsum("ij,ij->j", left, right)
    return np.clip(products, -1.0, 1.0)


def reliability(mean_correlation: NDArray[np.float64], repeats: int) -> NDArray[np.float64]:
    """The reliability of the mean over R repeats, by the Spearman-Brown formula: R r / (1 + (R - 1) r).

    r is the mean correlation of two repeats; with two repeats this is the corrected split-half reliability 2 r / (1 + r). A perfect
    predictor of the mean reaches a correlation of its root with it.

    Args:
        mean_correlation: (d,) r of each column, NaN where it is constant.
        repeats: R >= 2.

    Returns:
        (d,) at most 1; NaN where r is not above -1 / (R - 1), for which the formula has no meaning.

    Source:
        Spearman 1910, Brown 1910 (British Journal of Psychology 3).
    """
    below = 1.0 + (repeats - 1) * mean_correlation
    found: NDArray[np.float64] = np.where(below > 1e-12, repeats * mean_correlation / np.where(below > 1e-12, below, 1.0), np.nan)
    return found


def column_reliability(repeats: NDArray[np.floating]) -> NDArray[np.float64]:
    """`reliability` of the columns of (R, n, d) measurements of the same items, from the correlations of all pairs of repeats.

    Raises:
        ShapeMismatch: fewer than two repeats.
        TooFewItems: fewer than three items.

    Cost:
        O(R^2 n d).
    """
    if len(repeats) < 2:
        raise ShapeMismatch(f"reliability needs two repeats or more, there are {len(repeats)}")
    if repeats.shape[1] < LEAST_ITEMS:
        raise TooFewItems(f"reliability needs {LEAST_ITEMS} items or more, there are {repeats.shape[1]}", n=repeats.shape[1])
    pairs = [(i, j) for j in range(len(repeats)) for i in range(j)]
    total = sum((column_correlations(repeats[i], repeats[j]) for i, j in pairs), np.zeros(repeats.shape[2]))
    return reliability(total / len(pairs), len(repeats))


def _standardised(x: NDArray[np.floating]) -> NDArray[np.float64]:
    """Columns centred, of unit length; NaN for constant ones."""
    values = np.array(x, dtype=np.float64)
    # From the first row on: a large shift costs no digits, and a constant column becomes exact zeros.
    values -= values[0].copy()
    values -= values.mean(axis=0)
    lengths = np.sqrt(np.einsum("ij,ij->j", values, values))
    lengths[lengths == 0.0] = np.nan
    values /= lengths
    return values
