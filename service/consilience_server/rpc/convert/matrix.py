"""Matrices of the contract (little-endian row-major bytes with dtype and shape) to and from NumPy arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience.v1 import matrix_pb2
from consilience_server.core.errors import DtypeNotAccepted, ShapeMismatch

_BYTES = {matrix_pb2.DATA_TYPE_FLOAT32: 4, matrix_pb2.DATA_TYPE_FLOAT16: 2, matrix_pb2.DATA_TYPE_BFLOAT16: 2}
_SENT: dict[str, tuple[matrix_pb2.DataType, str]] = {
    "float32": (matrix_pb2.DATA_TYPE_FLOAT32, "<f4"),
    "float64": (matrix_pb2.DATA_TYPE_FLOAT64, "<f8"),
}


def read_vectors(matrix: matrix_pb2.Matrix, field: str) -> NDArray[np.float32]:
    """The vectors of a request.

    Args:
        matrix: float32, float16 or bfloat16; the latter two are widened without loss.
        field: where the request has it.

    Returns:
        (rows, columns) float32, C-contiguous and read-only; float32 is not copied.

    Raises:
        DtypeNotAccepted: any other dtype, float64 among them.
        ShapeMismatch: no rows, no columns, or bytes that do not fill the shape exactly.
    """
    size = _BYTES.get(matrix.dtype)
    if size is None:
        raise DtypeNotAccepted(_dtype_message(matrix.dtype), field=f"{field}.dtype", dtype=matrix.dtype)
    rows, columns, found = matrix.rows, matrix.columns, len(matrix.data)
    if rows == 0 or columns == 0:
        raise ShapeMismatch(
            f"the matrix is {rows} x {columns}; it needs one row and one column at least", field=field, rows=rows, columns=columns
        )
    if found != rows * columns * size:
        raise ShapeMismatch(
            f"{found:,} bytes do not fill {rows:,} x {columns:,} of {_name(matrix.dtype)}, which take {rows * columns * size:,}; "
            "send little-endian rows without padding",
            field=f"{field}.data",
            bytes=found,
            expected_bytes=rows * columns * size,
        )
    flat = _widened(matrix.data, matrix.dtype)
    flat.flags.writeable = False
    return flat.reshape(rows, columns)


def write_matrix(array: NDArray[Any]) -> matrix_pb2.Matrix:
    """A float32 or float64 array of one or two dimensions for an answer; one dimension becomes one column."""
    dtype, layout = _SENT[array.dtype.name]
    shaped = array.reshape(-1, 1) if array.ndim == 1 else array
    data = np.ascontiguousarray(shaped, dtype=layout).tobytes()
    return matrix_pb2.Matrix(data=data, dtype=dtype, rows=shaped.shape[0], columns=shaped.shape[1])


def _widened(data: bytes, dtype: matrix_pb2.DataType) -> NDArray[np.float32]:
    if dtype == matrix_pb2.DATA_TYPE_BFLOAT16:
        # A bfloat16 is the upper half of a float32.
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    if dtype == matrix_pb2.DATA_TYPE_FLOAT16:
        # A signalling NaN stays a NaN, which the use cases refuse with its row.
        with np.errstate(invalid="ignore"):
            return np.frombuffer(data, "<f2").astype(np.float32)
    return np.frombuffer(data, "<f4").astype(np.float32, copy=False)


def _name(dtype: int) -> str:
    return matrix_pb2.DataType.Name(dtype).removeprefix("DATA_TYPE_").lower()


def _dtype_message(dtype: int) -> str:
    accepted = "float32, float16 and bfloat16 are accepted"
    if dtype == matrix_pb2.DATA_TYPE_FLOAT64:
        return f"float64 vectors are not accepted: round them to float32 first; {accepted}"
    known = dtype in matrix_pb2.DataType.values() and dtype != matrix_pb2.DATA_TYPE_UNSPECIFIED
    return f"the dtype {_name(dtype) if known else dtype} is not accepted; {accepted}"
