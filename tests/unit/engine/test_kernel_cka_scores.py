"""CKA from kernels against its definition, against the feature form, and against its own null."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from consilience_server.core.cka import gram_hsic
from consilience_server.core.control import Control
from consilience_server.core.errors import ConstantFeatures
from consilience_server.core.kernel_kind import KernelKind, as_kernel
from consilience_server.core.permutation import canonical_order
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.cka_scores import cka_score
from consilience_server.engine.kernel_cka_scores import gram_of, kernel_cka_scores, kernel_of

N = 40
DRAW = np.random.default_rng(0)
X, Y = DRAW.normal(size=(N, 5)) + 7, DRAW.normal(size=(N, 60))
Y[:, :5] += 2 * X
KEYS = DRAW.integers(0, 2**64, N, dtype=np.uint64)
ORDER = canonical_order(KEYS)
BOTH = pytest.mark.parametrize("unbiased", [False, True], ids=["biased", "unbiased"])


def options(permutations=0, kind="queries", keys=KEYS):
    return ScoreOptions(permutations, 0, 0.05, kind, 0.95, keys, 1)


def score(kernels, unbiased, asked=None):
    return kernel_cka_scores(kernels, ["x", "y"], unbiased, asked or options(), Control())[0, 1]


def judged(seed, levels=7):
    upper = np.triu(np.random.default_rng(seed).integers(1, levels, (N, N)), 1).astype(np.float32)
    return upper + upper.T


@BOTH
def test_gram_matrices_score_as_their_vectors_do(unbiased):
    found = score([gram_of(X, ORDER), gram_of(Y, ORDER)], unbiased, options(49, "items"))
    expected = cka_score(X, Y, unbiased, options(49, "items"), Control())
    for name in ("score", "chance", "excess", "p_value", "calibrated", "threshold", "null_mean"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), abs=1e-10), name
    assert (found.interval.low, found.interval.high) == pytest.approx((expected.interval.low, expected.interval.high), abs=1e-9)


@BOTH
@pytest.mark.parametrize(
    ("kind", "matrix"),
    [
        (KernelKind.SIMILARITY, X @ X.T),
        (KernelKind.EUCLIDEAN, squareform(pdist(X))),
        (KernelKind.SQUARED_EUCLIDEAN, squareform(pdist(X)) ** 2),
        (KernelKind.DISSIMILARITY, squareform(pdist(X)) ** 2),
    ],
)
def test_distances_of_points_score_as_the_points_do(unbiased, kind, matrix):
    found = score([kernel_of(matrix, kind, ORDER), gram_of(Y, ORDER)], unbiased)
    assert found.score == pytest.approx(cka_score(X, Y, unbiased, options(), Control()).score, abs=1e-10)


@BOTH
@pytest.mark.parametrize("kind", list(KernelKind))
def test_a_kernel_of_anything_scores_by_the_definition(unbiased, kind):
    first, second = judged(1), judged(2) + judged(1)
    found = score([kernel_of(first, kind, ORDER), kernel_of(second, kind, ORDER)], unbiased)
    expected = gram_hsic(as_kernel(first, kind), as_kernel(second, kind), unbiased=unbiased).cka
    assert found.score == pytest.approx(expected, abs=1e-10)


@BOTH
def test_chance_is_the_mean_over_pairings(unbiased):
    found = score([kernel_of(judged(3), KernelKind.DISSIMILARITY, ORDER), gram_of(Y, ORDER)], unbiased, options(2000))
    assert found.chance == pytest.approx(found.null_mean, abs=4 * found.null_sd / 2000**0.5)
    assert found.chance == (0 if unbiased else pytest.approx(found.chance))


def test_max_less_d_and_one_less_d_are_the_kernel_of_d():
    distances = judged(4)
    scores = [
        score([kernel_of(matrix, KernelKind.SIMILARITY, ORDER), gram_of(Y, ORDER)], unbiased=False).score
        for matrix in (distances.max() - distances, 1 - distances, -distances)
    ]
    assert scores == pytest.approx([scores[0]] * 3, abs=1e-12)


@BOTH
def test_an_interval_is_wide_enough_to_hold_its_score(unbiased):
    found = score([kernel_of(judged(5) + judged(6), KernelKind.DISSIMILARITY, ORDER), gram_of(Y, ORDER)], unbiased, options(0, "items"))
    assert found.interval.low < found.score < found.interval.high


@BOTH
def test_a_kernel_that_tells_nothing_apart_is_refused(unbiased):
    constant = np.ones((N, N)) if not unbiased else np.ones((N, N)) + np.diag(np.arange(N))
    with pytest.raises(ConstantFeatures, match="x"):
        score([constant, gram_of(Y, ORDER)], unbiased)


@BOTH
def test_unrelated_judgements_are_rarely_called_related(unbiased):
    rejected = 0
    for draw in range(200):
        kernels = [kernel_of(judged(1000 + 2 * draw + side, 4), KernelKind.DISSIMILARITY, np.arange(N)) for side in (0, 1)]
        keys = np.random.default_rng(draw).integers(0, 2**64, N, dtype=np.uint64)
        rejected += score(kernels, unbiased, options(39, keys=keys)).p_value <= 0.05
    # 10 are expected; more than 21 have a chance below .001.
    assert rejected <= 21
