"""What admission is asked for work on matrices is no less than what the work takes."""

import tracemalloc

import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.kernel_cka_scores import gram_of, kernel_cka_bytes, kernel_cka_scores, kernel_of
from consilience_server.engine.precomputed_neighbours import kernel_join, kernel_join_bytes
from consilience_server.engine.repeat_scores import repeat_bytes, repeat_scores

N = 400
KEYS = np.random.default_rng(0).integers(0, 2**64, N, dtype=np.uint64)


def symmetric(seed, dtype=np.float32):
    upper = np.triu(np.random.default_rng(seed).random((N, N)), 1).astype(dtype)
    return upper + upper.T


def peak(work):
    work()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("unbiased", [False, True])
def test_cka_of_kernels(unbiased):
    matrix, vectors, order = symmetric(1), symmetric(2)[:, :50], np.arange(N)
    options = ScoreOptions(3, 0, 0.05, "items", 0.95, KEYS, 2)

    def work():
        kernels = [kernel_of(matrix, KernelKind.EUCLIDEAN, order), gram_of(vectors, order)]
        kernel_cka_scores(kernels, ["x", "y"], unbiased, options, Control())

    assert peak(work) <= kernel_cka_bytes(N, [N, 50], 2)


@pytest.mark.parametrize("rows", [None, np.arange(30)])
def test_neighbours_from_a_matrix(rows):
    matrix = np.round(symmetric(3), 1)

    def work():
        kernel_join(matrix, KernelKind.DISSIMILARITY, 20, queries=rows, tie_keys=KEYS, control=Control())

    # Tails of tied rows are the table's own and taken from the account when it is kept.
    table = kernel_join(matrix, KernelKind.DISSIMILARITY, 20, queries=rows, tie_keys=KEYS, control=Control())
    assert peak(work) <= kernel_join_bytes(N if rows is None else 30, N, 20) + 4 * table.nbytes


def test_repeats():
    matrices, repeats = [symmetric(4, np.float64)], np.array([symmetric(seed, np.float64) for seed in range(5, 8)])
    assert peak(lambda: repeat_scores(matrices, repeats, "spearman", 4, 0, 2, Control())) <= repeat_bytes(N, 1, 3, 2)
