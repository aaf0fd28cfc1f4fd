"""CKA of several spaces in feature form: with everything, and without each group of items."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.cka import Moments, squares
from consilience_server.core.control import Control

DENSE_BYTES = 1 << 26
"""A centred copy of a space up to this size is kept; of a larger one tiles are centred whenever they are read."""

_TILE_ENTRIES = 1 << 20

TILE_BYTES = 8 * _TILE_ENTRIES
"""Of the rows of one space that are read at a time."""


@dataclass(frozen=True)
class Features:
    """One space, centred, its rows in canonical order, as a whole or tile by tile.

    Attributes:
        source: (n, r), r = min(n, d): the centred rows in canonical order, float64; or with an `order` the rows as they are given.
        squares: (n,) squared length of each centred row, in canonical order.
        order: (n,) the rows of the source in canonical order; None where they stand in it and are centred.
        first: (r,) what is taken from each row first, so that a large shift common to all rows costs no digits.
        mean: (r,) the mean of what is left.
    """

    source: NDArray[np.floating]
    squares: NDArray[np.float64]
    order: NDArray[np.int64] | None = None
    first: NDArray[np.float64] | None = None
    mean: NDArray[np.float64] | None = None

    @property
    def n(self) -> int:
        """Number of items."""
        return len(self.source)

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.source.shape[1])

    def rows(self, at: slice | NDArray[np.int64]) -> NDArray[np.float64]:
        """(m, r) centred rows at canonical positions; not to be written to."""
        if self.order is None or self.first is None or self.mean is None:
            return np.asarray(self.source[at], dtype=np.float64)
        found: NDArray[np.float64] = np.subtract(self.source[self.order[at]], self.first)
        found -= self.mean
        return found

    @property
    def values(self) -> NDArray[np.float64]:
        """(n, r) all rows."""
        return self.rows(np.s_[:])

    def tiles(self, columns: int = 0) -> Iterator[slice]:
        """Canonical positions, as many at a time as fit a tile of this space, and of so many columns."""
        size = max(1, _TILE_ENTRIES // max(self.width, columns))
        return (slice(start, min(start + size, self.n)) for start in range(0, self.n, size))


def centred_features(x: NDArray[np.floating], order: NDArray[np.int64]) -> Features:
    """Bring one space into canonical order and centre it; where it is wider than it has rows, rotate it into n columns.

    The rotation is the triangular factor of a QR decomposition: the same Gram matrix, hence the same CKA, from fewer columns. O(n^2 d).
    Of a large space nothing is copied but the squares: its tiles are centred when they are read.

    Args:
        x: (n, d), finite; referred to where it is large.
        order: (n,) the rows in canonical order.
    """
    n, width = x.shape
    if width <= n and 8 * n * width > DENSE_BYTES:
        return _streamed(x, order)
    values = np.array(x[order], dtype=np.float64)
    # From the first row on: a large shift common to all rows costs no digits, and equal rows become exact zeros.
    values -= values[0].copy()
    values -= values.mean(axis=0)
    if width > n:
        triangle: NDArray[np.float64] = np.asarray(np.linalg.qr(values.T, mode="r"))
        values = np.ascontiguousarray(triangle.T)
    return Features(values, squares(values))


def _streamed(x: NDArray[np.floating], order: NDArray[np.int64]) -> Features:
    """Two passes: the mean, in canonical order so that no order of rows shows, and the squares."""
    first = x[order[0]].astype(np.float64)
    lengths = np.empty(len(x))
    shifted = Features(x, lengths, order, first, np.zeros(x.shape[1]))
    total: NDArray[np.float64] = np.zeros(x.shape[1])
    for at in shifted.tiles():
        total += shifted.rows(at).sum(axis=0)
    found = Features(x, lengths, order, first, total / len(x))
    for at in found.tiles():
        lengths[at] = squares(found.rows(at))
    return found


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
    anew, the cross-product C - C_g - s t'/n'. So all G deletions together cost about one more pass over the data: O(n d^2 + G d^2), one
    group at a time. Memory: the cross-products, and tiles.

    Args:
        spaces: M features over the same n items.
        groups: G; canonical position c belongs to group c mod G.
        control: asked at every tile.
        pairs: which, None for all.
    """
    n = spaces[0].n
    pairs = list(combinations_with_replacement(range(len(spaces)), 2)) if pairs is None else pairs
    # Every space with itself as well: the denominators.
    needed = sorted({*pairs, *((space, space) for pair in pairs for space in pair)})
    norms, cross = {}, {}
    for i, j in needed:
        product = _cross_product(spaces[i], spaces[j], control)
        norms[i, j] = float(np.vdot(product, product))
        if groups:
            cross[i, j] = product
    full = _moments(n, pairs, norms, *_sums_of_squares([space.squares for space in spaces], needed))
    without: dict[tuple[int, int], list[Moments]] = {pair: [] for pair in pairs}
    totals = [_group_sums(space, groups, control) for space in spaces] if groups else []
    kept = n - group_counts(n, groups) if groups else np.zeros(0, dtype=np.int64)
    lengths, products = _squares_without(spaces, totals, kept, needed, control) if groups else ([], {})
    for group in range(groups):
        if not kept[group]:
            continue
        left_norms = {}
        for i, j in needed:
            left = cross[i, j] - _cross_product(spaces[i], spaces[j], control, np.s_[group::groups])
            left -= np.outer(totals[i][group], totals[j][group] / kept[group])
            left_norms[i, j] = float(np.vdot(left, left))
        sums = [float(length[group]) for length in lengths]
        of_pairs = {pair: float(product[group]) for pair, product in products.items()}
        for pair, found in _moments(int(kept[group]), pairs, left_norms, sums, of_pairs).items():
            without[pair].append(found)
    return {pair: PairMoments(full[pair], tuple(without[pair])) for pair in pairs}


def group_counts(n: int, groups: int) -> NDArray[np.int64]:
    """(G,) items of each group."""
    return np.bincount(np.arange(n) % groups, minlength=groups).astype(np.int64)


def _cross_product(x: Features, y: Features, control: Control, at: slice = np.s_[:]) -> NDArray[np.float64]:
    """X'Y over some canonical positions, a tile at a time."""
    product = np.zeros((x.width, y.width))
    positions = np.arange(x.n)[at]
    for tile in x.tiles(y.width):
        chosen = positions[tile]
        if not len(chosen):
            break
        control.check()
        # Whole tiles of a copy are views of it.
        rows = tile if len(positions) == x.n else chosen
        left = x.rows(rows)
        product += left.T @ (left if x is y else y.rows(rows))
    return product


def _group_sums(space: Features, groups: int, control: Control) -> NDArray[np.float64]:
    """(G, r) the sum of each group's rows."""
    sums = np.zeros((groups, space.width))
    for tile in space.tiles():
        control.check()
        rows = space.rows(tile)
        whole = len(rows) // groups * groups
        found = rows[:whole].reshape(-1, groups, space.width).sum(axis=0)
        found[: len(rows) - whole] += rows[whole:]
        # The first row of a tile belongs to the group of its position.
        sums += np.roll(found, tile.start % groups, axis=0)
    return sums


def _squares_without(
    spaces: Sequence[Features],
    totals: Sequence[NDArray[np.float64]],
    kept: NDArray[np.int64],
    pairs: Sequence[tuple[int, int]],
    control: Control,
) -> tuple[list[NDArray[np.float64]], dict[tuple[int, int], NDArray[np.float64]]]:
    """Of the rows that are left without each group, centred anew: (G,) sums of squared lengths, and of their products for each pair.

    Without group g the mean is m = -total / kept, and a row's squared length |v - m|^2 = |v|^2 - 2 v'm + m'm.
    """
    means = [-total / np.maximum(kept, 1)[:, None] for total in totals]
    lengths = [np.zeros(len(kept)) for _ in spaces]
    products = {pair: np.zeros(len(kept)) for pair in pairs}
    widest = max(space.width for space in spaces)
    for tile in spaces[0].tiles(max(widest, len(kept))):
        control.check()
        inside = np.arange(tile.start, tile.stop)[:, None] % len(kept) != np.arange(len(kept))
        of_tile = []
        for space, mean in zip(spaces, means, strict=True):
            found = space.squares[tile, None] - 2.0 * (space.rows(tile) @ mean.T) + squares(mean)
            of_tile.append(found * inside)
        for at, found in enumerate(of_tile):
            lengths[at] += found.sum(axis=0)
        for i, j in pairs:
            products[i, j] += np.einsum("ng,ng->g", of_tile[i], of_tile[j])
    return lengths, products


def _sums_of_squares(
    lengths: Sequence[NDArray[np.float64]], pairs: Sequence[tuple[int, int]]
) -> tuple[list[float], dict[tuple[int, int], float]]:
    return [float(length.sum()) for length in lengths], {(i, j): float((lengths[i] * lengths[j]).sum()) for i, j in pairs}


def _moments(
    n: int,
    pairs: Sequence[tuple[int, int]],
    norms: dict[tuple[int, int], float],
    sums: Sequence[float],
    products: dict[tuple[int, int], float],
) -> dict[tuple[int, int], Moments]:
    return {
        (i, j): Moments(n, norms[i, j], norms[i, i], norms[j, j], sums[i], sums[j], products[i, j], products[i, i], products[j, j])
        for i, j in pairs
    }


def off_diagonal(count: int) -> list[tuple[int, int]]:
    """All pairs i < j of `count` spaces."""
    return list(combinations(range(count), 2))
