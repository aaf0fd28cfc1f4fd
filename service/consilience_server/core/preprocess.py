"""What is done to vectors before a metric sees them."""

import math

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import ZeroVector

PLATONIC_REP_QUANTILE = 0.95


def platonic_rep(x: NDArray[np.float32], q: float = PLATONIC_REP_QUANTILE) -> tuple[NDArray[np.float32], float]:
    """The paper's preparation: clip every element to [-c, c], then every row to unit length.

    c is element floor(q * n * d) (from 0) of all absolute elements in ascending order; q = 1 clips nothing. One clip for the whole set, so
    a score of part of the items is not the restriction of the score of all: c belongs into the answer.

    Args:
        x: (n, d) float32, finite.
        q: quantile of the absolute elements, in (0, 1].

    Returns:
        (n, d) float32 with rows of unit length, and the clip c (infinity for q = 1).

    Raises:
        ZeroVector: rows that are zero once clipped (all rows when c is 0); they have no direction.

    Cost:
        O(n d) time; one copy of the absolute elements beside the result.

    Source:
        Huh et al. 2024, code: platonic-rep `prepare_features(..., exact=True)`, `remove_outliers`.
    """
    rank = math.floor(q * x.size)
    if q < 1.0:
        magnitudes = np.abs(x, dtype=np.float32).reshape(-1)
        clip = np.partition(magnitudes, rank)[rank]
        clipped = np.clip(x, -clip, clip)
    else:
        clip, clipped = np.float32(np.inf), np.array(x, dtype=np.float32)
    # The norm of rows of subnormal or huge elements leaves float32; float64 holds every such square.
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
