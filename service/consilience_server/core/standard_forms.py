"""The usual preparations of a space, each under a name: columns of mean 0, columns of standard deviation 1 besides, rows of unit length.

All arithmetic is float64, the result float32. None of the results depends on the order of rows.
"""

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.column_means import OfRows, column_means
from consilience_server.core.errors import ConstantFeatures, NotFinite, ZeroVector

_BLOCK = 4096
_LARGEST = float(np.finfo(np.float32).max)


def centre(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each column less its mean over all items.

    One mean for the whole set: the score of part of the items is not the restriction of the score of all.

    Args:
        x: (n, d) float32, finite.

    Raises:
        NotFinite: values that leave float32 once centred.
    """
    mean = column_means(x)
    return _by_block(x, lambda rows: rows - mean, x.shape[1])


def standardize(x: NDArray[np.float32]) -> tuple[NDArray[np.float32], int]:
    """Each column less its mean, divided by its standard deviation with divisor n ("z-scored", ddof 0); constant columns are left out.

    A constant column has no such form and tells nothing apart. The divisor n - 1 would multiply all columns by the same number.

    Args:
        x: (n, d) float32, finite.

    Returns:
        (n, d') float32, d' <= d, and the number d - d' of constant columns.

    Raises:
        ConstantFeatures: every column is constant.
    """
    varied = np.flatnonzero((x != x[:1]).any(axis=0))
    if not len(varied):
        raise ConstantFeatures(
            f"all {x.shape[1]:,} columns are constant over {len(x):,} items and cannot be standardized; use a space that tells items apart",
            field="spec.preprocess",
        )
    kept = x if len(varied) == x.shape[1] else x[:, varied]
    mean = column_means(kept)
    deviation = np.sqrt(column_means(kept, lambda rows: (rows - mean) ** 2))
    return _by_block(kept, lambda rows: (rows - mean) / deviation, len(varied)), x.shape[1] - len(varied)


def unit(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each row divided by its Euclidean length.

    Args:
        x: (n, d) float32, finite.

    Raises:
        ZeroVector: rows of length 0, which have no direction.
    """
    check_directions(x, "have length 0 and no direction")

    def scaled(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        quotients: NDArray[np.float64] = rows / lengths[:, None]
        return quotients

    return _by_block(x, scaled, x.shape[1])


def check_directions(x: NDArray[np.float32], what: str) -> None:
    """ZeroVector where rows are all zeros; `what` says how they came to be."""
    zero = np.flatnonzero(~x.any(axis=1))
    if len(zero):
        rows = ", ".join(str(row) for row in zero[:10])
        raise ZeroVector(
            f'{len(zero):,} of {len(x):,} rows {what}: rows {rows}; remove these items or use preprocess="none"',
            field="spec.preprocess",
            rows=rows,
        )


def _by_block(x: NDArray[np.float32], of: OfRows, columns: int) -> NDArray[np.float32]:
    """(n, columns) float32, what `of` makes of x a block of rows at a time."""
    result = np.empty((len(x), columns), dtype=np.float32)
    for start in range(0, len(x), _BLOCK):
        values = of(x[start : start + _BLOCK].astype(np.float64))
        if values.size and np.abs(values).max() > _LARGEST:
            raise NotFinite("values beyond float32 once the mean is removed; scale the space down", field="spec.preprocess")
        result[start : start + _BLOCK] = values
    return result
