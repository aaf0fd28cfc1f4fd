"""What is done to vectors before a metric sees them."""

import math

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import ZeroVector

PLATONIC_REP_QUANTILE = 0.95

_BLOCK = 4096


def platonic_rep(x: NDArray[np.float32], q: float = PLATONIC_REP_QUANTILE) -> tuple[NDArray[np.float32], float]:
    """The paper's preparation: clip every element to [-c, c], then every row to unit length.

    c is the mean over rows of the q-quantile of each row's absolute elements (at position q (d - 1) of the sorted ones, linear between
    neighbours), rounded to float32; q = 1 clips nothing. One clip for the whole set, so a score of part of the items is not the restriction
    of the score of all: c belongs into the answer. It does not depend on the order of rows.

    This is what the paper's program does by default. Its library and its option `--precise` take one quantile over all elements of all rows
    instead; on sparse spaces the two give scores that differ by several hundredths.

    Args:
        x: (n, d) float32, finite.
        q: quantile of the absolute elements, in (0, 1].

    Returns:
        (n, d) float32 with rows of unit length, and the clip c (infinity for q = 1).

    Raises:
        ZeroVector: rows that are zero once clipped (all rows when c is 0); they have no direction.

    Cost:
        O(n d) time; nothing of the size of x beside the result.

    Source:
        Huh et al. 2024, code: platonic-rep `prepare_features(..., exact=False)`, `remove_outliers`.
    """
    clip = np.float32(np.inf) if q == 1.0 else _clip(x, q)
    clipped = np.clip(x, -clip, clip)
    # Squares of the smallest and largest float32 leave float32, not float64.
    norms = np.sqrt(np.einsum("ij,ij->i", clipped, clipped, dtype=np.float64))
    zero = np.flatnonzero(norms == 0)
    if len(zero):
        rows = ", ".join(str(row) for row in zero[:10])
        raise ZeroVector(
            f"{len(zero):,} of {len(x):,} rows are zero after clipping to {float(clip):g} and have no direction: rows {rows}; "
            'remove these items or use preprocess="none"',
            field="spec.preprocess",
            rows=rows,
        )
    np.divide(clipped, norms[:, None], out=clipped, casting="same_kind")
    return clipped, float(clip)


def _clip(x: NDArray[np.float32], q: float) -> np.float32:
    """The mean of the rows' quantiles; its sum is exact, so that no order of rows can show."""
    quantiles: list[float] = []
    for start in range(0, len(x), _BLOCK):
        magnitudes = np.abs(x[start : start + _BLOCK], dtype=np.float64)
        quantiles.extend(np.quantile(magnitudes, q, axis=1).tolist())
    return np.float32(math.fsum(quantiles) / len(x))
