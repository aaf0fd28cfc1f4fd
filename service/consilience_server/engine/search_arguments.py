"""What every engine refuses before it works."""

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import DimensionMismatch, InvalidK, ShapeMismatch


def check_search(
    queries: NDArray[np.float32],
    vectors: NDArray[np.float32],
    available: int,
    k_max: int,
    exclude: NDArray[np.int64] | None,
    bias: NDArray[np.float64] | None,
    tie_keys: NDArray[np.uint64] | None,
) -> None:
    """Check the arguments of `NeighbourEngine.query`.

    Args:
        queries: (m, d).
        vectors: (n, d).
        available: items that each query may choose from.
        k_max: the largest k that will be asked.
        exclude: (m,) or None.
        bias: (n,) or None.
        tie_keys: (n,) or None.

    Raises:
        DimensionMismatch: if queries and gallery differ in width.
        ShapeMismatch: if `exclude`, `bias` or `tie_keys` do not fit.
        InvalidK: unless 1 <= k_max <= available.
    """
    if queries.shape[1] != vectors.shape[1]:
        raise DimensionMismatch(
            f"the queries have {queries.shape[1]} dimensions, the gallery has {vectors.shape[1]}; both must be of one width",
            field="queries",
        )
    for name, array, length in (("exclude", exclude, len(queries)), ("bias", bias, len(vectors)), ("tie_keys", tie_keys, len(vectors))):
        if array is not None and array.shape != (length,):
            raise ShapeMismatch(f"{name} has the shape {array.shape}, but ({length},) is needed", field=name)
    if not 1 <= k_max <= available:
        raise InvalidK(
            f"k = {k_max}, but k must be between 1 and {available}, the number of items to choose from",
            field="k",
            k=k_max,
            limit=available,
        )
