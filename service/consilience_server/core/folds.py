"""Folds of a cross-validation, decided by the items themselves."""

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import TooFewItems


def item_folds(n: int, folds: int) -> NDArray[np.int64]:
    """(n,) the fold of each canonical position c: c mod folds. As canonical order is that of the items' hashes, folds are random but fixed.

    Raises:
        TooFewItems: fewer than two items a fold.
    """
    check_folds(n, folds)
    return np.arange(n, dtype=np.int64) % folds


def grouped_folds(groups: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    """(n,) the fold of each canonical position, all items of a group in one fold: no group is both fitted and predicted.

    Groups are taken in the order of their first items and put into the fold that has the fewest items so far.

    Args:
        groups: (n,) the group of each canonical position, any whole numbers.
        folds: how many.

    Raises:
        TooFewItems: fewer groups than folds, or fewer than two items a fold on average.
    """
    check_folds(len(groups), folds)
    _, first, of = np.unique(groups, return_index=True, return_inverse=True)
    if len(first) < folds:
        fewer = f"ask at most {len(first)} folds, or group" if len(first) > 1 else "group"
        raise TooFewItems(
            f"{len(first)} groups cannot be spread over {folds} folds; {fewer} by another attribute",
            field="spec.predictivity.folds",
            groups=len(first),
        )
    sizes, filled = np.bincount(of), np.zeros(folds, dtype=np.int64)
    fold_of = np.empty(len(first), dtype=np.int64)
    for group in np.argsort(first, kind="stable"):
        fold = int(filled.argmin())
        fold_of[group] = fold
        filled[fold] += sizes[group]
    return fold_of[of].astype(np.int64)


def check_folds(n: int, folds: int) -> None:
    """TooFewItems where folds have fewer than two items."""
    if n < 2 * folds:
        raise TooFewItems(
            f"{folds} folds of {n} items; linear predictivity needs two items a fold: add items, or ask at most {max(n // 2, 2)} folds",
            field="spec.predictivity.folds",
            n=n,
            least=2 * folds,
        )
