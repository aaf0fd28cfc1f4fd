"""How far a mean score over repeats would move with other subjects and other items: the bootstrap over both at once, corrected."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

LEAST_ITEMS = 4
"""Distinct items below which a draw of items is not scored."""


@dataclass(frozen=True)
class Resampled:
    """Mean scores under resampling, one a draw; a draw that could not be scored is left out of all three.

    Attributes:
        both: subjects and items resampled.
        subjects: subjects alone, items as they are.
        items: items alone.
        undefined: draws left out.
    """

    both: NDArray[np.float64]
    subjects: NDArray[np.float64]
    items: NDArray[np.float64]
    undefined: int


def resample(
    scores_of: Callable[[NDArray[np.int64] | None], NDArray[np.float64]],
    repeats: int,
    n: int,
    draws: int,
    seed: int,
    run: Callable[[Callable[[int], NDArray[np.float64] | None], range], Iterable[NDArray[np.float64] | None]] = map,
) -> list[Resampled]:
    """Draw subjects and items with replacement; all three bootstraps share their draws, so that their variances compare.

    Args:
        scores_of: the (M, R) scores of M matrices with R repeats on items drawn with replacement, given by their (n,) ascending positions,
            or on all items (None); NaN where undefined. An item that was drawn twice makes a pair with itself, which must not count.
        repeats: R.
        n: number of items.
        draws: of each bootstrap.
        seed: names the draws, whatever their number.
        run: as `map`, and may work on several draws at once.

    Returns:
        One for each of the M matrices.
    """
    full = scores_of(None)

    def one(draw: int) -> NDArray[np.float64] | None:
        subjects, items = drawn(seed, 2 * draw, repeats), drawn(seed, 2 * draw + 1, n)
        if len(np.unique(items)) < min(n, LEAST_ITEMS):
            return None
        of_items = scores_of(items)
        return np.array([of_items[:, subjects].mean(axis=1), full[:, subjects].mean(axis=1), of_items.mean(axis=1)])

    found = np.full((draws, 3, len(full)), np.nan)
    for draw, values in enumerate(run(one, range(draws))):
        if values is not None:
            found[draw] = values
    return [_without_undefined(found[:, :, matrix].T) for matrix in range(len(full))]


def _without_undefined(found: NDArray[np.float64]) -> Resampled:
    kept = np.asarray(np.isfinite(found).all(axis=0))
    both, subjects, items = found[:, kept]
    return Resampled(both, subjects, items, int(len(kept) - kept.sum()))


def drawn(seed: int, index: int, n: int) -> NDArray[np.int64]:
    """(n,) positions 0 to n - 1 drawn with replacement, ascending: n uniform numbers of the stream that names permutation `index`."""
    bits = np.random.Philox(key=np.array([seed, index], dtype=np.uint64)).random_raw(n)
    # The upper 53 bits as a share of n: uniform to 2^-53 n.
    return np.sort(((bits >> np.uint64(11)) * (n / 2.0**53)).astype(np.int64))


def dual_variance(resampled: Resampled, repeats: int, n: int) -> float:
    """The variance of a mean score under sampling of subjects and of items.

    The variance of the joint bootstrap counts the noise of single measurements several times. With v_s, v_i, v_b of subjects, items and
    both, R subjects and n items:
    ```
    v = R/(R-1) v_s + n/(n-1) v_i - R/(R-1) n/(n-1) (v_b - v_s - v_i)
    ```
    held between the larger of its first two terms and v_b.

    Source:
        Schütt, Kipnis, Diedrichsen, Kriegeskorte 2023 (eLife 12: e82566); the small-sample form is that of rsatoolbox's
        `eval_dual_bootstrap`.
    """
    v_both, v_subjects, v_items = (float(np.var(part, ddof=1)) for part in (resampled.both, resampled.subjects, resampled.items))
    of_subjects, of_items = repeats / (repeats - 1) * v_subjects, n / (n - 1) * v_items
    joint = repeats / (repeats - 1) * n / (n - 1) * (v_both - v_subjects - v_items)
    return min(max(of_subjects + of_items - joint, of_subjects, of_items), max(v_both, of_subjects, of_items))


def dual_interval(score: float, variance: float, repeats: int, n: int, confidence: float) -> tuple[float, float]:
    """The score -+ t sqrt(variance) with min(R, n) - 1 degrees of freedom, within [-1, 1]."""
    width = float(student.ppf(0.5 + confidence / 2, min(repeats, n) - 1)) * variance**0.5
    return max(score - width, -1.0), min(score + width, 1.0)
