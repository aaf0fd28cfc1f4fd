"""Ranks of numbers of which some are equal but for rounding."""

import numpy as np
from numpy.typing import NDArray

SAME = 1e-12
"""Neighbours in sorted order that differ by less than this share (of the mean magnitude and of their own, together) are tied."""


def dense_codes(values: NDArray[np.float64]) -> NDArray[np.int32]:
    """Each value's place among the distinct values, from 0; ties get the same.

    Sums of the same products in another order differ in their last bits. Such values must not be ranked by their rounding, which belongs to
    rows and not to items: what follows a value within `SAME` is tied with it. O(m log m).

    Args:
        values: (m,) finite float64, m >= 1.

    Returns:
        (m,) int32.
    """
    order = np.argsort(values)
    arranged = values[order]
    gap = SAME * (np.abs(arranged).mean() + np.abs(arranged[1:]))
    codes = np.empty(len(values), dtype=np.int32)
    codes[order] = np.concatenate([[0], np.cumsum(np.diff(arranged) > gap)])
    return codes


def average_ranks(codes: NDArray[np.int32]) -> NDArray[np.float64]:
    """(m,) ranks from 0 to m - 1, ties averaged, of values given as codes in their order (not every code need occur). O(m + codes)."""
    counts = np.bincount(codes)
    after = np.cumsum(counts)
    ranks: NDArray[np.float64] = (after - 0.5 * (counts + 1.0))[codes]
    return ranks
