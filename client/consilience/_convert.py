"""Arrays to the contract's Matrix and back: the one place where numbers change their shape.

What callers give: NumPy arrays, torch tensors (bfloat16 too, on any device), nested lists, lists of arrays, Arrow (FixedSizeList, List),
pandas. float32, float16 and bfloat16 travel as they are, without a copy where the array is C-contiguous and little-endian; float64 and
integers are rounded to float32, and refused where that overflows.
"""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience.errors import InvalidArgumentError
from consilience.v1 import matrix_pb2

_WIRE: dict[int, np.dtype[Any]] = {
    matrix_pb2.DATA_TYPE_FLOAT32: np.dtype("<f4"),
    matrix_pb2.DATA_TYPE_FLOAT16: np.dtype("<f2"),
    matrix_pb2.DATA_TYPE_BFLOAT16: np.dtype("<u2"),
    matrix_pb2.DATA_TYPE_FLOAT64: np.dtype("<f8"),
}
_SHOWN = 10


@dataclass(frozen=True)
class Vectors:
    """A matrix ready to be sent.

    Attributes:
        data: (n, d), C-contiguous, little-endian: float32, float16, or the bits of bfloat16 as uint16.
        dtype: the contract's DataType.
    """

    data: NDArray[Any]
    dtype: int

    def __len__(self) -> int:
        return int(self.data.shape[0])

    @property
    def columns(self) -> int:
        """The width d."""
        return int(self.data.shape[1])

    def rows(self, start: int, stop: int) -> "Vectors":
        """Rows [start, stop), without a copy."""
        return Vectors(self.data[start:stop], self.dtype)

    def to_matrix(self) -> matrix_pb2.Matrix:
        """The message; copies the bytes."""
        rows, columns = self.data.shape
        return matrix_pb2.Matrix(data=self.data.tobytes(), dtype=self.dtype, rows=rows, columns=columns)  # type: ignore[arg-type]  # enums are ints

    def to_float32(self) -> NDArray[np.float32]:
        """Widened without loss, C-contiguous."""
        if self.dtype == matrix_pb2.DATA_TYPE_BFLOAT16:
            return (self.data.astype(np.uint32) << np.uint32(16)).view(np.float32)
        return np.ascontiguousarray(self.data, dtype=np.float32)


def to_vectors(values: Any, field: str = "vectors", *, single: bool = False) -> Vectors:
    """What a caller gave, as a matrix that can be sent.

    Args:
        values: (n, d) in any of the accepted kinds.
        field: the argument's name, for messages.
        single: take (d,) as one row.

    Raises:
        InvalidArgumentError: not two-dimensional, not numeric, ragged, masked, or float64 values beyond float32.
    """
    array, is_bfloat16 = to_numpy(values, field)
    if single and array.ndim == 1:
        array = array[None, :]
    if array.ndim != 2:
        raise InvalidArgumentError(f"{field} has shape {array.shape}; give (n, d): one row an item", reason="SHAPE_MISMATCH", field=field)
    if is_bfloat16:
        return Vectors(np.ascontiguousarray(array, dtype="<u2"), matrix_pb2.DATA_TYPE_BFLOAT16)
    if array.dtype == np.float16:
        return Vectors(np.ascontiguousarray(array, dtype="<f2"), matrix_pb2.DATA_TYPE_FLOAT16)
    if array.dtype == np.float32:
        return Vectors(np.ascontiguousarray(array, dtype="<f4"), matrix_pb2.DATA_TYPE_FLOAT32)
    return Vectors(_rounded(array, field), matrix_pb2.DATA_TYPE_FLOAT32)


def to_float64(values: Any, field: str) -> NDArray[np.float64]:
    """What a caller gave in full precision, of any shape; InvalidArgumentError where it is not numeric, ragged or masked."""
    array, is_bfloat16 = to_numpy(values, field)
    if is_bfloat16:
        array = Vectors(array, matrix_pb2.DATA_TYPE_BFLOAT16).to_float32()
    return np.asarray(array, dtype=np.float64)


def is_layered(values: Any) -> bool:
    """Whether an argument of `align_arrays` has layers: (n, L, d), or a list of (n, d) matrices."""
    return dimensions(values) == 3


def dimensions(values: Any) -> int:
    """How many axes an array or nested lists have, told from the first entries; 0 for what is neither."""
    if isinstance(values, list | tuple):
        return 1 + dimensions(values[0]) if values else 1
    return int(getattr(values, "ndim", 0))


def from_matrix(matrix: matrix_pb2.Matrix) -> NDArray[Any]:
    """A message as a read-only (rows, columns) array over its bytes; bfloat16 widens to float32."""
    array = np.frombuffer(matrix.data, dtype=_WIRE[matrix.dtype]).reshape(matrix.rows, matrix.columns)
    return Vectors(array, matrix.dtype).to_float32() if matrix.dtype == matrix_pb2.DATA_TYPE_BFLOAT16 else array


def to_ids(values: Any, field: str = "ids") -> list[str]:
    """Item ids as a list of str: from lists, NumPy, Arrow and pandas.

    Raises:
        InvalidArgumentError: no list, or a value is not a string that can be sent.
    """
    if isinstance(values, str | bytes):
        raise InvalidArgumentError(f"{field} is a single string; give a list of ids", reason="INVALID_ID", field=field)
    if isinstance(values, Mapping):
        raise InvalidArgumentError(
            f"{field} is a {type(values).__name__}, of which only the keys would be read; give a list of ids",
            reason="INVALID_ID",
            field=field,
        )
    if not isinstance(values, Iterable) or getattr(values, "ndim", 1) != 1:
        raise InvalidArgumentError(f"{field} is of type {type(values).__name__}; give a list of ids", reason="INVALID_ID", field=field)
    ids = as_list(values)
    for position, item in enumerate(ids):
        if not isinstance(item, str):
            raise InvalidArgumentError(
                f"{field}[{position}] is {item!r}, of type {type(item).__name__}; item ids are strings: [str(i) for i in ids]",
                reason="INVALID_ID",
                field=field,
            )
        if not is_sendable(item):
            raise InvalidArgumentError(
                f"{field}[{position}] is {item!a}, which holds half a surrogate pair and is no valid text",
                reason="INVALID_ID",
                field=field,
            )
    return ids


def is_sendable(text: str) -> bool:
    """Whether a string has UTF-8: halves of surrogate pairs have none."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def as_list(values: Any) -> list[Any]:
    """A column of any kind as a list of Python values."""
    if type(values) is list:
        return values
    for method in ("to_pylist", "tolist"):
        if hasattr(values, method):
            return list(getattr(values, method)())
    return list(values)


def to_numpy(values: Any, field: str) -> tuple[NDArray[Any], bool]:
    """A NumPy array of any shape, and whether it holds the bits of bfloat16 as uint16; refusals as `to_vectors`."""
    origin = type(values).__module__.partition(".")[0]
    if origin == "torch":
        return _from_torch(values)
    if origin == "pyarrow":
        return _from_arrow(values, field), False
    if origin == "pandas" and values.ndim == 1:
        values = list(values)
    if isinstance(values, list | tuple) and values and type(values[0]).__module__.partition(".")[0] == "torch":
        rows = [_from_torch(row) for row in values]
        if any(bits != rows[0][1] for _, bits in rows):
            raise InvalidArgumentError(
                f"{field} mixes bfloat16 with other tensors; give one dtype", reason="DTYPE_NOT_ACCEPTED", field=field
            )
        return _stacked([row for row, _ in rows], field), rows[0][1]
    _check_unmasked(values, field)
    array = _stacked(values, field)
    if array.dtype.name == "bfloat16":
        return array.view(np.uint16), True
    if array.dtype.kind not in "fiub":
        raise InvalidArgumentError(
            f"{field} is of dtype {array.dtype}; give float32, float16, bfloat16, float64 or integers",
            reason="DTYPE_NOT_ACCEPTED",
            field=field,
        )
    return array, False


def _check_unmasked(values: Any, field: str) -> None:
    """A masked entry has no value; what lies beneath the mask must not be sent in its place."""
    parts = values if isinstance(values, list | tuple) else [values]
    if any(isinstance(part, np.ma.MaskedArray) and np.ma.is_masked(part) for part in parts):
        raise InvalidArgumentError(f"{field} has masked entries; fill them or drop their rows", reason="NOT_FINITE", field=field)


def _stacked(values: Any, field: str) -> NDArray[Any]:
    try:
        return np.asarray(values)
    except ValueError as error:
        raise InvalidArgumentError(f"{field} has rows of different lengths: {error}", reason="SHAPE_MISMATCH", field=field) from error


def _from_torch(tensor: Any) -> tuple[NDArray[Any], bool]:
    torch = sys.modules["torch"]
    tensor = tensor.detach().cpu()
    if tensor.dtype is torch.bfloat16:
        return tensor.contiguous().view(torch.int16).numpy().view(np.uint16), True
    return tensor.numpy(), False


def _from_arrow(values: Any, field: str) -> NDArray[Any]:
    if hasattr(values, "combine_chunks"):
        values = values.combine_chunks()
        if hasattr(values, "chunks"):
            values = values.chunk(0) if values.num_chunks else values.type.wrap_array([])
    if not hasattr(values, "flatten") or not hasattr(values.type, "value_type"):
        raise InvalidArgumentError(
            f"{field} is an Arrow {values.type}; give a FixedSizeList or List column of numbers", reason="DTYPE_NOT_ACCEPTED", field=field
        )
    flat = values.flatten()
    if values.null_count or flat.null_count:
        raise InvalidArgumentError(f"{field} has rows without a vector; drop them", reason="SHAPE_MISMATCH", field=field)
    width = getattr(values.type, "list_size", None)
    if width is None:
        lengths = set(np.diff(np.asarray(values.offsets)).tolist())
        if len(lengths) > 1:
            raise InvalidArgumentError(
                f"{field} has rows of different lengths: {sorted(lengths)[:_SHOWN]}", reason="SHAPE_MISMATCH", field=field
            )
        width = lengths.pop() if lengths else 0
    array: NDArray[Any] = flat.to_numpy(zero_copy_only=False)
    return array.reshape(len(values), width)


def _rounded(array: NDArray[Any], field: str) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        narrow = np.ascontiguousarray(array, dtype="<f4")
    overflown = np.isinf(narrow) & np.isfinite(array)
    if overflown.any():
        rows = np.flatnonzero(overflown.any(axis=1)).tolist()
        listed = ", ".join(map(str, rows[:_SHOWN])) + (f" and {len(rows) - _SHOWN:,} more" if len(rows) > _SHOWN else "")
        raise InvalidArgumentError(
            f"{field} holds values beyond float32 (3.4e38) in rows {listed}; scale or repair them", reason="NOT_FINITE", field=field
        )
    return narrow
