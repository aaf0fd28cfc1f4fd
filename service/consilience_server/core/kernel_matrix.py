"""What a matrix must be to be a kernel space: square, finite, symmetric, and with a diagonal that does not contradict its sign."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import InvalidArgument, InvalidKernel, NotFinite
from consilience_server.core.kernel_kind import KernelKind

_ROWS = 1024
_SHOWN_CHARACTERS = 40


def check_kernel_matrix(
    matrix: NDArray[np.float32],
    ids: Sequence[str],
    kind: KernelKind,
    field: str = "batch.vectors",
    *,
    missing: bool = False,
    of: str = "",
) -> None:
    """Refuse a matrix that is no kernel of these items.

    1. Square: one row and one column an item, two items or more.
    2. Every entry finite.
    3. Exactly symmetric: the float32 values of [i, j] and [j, i] are equal. (The SDK averages rounding away before it sends.)
    4. The diagonal says what the sign says. Of a dissimilarity it is zero, and of Euclidean kinds no entry is below zero; of any kind not
       all of them are (some may be: estimates without bias, such as crossnobis), for then an item would be farthest from itself. Of a
       similarity no entry [i, j] exceeds both [i, i] and [j, j]: of an inner product it cannot (Cauchy-Schwarz), and a matrix where two
       items are nearer to each other than either to itself is likely a dissimilarity with the wrong sign.

    Args:
        matrix: (n, m) float32, row i and column i of item i.
        ids: n names for messages.
        kind: what its entries are.
        field: of the request, for errors.
        missing: NaN is an entry without a value (of a repeat), which its mirror image lacks as well; NaN on the diagonal says nothing.
        of: the repeat that the matrix belongs to, for messages.

    Raises:
        InvalidKernel: any of the above but the second, with the first position in row order, its items and values.
        NotFinite: NaN or infinity.

    Cost:
        O(n^2) time, O(n) memory beside the matrix.
    """
    n = len(ids)
    if matrix.shape != (n, n):
        raise InvalidKernel(
            f"{n:,} items came with a matrix of {matrix.shape[0]:,} x {matrix.shape[1]:,}; a kernel has one row and one column an item, "
            "and its upload holds all of them",
            field=field,
        )
    if n < 2:
        raise InvalidKernel("a kernel of one item compares nothing; give two or more", field=field)
    diagonal = np.diagonal(matrix)
    below = above = False
    for start in range(0, n, _ROWS):
        rows = matrix[start : start + _ROWS]
        mirror = matrix[:, start : start + _ROWS].T
        refuse = partial(_refuse_first, matrix, ids, start, field, of)
        refuse(np.isinf(rows) if missing else ~np.isfinite(rows), "is not finite; give every entry a value", NotFinite)
        refuse(
            (rows != mirror) & ~(np.isnan(rows) & np.isnan(mirror)),
            "differs from its mirror image {mirror}; a kernel is symmetric: average it with its transpose (symmetrize=True), or, where the "
            "asymmetry matters, upload its rows as vectors",
        )
        own = diagonal[start : start + _ROWS, None]
        if not kind.is_dissimilarity:
            refuse(
                rows > np.maximum(own, diagonal[None, :]),
                "exceeds both diagonal entries, {row} and {column}: two items more alike than each is to itself; declare the space a "
                "dissimilarity if smaller is nearer, else raise the diagonal",
            )
        elif kind is not KernelKind.DISSIMILARITY:
            refuse(rows < 0.0, "is a distance below zero; leave the kind of dissimilarity undeclared")
        below, above = below or bool((rows < 0.0).any()), above or bool((rows > 0.0).any())
    contradicting = np.flatnonzero((diagonal != 0.0) & ~np.isnan(diagonal))
    if kind.is_dissimilarity and contradicting.size:
        at = int(contradicting[0])
        raise InvalidKernel(
            f"entry [{at}, {at}] ({_cut(ids[at])} with itself{of}) is {float(diagonal[at]):g}; a dissimilarity is zero there: declare the "
            "space a similarity if larger is nearer, else set the diagonal to zero",
            field=field,
        )
    if kind.is_dissimilarity and below and not above and n > 2:
        raise InvalidKernel(
            f"no dissimilarity{of} is above zero and some are below, so that every item is farthest from itself: declare the space a "
            "similarity if larger is nearer, else change the sign",
            field=field,
        )


def _refuse_first(
    matrix: NDArray[np.float32],
    ids: Sequence[str],
    first_row: int,
    field: str,
    of: str,
    bad: NDArray[np.bool_],
    what: str,
    kind: type[InvalidArgument] = InvalidKernel,
) -> None:
    """Raise for the first entry marked in a block of rows; `what` may name the values of its mirror image and its diagonal entries."""
    if not bad.any():
        return
    line, j = (int(place) for place in np.unravel_index(int(np.argmax(bad)), bad.shape))
    i = first_row + line
    values = {"mirror": float(matrix[j, i]), "row": float(matrix[i, i]), "column": float(matrix[j, j])}
    told = what.format(**{name: f"{value:.9g}" for name, value in values.items()})
    raise kind(f"entry [{i}, {j}] ({_cut(ids[i])} with {_cut(ids[j])}{of}) is {float(matrix[i, j]):.9g} and {told}", field=field)


def _cut(item: str) -> str:
    return repr(item if len(item) <= _SHOWN_CHARACTERS else item[:_SHOWN_CHARACTERS] + "...")
