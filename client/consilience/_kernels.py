"""Matrices over items: checked, made symmetric to the bit, and brought into the order of the ids, as kernel spaces keep them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience._attributes import to_columns
from consilience._batches import Block
from consilience._convert import Vectors, dimensions, to_float64, to_vectors
from consilience.errors import InvalidArgumentError
from consilience.v1 import alignment_pb2, matrix_pb2, space_pb2

ROUNDING = 1e-5
"""Differences up to this share of the largest entry are rounding: float32 products of equal rows differ by less."""

_KERNELS = {
    "similarity": alignment_pb2.ArrayKernel(),
    "dissimilarity": alignment_pb2.ArrayKernel(dissimilarity=True),
    "euclidean": alignment_pb2.ArrayKernel(dissimilarity=True, dissimilarity_kind=space_pb2.DISSIMILARITY_KIND_EUCLIDEAN),
    "squared_euclidean": alignment_pb2.ArrayKernel(dissimilarity=True, dissimilarity_kind=space_pb2.DISSIMILARITY_KIND_SQUARED_EUCLIDEAN),
}


@dataclass(frozen=True)
class Kernel:
    """A matrix ready to be sent.

    Attributes:
        vectors: (n, n) float32, equal to its transpose to the bit.
        asymmetry: the largest difference between an entry and its mirror image that was averaged away; 0 where there was none.
    """

    vectors: Vectors
    asymmetry: float


def array_kernel(name: str, field: str) -> alignment_pb2.ArrayKernel:
    """What the entries of a matrix are, as the contract says it; InvalidArgumentError lists the names where there is none of this name."""
    if name not in _KERNELS:
        raise InvalidArgumentError(f"{field} is {name!r}; it is one of {', '.join(_KERNELS)}, or None for vectors", field=field)
    return _KERNELS[name]


def may_be_kernel(values: Any, items: int) -> bool:
    """Whether an argument has the shape of a kernel of so many items: (n, n), a condensed triangle, or several of either."""
    count = dimensions(values)
    if count == 2:
        rows, columns = getattr(values, "shape", None) or (len(values), len(values[0]) if len(values) else 0)
        return bool(rows == columns or columns == items * (items - 1) // 2)
    # A pandas column holds a vector an item.
    return count == 3 or (count == 1 and type(values).__module__.partition(".")[0] != "pandas")


def to_kernel(values: Any, field: str, *, dissimilarity: bool, symmetrize: bool = False, ids: list[str] | None = None) -> Kernel:
    """A matrix as callers give it, as one that is symmetric to the bit.

    Entry and mirror image are averaged in float64, then rounded to float32, where they differ by no more than `ROUNDING` of the largest
    entry, or where the caller asks for it; NaN beside a number then takes the number. A diagonal of a dissimilarity within the same bound
    of zero becomes zero.

    Args:
        values: (n, n), or of a dissimilarity the condensed upper triangle, n(n-1)/2 in SciPy's order (row by row, without the diagonal).
        field: the argument's name, for messages.
        dissimilarity: whether smaller is nearer.
        symmetrize: average whatever the difference.
        ids: the items, for messages.

    Raises:
        InvalidArgumentError: not square, no condensed length, a condensed similarity (it lacks the diagonal), or truly asymmetric.
    """
    entries = to_float64(values, field)
    if entries.ndim == 1 and not dissimilarity:
        raise _refused(f"{field} is a condensed triangle, which lacks the diagonal that a similarity needs; give (n, n)", field)
    entries = open_triangle(entries, field)
    if entries.ndim != 2 or entries.shape[0] != entries.shape[1]:
        raise _refused(f"{field} has shape {entries.shape}; give (n, n), or a condensed upper triangle of n(n-1)/2", field)
    with np.errstate(invalid="ignore"):
        difference = np.abs(entries - entries.T)
        # An entry whose mirror image is missing differs from it.
        difference[np.isnan(entries) != np.isnan(entries.T)] = np.inf
        largest = float(np.max(np.abs(entries), initial=0.0, where=np.isfinite(entries)))
    rounding = ROUNDING * largest
    asymmetry = float(np.max(difference, initial=0.0, where=np.isfinite(difference)))
    halves = bool(np.isposinf(difference).any())
    if (asymmetry > rounding or halves) and not symmetrize:
        i, j = (int(place) for place in np.unravel_index(int(np.nanargmax(difference)), difference.shape))
        named = f" ({ids[i]!r} with {ids[j]!r})" if ids is not None and max(i, j) < len(ids) else ""
        raise _refused(
            f"{field}[{i}, {j}]{named} is {entries[i, j]:g} and {field}[{j}, {i}] is {entries[j, i]:g}, which differ by more than rounding "
            f"({rounding:.2g}); pass symmetrize=True to keep their mean, or upload the rows as vectors",
            field,
        )
    kept = 0.5 * (entries + entries.T) if asymmetry or halves else entries
    if halves:
        kept = np.where(np.isnan(entries), entries.T, np.where(np.isnan(entries.T), entries, kept))
    if dissimilarity:
        diagonal = np.diagonal(kept)
        if np.all((np.abs(diagonal) <= rounding) | np.isnan(diagonal)) and diagonal.any():
            kept = kept.copy()
            np.fill_diagonal(kept, 0.0)
    return Kernel(to_vectors(kept, field), asymmetry)


def to_kernel_block(
    names: list[str], values: Any, attributes: Any, *, dissimilarity: bool, symmetrize: bool, repeats: Sequence[str] = ()
) -> tuple[Block, float]:
    """A whole kernel as rows to upload, rows and columns in byte order of the ids, and its asymmetry.

    Args:
        names: n item ids.
        values: as in `to_kernel`; with R repeats (R, n, n), or condensed (R, n(n-1)/2), NaN where one lacks an entry.
        attributes: n values by name.
        dissimilarity: whether smaller is nearer.
        symmetrize: as in `to_kernel`.
        repeats: R names; none where the matrix is given once.

    Raises:
        InvalidArgumentError: as `to_kernel`; another number of ids than rows, or of matrices than repeats; what attributes are refused for.
    """
    if repeats:
        stack = to_float64(values, "vectors")
        if stack.ndim not in {2, 3} or len(stack) != len(repeats):
            raise _refused(
                f"vectors has shape {stack.shape}; give a matrix, full or condensed, for each of {len(repeats)} repeats", "vectors"
            )
        given = [(f"vectors[{at}]", matrix) for at, matrix in enumerate(stack)]
    else:
        given = [("vectors", values)]
    kernels = [to_kernel(matrix, field, dissimilarity=dissimilarity, symmetrize=symmetrize, ids=names) for field, matrix in given]
    if len(names) != len(kernels[0].vectors):
        raise InvalidArgumentError(
            f"{len(names):,} ids came with a matrix of {len(kernels[0].vectors):,}; give one id a row", reason="SHAPE_MISMATCH", field="ids"
        )
    # Code points sort as their UTF-8 bytes do.
    order = sorted(range(len(names)), key=names.__getitem__)
    columns = [
        replace(column, values=[column.values[row] for row in order], missing=[at for at, row in enumerate(order) if row in absent])
        for column in to_columns(attributes, len(names))
        for absent in [set(column.missing)]
    ]
    data = np.concatenate([kernel.vectors.data[np.ix_(order, order)] for kernel in kernels], axis=1)
    asymmetry = max(kernel.asymmetry for kernel in kernels)
    return Block([names[row] for row in order], Vectors(data, matrix_pb2.DATA_TYPE_FLOAT32), columns), asymmetry


def open_triangle(entries: NDArray[Any], field: str = "matrix") -> NDArray[Any]:
    """A condensed triangle of dissimilarities as the (n, n) matrix, zero on the diagonal; anything else as it is.

    Raises:
        InvalidArgumentError: one axis, of a length that is n(n-1)/2 for no n.
    """
    if entries.ndim != 1:
        return entries
    n = (1 + round((1 + 8 * len(entries)) ** 0.5)) // 2
    if len(entries) == 0 or n * (n - 1) // 2 != len(entries):
        raise _refused(f"{field} has {len(entries):,} entries, which is n(n-1)/2 for no n; give a whole condensed triangle", field)
    square = np.zeros((n, n), dtype=entries.dtype)
    above = np.triu_indices(n, 1)
    square[above] = entries
    square.T[above] = entries
    return square


def _refused(message: str, field: str) -> InvalidArgumentError:
    return InvalidArgumentError(message, reason="INVALID_KERNEL", field=field)
