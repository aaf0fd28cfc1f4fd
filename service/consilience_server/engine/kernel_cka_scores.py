"""CKA where a side is a kernel: from Gram matrices, with chance, p-value, calibrated score and interval."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.kernel_kind import KernelKind, as_kernel
from consilience_server.core.score import Score
from consilience_server.engine.alignment_scores import Pair, ScoreOptions
from consilience_server.engine.form_scores import form_bytes, form_scores
from consilience_server.engine.pair_forms import KernelSource, Source, UnbiasedKernelSource


def kernel_cka_scores(
    kernels: Sequence[NDArray[np.float64]],
    names: Sequence[str],
    unbiased: bool,  # noqa: FBT001 - two estimators of one metric
    options: ScoreOptions,
    control: Control,
    pairs: Sequence[Pair] | None = None,
) -> dict[Pair, Score]:
    """Pairs i <= j of M kernels, all unless some are named, under shared permutations. Definition: `core/cka.py: gram_hsic`.

    Within 1e-10 of it, and for Gram matrices of vectors of the feature form (`cka_scores.py`). In [-1, 1]: a kernel that is no inner
    product (of a dissimilarity that is no squared distance) can score below 0. `chance` is exact, of the unbiased estimator 0.

    Args:
        kernels: M of (n, n), symmetric, items in canonical order: `kernel_of` and `gram_of` make them.
        names: of the spaces, for refusals.
        unbiased: which estimator.
        options: how scores are judged.
        control: cancellation and progress.
        pairs: those that are wanted.

    Raises:
        ConstantFeatures: a kernel has one value everywhere, or, unbiased, off its diagonal.

    Cost:
        O(n^2) a permutation; memory `kernel_cka_bytes`.
    """
    of_kernel = UnbiasedKernelSource if unbiased else KernelSource
    sources: list[Source] = [of_kernel(kernel, name) for kernel, name in zip(kernels, names, strict=True)]
    return form_scores(sources, -1.0, options, control, pairs)


def kernel_of(matrix: NDArray[np.floating], kind: KernelKind, order: NDArray[np.int64]) -> NDArray[np.float64]:
    """The kernel of a kernel space (`core/kernel_kind.py: as_kernel`), its items in canonical order."""
    return as_kernel(matrix[np.ix_(order, order)], kind)


def gram_of(vectors: NDArray[np.floating], order: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n, n) inner products of centred vectors in canonical order. O(n^2 d)."""
    rows = np.array(vectors[order], dtype=np.float64)
    # From the first row on: a large shift common to all rows costs no digits.
    rows -= rows[0].copy()
    rows -= rows.mean(axis=0)
    gram: NDArray[np.float64] = rows @ rows.T
    return gram


def kernel_cka_bytes(n: int, widths: Sequence[int], threads: int) -> int:
    """Peak bytes of kernels and scores beyond the spaces."""
    return 16 * n * n * len(widths) + 8 * n * max(widths) + form_bytes(n, len(widths), threads)
