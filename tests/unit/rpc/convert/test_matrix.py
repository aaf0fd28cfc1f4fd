"""Matrices: every dtype exactly, and every way that bytes and shape can disagree."""

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from consilience.v1.matrix_pb2 import DATA_TYPE_BFLOAT16, DATA_TYPE_FLOAT16, DATA_TYPE_FLOAT32, DATA_TYPE_FLOAT64, Matrix
from consilience_server.core.errors import DtypeNotAccepted, ShapeMismatch
from consilience_server.rpc.convert.matrix import read_vectors, write_matrix

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=7)


@given(hnp.arrays(np.float32, SHAPES, elements=st.floats(width=32)))
def test_float32_returns_to_the_bit(array):
    again = read_vectors(write_matrix(array), "x")
    assert again.dtype == np.float32
    assert again.flags.c_contiguous
    assert not again.flags.writeable
    assert again.tobytes() == array.tobytes()


@given(hnp.arrays(np.uint16, SHAPES))
def test_float16_is_widened_exactly(bits):
    halves = bits.view(np.float16)
    found = read_vectors(Matrix(data=halves.tobytes(), dtype=DATA_TYPE_FLOAT16, rows=bits.shape[0], columns=bits.shape[1]), "x")
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(found, halves.astype(np.float64))


@given(hnp.arrays(np.uint16, SHAPES))
def test_bfloat16_is_widened_exactly(bits):
    found = read_vectors(Matrix(data=bits.tobytes(), dtype=DATA_TYPE_BFLOAT16, rows=bits.shape[0], columns=bits.shape[1]), "x")
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(found, bits.view(ml_dtypes.bfloat16).astype(np.float64))


def test_answers_of_either_order_and_dimension():
    array = np.arange(6.0).reshape(2, 3)
    for given_array in (array, np.asfortranarray(array)):
        matrix = write_matrix(given_array)
        assert (matrix.rows, matrix.columns, matrix.dtype) == (2, 3, DATA_TYPE_FLOAT64)
        assert matrix.data == array.tobytes()
    column = write_matrix(np.array([1.0, 2.0]))
    assert (column.rows, column.columns) == (2, 1)
    empty = write_matrix(np.empty((0, 4)))
    assert (empty.rows, empty.columns, empty.data) == (0, 4, b"")


def test_float32_is_not_copied():
    matrix = write_matrix(np.ones((3, 2), np.float32))
    assert not read_vectors(matrix, "x").flags.owndata


def test_every_bit_pattern_of_both_short_dtypes():
    bits = np.arange(1 << 16, dtype=np.uint16).reshape(256, 256)
    for dtype, kind in ((DATA_TYPE_FLOAT16, np.float16), (DATA_TYPE_BFLOAT16, ml_dtypes.bfloat16)):
        found = read_vectors(Matrix(data=bits.tobytes(), dtype=dtype, rows=256, columns=256), "x")
        with np.errstate(invalid="ignore"):
            np.testing.assert_array_equal(found, bits.view(kind).astype(np.float64))


BAD = {
    "a byte too few": (Matrix(data=b"\0" * 23, dtype=DATA_TYPE_FLOAT32, rows=2, columns=3), ShapeMismatch, "x.data", "23 bytes.*2 x 3.*24"),
    "a byte too many": (Matrix(data=b"\0" * 25, dtype=DATA_TYPE_FLOAT32, rows=2, columns=3), ShapeMismatch, "x.data", "25 bytes"),
    "a row too many": (Matrix(data=b"\0" * 36, dtype=DATA_TYPE_FLOAT32, rows=2, columns=3), ShapeMismatch, "x.data", "36 bytes"),
    "the width of another dtype": (Matrix(data=b"\0" * 24, dtype=DATA_TYPE_FLOAT16, rows=2, columns=3), ShapeMismatch, "x.data", "12"),
    "no bytes": (Matrix(dtype=DATA_TYPE_FLOAT32, rows=2, columns=3), ShapeMismatch, "x.data", "0 bytes"),
    "no rows": (Matrix(dtype=DATA_TYPE_FLOAT32, columns=3), ShapeMismatch, "x", "0 x 3"),
    "no columns": (Matrix(dtype=DATA_TYPE_FLOAT32, rows=3), ShapeMismatch, "x", "3 x 0"),
    "a shape that overflows": (
        Matrix(data=b"\0" * 4, dtype=DATA_TYPE_FLOAT32, rows=2**32 - 1, columns=2**32 - 1),
        ShapeMismatch,
        "x.data",
        "take",
    ),
    "float64": (Matrix(data=b"\0" * 48, dtype=DATA_TYPE_FLOAT64, rows=2, columns=3), DtypeNotAccepted, "x.dtype", "round them to float32"),
    "no dtype": (Matrix(data=b"\0" * 24, rows=2, columns=3), DtypeNotAccepted, "x.dtype", "float32, float16 and bfloat16"),
    "an unknown dtype": (Matrix(data=b"\0" * 24, dtype=77, rows=2, columns=3), DtypeNotAccepted, "x.dtype", "77"),
    "nothing": (Matrix(), DtypeNotAccepted, "x.dtype", "accepted"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_matrices_are_refused_with_field_and_remedy(case):
    matrix, error, field, words = BAD[case]
    with pytest.raises(error, match=words) as caught:
        read_vectors(matrix, "x")
    assert caught.value.field == field
