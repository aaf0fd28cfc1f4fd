"""CKA of several spaces in feature form: with everything, and without each group of items."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.cka import Moments, squares
from consilience_server.core.control import Control


@dataclass(frozen=True)
class Features:
    """One space, centred, its rows in canonical order.

    Attributes:
        values: (n, r) float64, C-contiguous, r = min(n, d), columns of mean 0, with the Gram matrix of the centred vectors.
        squares: (n,) squared length of each row.
    """

    values: NDArray[np.float64]
    squares: NDArray[np.float64]


def centred_features(x: NDArray[np.floating], order: NDArray[np.int64]) -> Features:
    """Bring one space into canonical order and centre it; where it is wider than it has rows, rotate it into n columns.

    The rotation is the triangular factor of a QR decomposition: the same Gram matrix, hence the same CKA, from fewer columns. O(n^2 d).

    Args:
        x: (n, d), finite.
        order: (n,) the rows in canonical order.
    """
    values = np.array(x[order], dtype=np.float64)
    # From the first row on: a large shift common to all rows costs no digits, and equal rows become exact zeros.
    values -= values[0].copy()
    values -= values.mean(axis=0)
    if values.shape[1] > values.shape[0]:
        triangle: NDArray[np.float64] = np.asarray(np.linalg.qr(values.T, mode="r"))
        values = np.ascontiguousarray(triangle.T)
    return Features(values, squares(values))


@dataclass(frozen=True)
class PairMoments:
    """The moments of two spaces over all items, and over all but each group."""

    full: Moments
    without: tuple[Moments, ...]


def moments_without_groups(
    spaces: Sequence[Features], groups: int, control: Control, pairs: Sequence[tuple[int, int]] | None = None
) -> dict[tuple[int, int], PairMoments]:
    """The moments of pairs i <= j over all items, and over all but each group in turn; 0 groups: over all items only.

    With C = X'Y over all (centred) rows, C_g and the row sums s, t over group g, and n' items left, the rows that are left have, centred
    anew, the cross-product C - C_g - s t'/n'. So all G deletions together cost about one more pass over the data: O(n d^2 + G d^2).

    Args:
        spaces: M features over the same n items.
        groups: G; canonical position c belongs to group c mod G.
        control: asked before every group.
        pairs: which, None for all.
    """
    n = len(spaces[0].values)
    pairs = list(combinations_with_replacement(range(len(spaces)), 2)) if pairs is None else pairs
    # Every space with itself as well: the denominators.
    needed = sorted({*pairs, *((space, space) for pair in pairs for space in pair)})
    norms, cross = {}, {}
    for i, j in needed:
        product = spaces[i].values.T @ spaces[j].values
        norms[i, j] = float(np.vdot(product, product))
        if groups:
            cross[i, j] = product
    full = _moments(n, pairs, norms, [space.squares for space in spaces])
    without: dict[tuple[int, int], list[Moments]] = {pair: [] for pair in pairs}
    for group in range(groups):
        control.check()
        rows = [space.values[group::groups] for space in spaces]
        sums = [part.sum(axis=0) for part in rows]
        kept = n - len(rows[0])
        if not kept:
            continue
        left = {(i, j): cross[i, j] - rows[i].T @ rows[j] - np.outer(sums[i], sums[j] / kept) for i, j in needed}
        lengths = [_squares_without(space, group, groups, total, kept) for space, total in zip(spaces, sums, strict=True)]
        left_norms = {pair: float(np.vdot(product, product)) for pair, product in left.items()}
        for pair, found in _moments(kept, pairs, left_norms, lengths).items():
            without[pair].append(found)
    return {pair: PairMoments(full[pair], tuple(without[pair])) for pair in pairs}


def _squares_without(space: Features, group: int, groups: int, total: NDArray[np.float64], kept: int) -> NDArray[np.float64]:
    """(n',) squared lengths of the rows that are left, centred anew: their mean is -total / kept."""
    mean = total / -kept
    lengths = space.squares - 2.0 * (space.values @ mean) + mean @ mean
    return np.delete(lengths, np.s_[group::groups])


def _moments(
    n: int,
    pairs: Sequence[tuple[int, int]],
    norms: dict[tuple[int, int], float],
    lengths: Sequence[NDArray[np.float64]],
) -> dict[tuple[int, int], Moments]:
    sums = [float(length.sum()) for length in lengths]
    products = {(i, j): float((lengths[i] * lengths[j]).sum()) for i, j in norms}
    return {
        (i, j): Moments(n, norms[i, j], norms[i, i], norms[j, j], sums[i], sums[j], products[i, j], products[i, i], products[j, j])
        for i, j in pairs
    }


def off_diagonal(count: int) -> list[tuple[int, int]]:
    """All pairs i < j of `count` spaces."""
    return list(combinations(range(count), 2))
