import ml_dtypes
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from consilience import InvalidArgumentError
from consilience._convert import from_matrix, is_layered, to_ids, to_vectors
from consilience.v1 import matrix_pb2

VALUES = [[1.5, -2.0, 0.25], [0.0, 3.0, -0.5]]
ARRAY = np.array(VALUES, dtype=np.float32)

KINDS = {
    "numpy": ARRAY,
    "non-contiguous": np.asfortranarray(ARRAY),
    "big-endian": ARRAY.astype(">f4"),
    "strided": np.repeat(ARRAY, 2, axis=0)[::2],
    "float64": ARRAY.astype(np.float64),
    "nested lists": VALUES,
    "tuples": tuple(map(tuple, VALUES)),
    "list of arrays": list(ARRAY),
    "torch": torch.tensor(VALUES),
    "torch with gradient": torch.tensor(VALUES, requires_grad=True),
    "torch transposed": torch.tensor(VALUES).T.contiguous().T,
    "list of tensors": list(torch.tensor(VALUES)),
    "arrow fixed": pa.FixedSizeListArray.from_arrays(pa.array(ARRAY.ravel()), 3),
    "arrow fixed, sliced": pa.FixedSizeListArray.from_arrays(pa.array(np.concatenate([ARRAY, ARRAY]).ravel()), 3).slice(2),
    "arrow list": pa.array(VALUES),
    "arrow list, sliced": pa.array([[9.0, 9.0, 9.0], *VALUES]).slice(1),
    "arrow chunked": pa.chunked_array([pa.array(VALUES[:1]), pa.array(VALUES[1:])]),
    "pandas frame": pd.DataFrame(VALUES),
    "pandas series of arrays": pd.Series(list(ARRAY)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_everything_a_caller_may_have_becomes_the_same_matrix(kind):
    vectors = to_vectors(KINDS[kind])
    assert vectors.dtype == matrix_pb2.DATA_TYPE_FLOAT32
    assert vectors.data.flags.c_contiguous
    assert vectors.data.dtype.str == "<f4"
    np.testing.assert_array_equal(vectors.data, ARRAY)


def test_contiguous_float32_is_not_copied():
    assert np.shares_memory(to_vectors(ARRAY).data, ARRAY)
    tensor = torch.tensor(VALUES)
    assert np.shares_memory(to_vectors(tensor).data, tensor.numpy())


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (ARRAY.astype(np.float16), matrix_pb2.DATA_TYPE_FLOAT16),
        (torch.tensor(VALUES, dtype=torch.float16), matrix_pb2.DATA_TYPE_FLOAT16),
        (torch.tensor(VALUES, dtype=torch.bfloat16), matrix_pb2.DATA_TYPE_BFLOAT16),
        (list(torch.tensor(VALUES, dtype=torch.bfloat16)), matrix_pb2.DATA_TYPE_BFLOAT16),
        (ARRAY.astype(ml_dtypes.bfloat16), matrix_pb2.DATA_TYPE_BFLOAT16),
    ],
)
def test_half_precision_travels_as_it_is_and_widens_exactly(values, dtype):
    vectors = to_vectors(values)
    message = vectors.to_matrix()
    assert (vectors.dtype, len(message.data), message.rows, message.columns) == (dtype, 12, 2, 3)
    np.testing.assert_array_equal(vectors.to_float32(), ARRAY)
    np.testing.assert_array_equal(from_matrix(message).astype(np.float32), ARRAY)


def test_bfloat16_bits_are_the_upper_half_of_float32():
    values = np.random.default_rng(0).standard_normal((50, 7)).astype(np.float32)
    tensor = torch.tensor(values).to(torch.bfloat16)
    np.testing.assert_array_equal(to_vectors(tensor).to_float32(), tensor.float().numpy())


def test_float64_is_rounded_to_the_nearest_float32():
    value = 1 + 2**-24 + 2**-30
    assert to_vectors([[value]]).data[0, 0] == np.float32(1 + 2**-23)


def test_integers_and_booleans_are_numbers():
    np.testing.assert_array_equal(to_vectors(np.array([[1, 2], [3, 4]])).data, [[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(to_vectors(np.eye(2, dtype=bool)).data, np.eye(2))


@pytest.mark.filterwarnings("error")
def test_float64_overflow_is_refused_with_the_rows():
    values = np.ones((20, 2))
    values[[3, 17], 1] = [1e39, -1e300]
    with pytest.raises(InvalidArgumentError, match="rows 3, 17") as refused:
        to_vectors(values)
    assert (refused.value.reason, refused.value.field) == ("NOT_FINITE", "vectors")


def test_infinities_and_nan_of_the_caller_are_left_to_the_server():
    values = to_vectors([[np.inf, np.nan]]).data
    assert np.isinf(values[0, 0])
    assert np.isnan(values[0, 1])


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([1.0, 2.0], "SHAPE_MISMATCH"),
        (np.ones((2, 2, 2)), "SHAPE_MISMATCH"),
        ([[1.0], [1.0, 2.0]], "SHAPE_MISMATCH"),
        (pa.array([[1.0], [1.0, 2.0]]), "SHAPE_MISMATCH"),
        (pa.array([[1.0], None]), "SHAPE_MISMATCH"),
        ([["a", "b"]], "DTYPE_NOT_ACCEPTED"),
        (np.array([[1j]]), "DTYPE_NOT_ACCEPTED"),
        (pa.array([1.0]), "DTYPE_NOT_ACCEPTED"),
        ([torch.ones(2), torch.ones(2, dtype=torch.bfloat16)], "DTYPE_NOT_ACCEPTED"),
    ],
)
def test_what_is_no_matrix_of_numbers_is_refused(values, reason):
    with pytest.raises(InvalidArgumentError) as refused:
        to_vectors(values, "queries")
    assert (refused.value.reason, refused.value.field) == (reason, "queries")


@pytest.mark.parametrize("pack", [lambda masked: masked, list], ids=["array", "list of rows"])
def test_masked_entries_are_refused_and_masks_without_any_are_not(pack):
    whole = np.ma.masked_array(ARRAY, mask=False)
    np.testing.assert_array_equal(to_vectors(pack(whole)).data, ARRAY)
    broken = whole.copy()
    broken[1, 2] = np.ma.masked
    with pytest.raises(InvalidArgumentError, match="masked") as refused:
        to_vectors(pack(broken))
    assert (refused.value.reason, refused.value.field) == ("NOT_FINITE", "vectors")


def test_a_single_vector_is_one_row_where_that_makes_sense():
    assert to_vectors([1.0, 2.0], single=True).data.shape == (1, 2)


def test_empty_matrices_keep_their_width():
    assert to_vectors(np.empty((0, 4), np.float32)).columns == 4
    assert to_vectors(pa.FixedSizeListArray.from_arrays(pa.array([], pa.float32()), 3)).data.shape == (0, 3)
    assert to_vectors(pa.chunked_array([], pa.list_(pa.float32(), 3))).data.shape == (0, 3)


@pytest.mark.parametrize(
    "ids", [["a", "b"], ("a", "b"), np.array(["a", "b"]), pa.array(["a", "b"]), pd.Series(["a", "b"]), pd.Index(["a", "b"])]
)
def test_ids_are_a_list_of_str(ids):
    assert to_ids(ids) == ["a", "b"]
    assert all(type(item) is str for item in to_ids(ids))


@pytest.mark.parametrize("ids", [[1, 2], ["a", None], "ab"])
def test_ids_that_are_no_strings_are_refused(ids):
    with pytest.raises(InvalidArgumentError) as refused:
        to_ids(ids)
    assert refused.value.reason == "INVALID_ID"


def test_layers_are_recognised():
    assert is_layered(np.ones((5, 2, 3)))
    assert is_layered([ARRAY, ARRAY])
    assert is_layered(torch.ones(5, 2, 3))
    assert not is_layered(ARRAY)
    assert not is_layered(VALUES)
    assert not is_layered(list(ARRAY))
    assert not is_layered([])
