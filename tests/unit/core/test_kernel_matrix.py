import numpy as np
import pytest

from consilience_server.core.errors import InvalidKernel, NotFinite
from consilience_server.core.kernel_kind import KernelKind, as_kernel, nearness
from consilience_server.core.kernel_matrix import check_kernel_matrix

IDS = ["p", "q", "r"]
DISTANCES = np.array([[0, 3, 4], [3, 0, 5], [4, 5, 0]], dtype=np.float32)
INNER = np.array([[2, 1, 0], [1, 3, -4], [0, -4, 9]], dtype=np.float32)
ALL = list(KernelKind)
DISSIMILARITIES = [kind for kind in ALL if kind.is_dissimilarity]


def changed(matrix, *entries):
    matrix = matrix.copy()
    for i, j, value in entries:
        matrix[i, j] = value
    return matrix


@pytest.mark.parametrize("kind", DISSIMILARITIES)
def test_distances_are_dissimilarities_of_every_kind(kind):
    check_kernel_matrix(DISTANCES, IDS, kind)


def test_estimates_of_dissimilarities_may_fall_below_zero():
    check_kernel_matrix(changed(DISTANCES, (1, 2, -1), (2, 1, -1)), IDS, KernelKind.DISSIMILARITY)
    check_kernel_matrix(np.array([[0, -1], [-1, 0]], dtype=np.float32), IDS[:2], KernelKind.DISSIMILARITY)


def test_an_inner_product_is_a_similarity_though_an_entry_exceeds_one_of_its_diagonal_entries():
    vectors = np.random.default_rng(0).standard_normal((40, 5), dtype=np.float32) * np.arange(1, 41, dtype=np.float32)[:, None]
    gram = vectors @ vectors.T
    gram = np.maximum(gram, gram.T)
    assert (gram > np.diagonal(gram)).any()
    check_kernel_matrix(gram, [str(row) for row in range(40)], KernelKind.SIMILARITY)
    check_kernel_matrix(INNER, IDS, KernelKind.SIMILARITY)


CONTRADICTIONS = {
    "distances called similarities": (
        DISTANCES,
        KernelKind.SIMILARITY,
        r"entry \[0, 1\] \('p' with 'q'\) is 3 and exceeds .* 0 and 0",
    ),
    "similarities called distances": (INNER, KernelKind.DISSIMILARITY, r"entry \[0, 0\] \('p' with itself\) is 2; a dissimilarity is zero"),
    "distances of the wrong sign": (-DISTANCES, KernelKind.DISSIMILARITY, "every item is farthest from itself: declare .* a similarity"),
    "one diagonal entry": (changed(DISTANCES, (2, 2, 1e-3)), KernelKind.EUCLIDEAN, r"entry \[2, 2\] \('r' with itself\) is 0.001"),
    "one similarity": (changed(INNER, (0, 1, 3.5), (1, 0, 3.5)), KernelKind.SIMILARITY, r"\[0, 1\].* is 3.5 and exceeds both .* 2 and 3"),
    "a distance below zero": (changed(DISTANCES, (1, 2, -1), (2, 1, -1)), KernelKind.SQUARED_EUCLIDEAN, r"\[1, 2\].* is -1 and is a dist"),
    "asymmetry": (
        changed(DISTANCES, (2, 0, 4.5)),
        KernelKind.DISSIMILARITY,
        r"\[0, 2\] \('p' with 'r'\) is 4 and .* 4.5; .*symmetrize",
    ),
    "the last bit": (changed(DISTANCES, (2, 0, np.nextafter(np.float32(4), 5))), KernelKind.DISSIMILARITY, r"\[0, 2\].* differs"),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_contradictions_are_refused_with_position_items_and_values(case):
    matrix, kind, told = CONTRADICTIONS[case]
    with pytest.raises(InvalidKernel, match=told) as refused:
        check_kernel_matrix(matrix, IDS, kind)
    assert refused.value.field == "batch.vectors"


def test_a_dissimilarity_of_no_known_kind_may_be_negative():
    check_kernel_matrix(changed(DISTANCES, (1, 2, -1), (2, 1, -1)), IDS, KernelKind.DISSIMILARITY)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(kind, value):
    matrix = DISTANCES if kind.is_dissimilarity else INNER
    with pytest.raises(NotFinite, match=r"\[1, 2\] \('q' with 'r'\)"):
        check_kernel_matrix(changed(matrix, (1, 2, value), (2, 1, value)), IDS, kind)


@pytest.mark.parametrize("shape", [(3, 4), (2, 3), (4, 4)])
def test_what_is_not_square_or_of_other_items_is_refused(shape):
    with pytest.raises(InvalidKernel, match=f"3 items came with a matrix of {shape[0]} x {shape[1]}"):
        check_kernel_matrix(np.zeros(shape, np.float32), IDS, KernelKind.DISSIMILARITY)


def test_one_item_is_no_kernel():
    with pytest.raises(InvalidKernel, match="one item"):
        check_kernel_matrix(np.zeros((1, 1), np.float32), ["p"], KernelKind.DISSIMILARITY)


def test_faults_beyond_the_first_block_of_rows_are_found():
    n = 1500
    matrix = np.ones((n, n), np.float32) - np.eye(n, dtype=np.float32)
    matrix[1400, 20] = 2
    with pytest.raises(InvalidKernel, match=r"\[20, 1400\].* is 1 and differs from its mirror image 2"):
        check_kernel_matrix(matrix, [str(row) for row in range(n)], KernelKind.DISSIMILARITY)


def test_nearness_is_exact_and_has_no_negative_zero():
    assert nearness(INNER, KernelKind.SIMILARITY).tolist() == INNER.astype(np.float64).tolist()
    found = nearness(DISTANCES, KernelKind.EUCLIDEAN)
    assert found.tolist() == (-DISTANCES.astype(np.float64)).tolist()
    assert not np.signbit(np.diagonal(found)).any()


@pytest.mark.parametrize(("kind", "power"), [(KernelKind.EUCLIDEAN, 1), (KernelKind.SQUARED_EUCLIDEAN, 2), (KernelKind.DISSIMILARITY, 2)])
def test_the_kernel_of_distances_is_the_gram_matrix_once_centred(kind, power):
    points = np.random.default_rng(0).normal(size=(12, 4))
    distances = np.linalg.norm(points[:, None] - points[None], axis=2) ** power
    centre = np.eye(12) - 1 / 12
    centred = centre @ as_kernel(distances, kind) @ centre
    gram = centre @ points @ points.T @ centre
    assert centred == pytest.approx(gram * (1 if kind is KernelKind.EUCLIDEAN else 2), abs=1e-12)


def test_rules_are_told_as_formulas():
    assert [kind.kernel_rule for kind in ALL] == ["s", "-d", "-d^2/2", "-d"]
    assert [kind.nearness_rule for kind in ALL] == ["s", "-d", "-d", "-d"]
