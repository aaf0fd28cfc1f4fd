import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

import consilience
from consilience._kernels import array_kernel, may_be_kernel, to_kernel, to_kernel_block
from consilience.v1 import space_pb2

DRAW = np.random.default_rng(0)
POINTS = DRAW.normal(size=(7, 3))
CONDENSED = pdist(POINTS)
SQUARE = squareform(CONDENSED)
INVALID = consilience.InvalidArgumentError


def test_a_condensed_triangle_is_the_square_matrix():
    kernels = [to_kernel(values, "vectors", dissimilarity=True) for values in (CONDENSED, SQUARE, CONDENSED.tolist(), SQUARE.tolist())]
    for kernel in kernels:
        assert kernel.vectors.data.tobytes() == np.float32(SQUARE).tobytes()
        assert kernel.asymmetry == 0


def test_rounding_is_averaged_in_full_precision():
    gram = POINTS @ POINTS.T
    gram[2, 5] += 4e-6 * np.abs(gram).max()
    kernel = to_kernel(gram, "vectors", dissimilarity=False)
    data = kernel.vectors.data
    assert data.tobytes() == data.T.copy().tobytes() == np.float32((gram + gram.T) / 2).tobytes()
    assert kernel.asymmetry == pytest.approx(4e-6 * np.abs(gram).max(), rel=1e-3)


def test_asymmetry_is_refused_unless_its_mean_is_asked_for():
    judged = SQUARE.copy()
    judged[4, 1] += 0.5
    with pytest.raises(INVALID, match=r"vectors\[1, 4\] \('b' with 'e'\) is .* symmetrize=True") as refused:
        to_kernel(judged, "vectors", dissimilarity=True, ids=list("abcdefg"))
    assert (refused.value.reason, refused.value.field) == ("INVALID_KERNEL", "vectors")
    kernel = to_kernel(judged, "vectors", dissimilarity=True, symmetrize=True)
    assert kernel.asymmetry == pytest.approx(0.5)
    assert kernel.vectors.data[1, 4] == kernel.vectors.data[4, 1] == np.float32(SQUARE[1, 4] + 0.25)


def test_a_diagonal_of_rounding_becomes_zero_and_no_other_one():
    noisy = SQUARE + np.diag(np.full(7, 1e-6))
    assert not np.diagonal(to_kernel(noisy, "vectors", dissimilarity=True).vectors.data).any()
    assert np.diagonal(to_kernel(noisy + np.eye(7), "vectors", dissimilarity=True).vectors.data).all()
    assert np.diagonal(to_kernel(noisy, "vectors", dissimilarity=False).vectors.data).all()


REFUSED = {
    "not square": (np.ones((3, 4)), True, r"shape \(3, 4\)"),
    "no condensed length": (np.ones(5), True, "5 entries, which is n"),
    "nothing": (np.ones(0), True, "0 entries"),
    "a condensed similarity": (CONDENSED, False, "lacks the diagonal"),
    "three axes": (np.ones((2, 3, 3)), True, r"shape \(2, 3, 3\)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_matrix_over_items_is_refused(case):
    values, dissimilarity, told = REFUSED[case]
    with pytest.raises(INVALID, match=told) as refused:
        to_kernel(values, "vectors", dissimilarity=dissimilarity)
    assert refused.value.reason == "INVALID_KERNEL"


def test_rows_columns_and_attributes_come_into_byte_order_of_the_ids():
    ids = ["b", "ä", "a", "Z", "\U0001f600", "\uffff", "b1"]
    block, _ = to_kernel_block(ids, SQUARE, {"n": [0, 1, None, 3, 4, 5, 6]}, dissimilarity=True, symmetrize=False)
    assert block.ids == sorted(ids, key=str.encode)
    order = [ids.index(item) for item in block.ids]
    assert block.vectors.data.tobytes() == np.float32(SQUARE[np.ix_(order, order)]).tobytes()
    (column,) = block.columns
    assert column.missing == [block.ids.index("a")]
    assert [value for at, value in enumerate(column.values) if at not in column.missing] == [row for row in order if row != 2]


def test_one_id_a_row():
    with pytest.raises(INVALID, match="3 ids came with a matrix of 7"):
        to_kernel_block(["a", "b", "c"], SQUARE, None, dissimilarity=True, symmetrize=False)


@pytest.mark.parametrize("values", [SQUARE, SQUARE.tolist(), CONDENSED, CONDENSED.tolist()])
def test_shapes_that_may_be_kernels(values):
    assert may_be_kernel(values, 7)


@pytest.mark.parametrize("values", [np.ones((2, 7, 7)), np.ones((2, 21)), [SQUARE, SQUARE]])
def test_shapes_that_may_be_repeats(values):
    assert may_be_kernel(values, 7)


@pytest.mark.parametrize("values", [POINTS, POINTS.tolist(), list(POINTS), "text"])
def test_shapes_that_are_vectors(values):
    assert not may_be_kernel(values, 7)


def test_names_of_what_entries_are():
    assert not array_kernel("similarity", "x_kernel").dissimilarity
    assert array_kernel("euclidean", "x_kernel").dissimilarity_kind == space_pb2.DISSIMILARITY_KIND_EUCLIDEAN
    with pytest.raises(INVALID, match="x_kernel is 'rdm'; it is one of similarity, dissimilarity, euclidean, squared_euclidean"):
        array_kernel("rdm", "x_kernel")
