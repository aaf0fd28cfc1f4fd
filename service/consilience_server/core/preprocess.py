"""What is done to vectors before a metric sees them."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import ZeroVector

PLATONIC_REP_QUANTILE = 0.95

_BLOCK = 4096


def platonic_rep(x: NDArray[np.float32], q: float = PLATONIC_REP_QUANTILE, clip: float | None = None) -> tuple[NDArray[np.float32], float]:
    """The paper's preparation: clip every element to [-c, c], then every row to unit length.

    c is the mean over rows of the q-quantile of each row's absolute elements (at position q (d - 1) of the sorted ones, linear between
    neighbours), rounded to float32; q = 1 clips nothing. One clip for the whole set, so a score of part of the items is not the restriction
    of the score of all: c belongs into the answer. It does not depend on the order of rows.

    This is what the paper's program does by default. Its library and its option `--precise` take one quantile over all elements of all rows
    instead; on sparse spaces the two give scores that differ by several hundredths.

    Args:
        x: (n, d) float32, finite.
        q: quantile of the absolute elements, in (0, 1].
        clip: c where it is known already, of a set that x is part of (`platonic_rep_clip`).

    Returns:
        (n, d) float32 with rows of unit length, and the clip c (infinity for q = 1).

    Raises:
        ZeroVector: rows that are zero once clipped (all rows when c is 0); they have no direction.

    Cost:
        O(n d) time; nothing of the size of x beside the result.

    Source:
        Huh et al. 2024, code: platonic-rep `prepare_features(..., exact=False)`, `remove_outliers`.
    """
    most = np.float32(platonic_rep_clip([x], q) if clip is None else clip)
    clipped = np.clip(x, -most, most)
    # Squares of the smallest and largest float32 leave float32, not float64.
    norms = np.sqrt(np.einsum("ij,ij->i", clipped, clipped, dtype=np.float64))
    zero = np.flatnonzero(norms == 0)
    if len(zero):
        rows = ", ".join(str(row) for row in zero[:10])
        raise ZeroVector(
            f"{len(zero):,} of {len(x):,} rows are zero after clipping to {float(most):g} and have no direction: rows {rows}; "
            'remove these items or use preprocess="none"',
            field="spec.preprocess",
            rows=rows,
        )
    np.divide(clipped, norms[:, None], out=clipped, casting="same_kind")
    return clipped, float(most)


def platonic_rep_clip(layers: Sequence[NDArray[np.float32]], q: float = PLATONIC_REP_QUANTILE) -> float:
    """The clip c of `platonic_rep` for one layer, or the one clip of several layers that came as one (n, L, d) array.

    The paper's program flattens an (n, L, d) array: a row's quantile is then over the elements of all its layers. Of a list of layers it
    clips each by itself, so the two containers of the same model give other numbers.

    Args:
        layers: one or more (n, d) float32, finite, of the same items.
        q: as in `platonic_rep`; 1 clips nothing.

    Returns:
        The mean of the rows' quantiles, rounded to float32; its sum is exact, so that no order of rows can show.
    """
    if q == 1.0:
        return math.inf
    quantiles: list[float] = []
    for start in range(0, len(layers[0]), _BLOCK):
        magnitudes = np.abs(np.concatenate([layer[start : start + _BLOCK] for layer in layers], axis=1), dtype=np.float64)
        quantiles.extend(np.quantile(magnitudes, q, axis=1).tolist())
    return float(np.float32(math.fsum(quantiles) / len(layers[0])))
