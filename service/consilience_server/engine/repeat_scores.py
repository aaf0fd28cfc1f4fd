"""Scores of dissimilarity matrices with each repeat of another, with the dual bootstrap over repeats and items."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.dual_bootstrap import Resampled, resample
from consilience_server.core.errors import ConstantFeatures, TooFewItems
from consilience_server.core.noise_ceiling import compare_known
from consilience_server.core.rdm import upper_triangle
from consilience_server.core.rsa import RdmComparison, unit_pairs


@dataclass(frozen=True)
class RepeatScores:
    """One matrix against R repeats.

    Attributes:
        by_repeat: (R,) its score with each.
        resampled: the dual bootstrap of the mean; None where it was not asked.
    """

    by_repeat: NDArray[np.float64]
    resampled: Resampled | None

    @property
    def score(self) -> float:
        """The mean over the repeats."""
        return float(self.by_repeat.mean())


def repeat_scores(
    matrices: Sequence[NDArray[np.float64]],
    repeats: NDArray[np.float64],
    comparison: RdmComparison,
    draws: int,
    seed: int,
    threads: int,
    control: Control,
) -> list[RepeatScores]:
    """Compare M matrices with each repeat of the same items, pairwise complete, and bootstrap the means.

    Args:
        matrices: M of (n, n), without gaps; diagonals are not looked at.
        repeats: (R, n, n), NaN where a repeat lacks a pair; items in canonical order, as in the matrices.
        comparison: by name, `core/rsa.py`.
        draws: of the bootstrap; 0 leaves it out.
        seed: names them.
        threads: how many compute; no number depends on it.
        control: asked at every draw.

    Raises:
        TooFewItems, ConstantFeatures: a comparison over all items is undefined.

    Cost:
        A draw sorts (M + R) n^2 / 2 values, for Kendall's tau M R n^2 / 2 with a logarithm more. Memory `repeat_bytes`.
    """

    def scores_of(items: NDArray[np.int64] | None) -> NDArray[np.float64]:
        control.check()
        return _scores(matrices, repeats, comparison, items)

    full = scores_of(None)
    if not draws:
        return [RepeatScores(row, None) for row in full]
    with ThreadPoolExecutor(max(1, threads)) as pool:

        def run(one: Callable[[int], NDArray[np.float64] | None], which: range) -> list[NDArray[np.float64] | None]:
            found = []
            for done, values in enumerate(pool.map(one, which)):
                found.append(values)
                control.progress((done + 1) / len(which))
            return found

        drawn = resample(scores_of, len(repeats), repeats.shape[1], draws, seed, run)
    return [RepeatScores(row, resampled) for row, resampled in zip(full, drawn, strict=True)]


def repeat_bytes(n: int, matrices: int, repeats: int, threads: int) -> int:
    """Peak bytes of `repeat_scores` beyond the matrices and repeats: pairs of all in each thread, and scratch for their ranks."""
    return threads * (8 * n * n * (matrices + repeats) + 64 * n * n)


def _scores(
    matrices: Sequence[NDArray[np.float64]], repeats: NDArray[np.float64], comparison: RdmComparison, items: NDArray[np.int64] | None
) -> NDArray[np.float64]:
    """(M, R) scores on all items, or on items drawn with replacement, where NaN marks what is undefined."""
    left, right = [_pairs(matrix, items) for matrix in matrices], [_pairs(repeat, items) for repeat in repeats]
    shared = comparison not in {"kendall_tau_a", "kendall_tau_b"} and not any(np.isnan(pairs).any() for pairs in right)
    try:
        if shared:
            # Without gaps every side is prepared once, not once a comparison.
            x, y = (np.array([unit_pairs(pairs, comparison, "x") for pairs in side]) for side in (left, right))
            products: NDArray[np.float64] = np.clip(x @ y.T, -1.0, 1.0)
            return products
        return np.array([[compare_known(one, other, comparison) for other in right] for one in left])
    except (ConstantFeatures, TooFewItems):
        if items is None:
            raise
        return np.full((len(left), len(right)), np.nan)


def _pairs(matrix: NDArray[np.float64], items: NDArray[np.int64] | None) -> NDArray[np.float64]:
    """The pairs i < j, of drawn items those of two different ones."""
    if items is None:
        return upper_triangle(matrix)
    apart = upper_triangle(items[:, None] != items)
    pairs: NDArray[np.float64] = upper_triangle(matrix[np.ix_(items, items)])[apart]
    return pairs
