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

    Groups are spread as by `spread_groups`.

    Args:
        groups: (n,) the group of each canonical position, any whole numbers.
        folds: how many.

    Raises:
        TooFewItems: fewer groups than folds, or fewer than two items a fold on average.
    """
    check_folds(len(groups), folds)
    count = len(np.unique(groups))
    if count < folds:
        fewer = f"ask at most {count} folds, or group" if count > 1 else "group"
        raise TooFewItems(
            f"{count} groups cannot be spread over {folds} folds; {fewer} by another attribute",
            field="spec.predictivity.folds",
            groups=count,
        )
    return spread_groups(groups, folds)


def spread_groups(groups: NDArray[np.int64], sets: int) -> NDArray[np.int64]:
    """(n,) the set, 0 .. sets - 1, of each canonical position: groups are kept whole, and sets have about as many items.

    Groups are taken in the order of their first items and put into the set that has the fewest items so far. No set is empty where there
    are as many groups as sets.
    """
    _, first, of = np.unique(groups, return_index=True, return_inverse=True)
    sizes, filled = np.bincount(of), np.zeros(sets, dtype=np.int64)
    set_of = np.empty(len(first), dtype=np.int64)
    for group in np.argsort(first, kind="stable"):
        chosen = int(filled.argmin())
        set_of[group] = chosen
        filled[chosen] += sizes[group]
    return set_of[of].astype(np.int64)


def check_folds(n: int, folds: int) -> None:
    """TooFewItems where folds have fewer than two items."""
    if n < 2 * folds:
        raise TooFewItems(
            f"{folds} folds of {n} items; linear predictivity needs two items a fold: add items, or ask at most {max(n // 2, 2)} folds",
            field="spec.predictivity.folds",
            n=n,
            least=2 * folds,
        )
