"""What CKA's numerators become under many random pairings; the denominators do not change."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.permutation import Pairings
from consilience_server.engine.cka_features import Features, off_diagonal
from consilience_server.engine.permuted_products import permuted_products

_GRAM_BYTES = 1 << 29
"""Gram matrices of all spaces must fit in this, else the feature form serves whatever it costs."""

_COLUMNS = 1024

# Measured on one core in float64: multiply-adds of a matrix product, and look-ups and products of a permuted Gram matrix, a second.
_PRODUCT_RATE = 1.5e10
_GATHER_RATE = 4e8

Null = dict[tuple[int, int], tuple[NDArray[np.float64], NDArray[np.float64]]]


def permuted_moments(
    spaces: Sequence[Features],
    permutations: int,
    pairings: Pairings,
    threads: int,
    control: Control,
    only: Sequence[tuple[int, int]] | None = None,
) -> Null:
    """|X'Y_rho|_F^2 and sum_i a_i b_rho(i) of pairs of spaces under the same random pairings rho.

    Either in feature form, n d_x d_y multiply-adds a pairing, or by Gram matrices, n^2/2 look-ups a pairing: whichever is estimated cheaper
    and fits. Both are exact; they differ by rounding (relative 1e-12).

    Args:
        spaces: M features over the same n items.
        permutations: K >= 1.
        pairings: which they are.
        threads: of the Gram form; the feature form has BLAS's own.
        control: asked before every pairing, and within it where it is long.
        only: the pairs i < j wanted, None for all.

    Returns:
        For each pair two (K,) float64.
    """
    n = spaces[0].n
    pairs = sorted(off_diagonal(len(spaces)) if only is None else only)
    if not pairs:
        return {}
    earlier, later = ({pair[side] for pair in pairs} for side in (0, 1))
    widths = [space.width for space in spaces]
    product = n * sum(widths[i] * widths[j] for i, j in pairs) / _PRODUCT_RATE
    gather = 0.5 * n * n * len(later) * (1 + 0.15 * len(earlier)) / _GATHER_RATE
    fits = 8 * n * n * (len(later) + 0.5 * len(earlier)) <= _GRAM_BYTES
    cross = _by_gram if fits and gather < product else _by_features
    found: Null = {pair: (np.empty(permutations), np.empty(permutations)) for pair in pairs}
    with ThreadPoolExecutor(max(1, threads) if cross is _by_gram else 1) as pool:
        step = max(1, _COLUMNS // max(widths)) if cross is _by_features else 1
        chunks = [range(start, min(start + step, permutations)) for start in range(0, permutations, step)]
        work = cross(spaces, pairs, control)

        def one(chunk: range) -> dict[tuple[int, int], NDArray[np.float64]]:
            control.check()
            rhos = [pairings.draw(index) for index in chunk]
            values = work(rhos)
            for i, j in found:
                for index, rho in zip(chunk, rhos, strict=True):
                    found[i, j][1][index] = (spaces[i].squares * spaces[j].squares[rho]).sum()
            return values

        for chunk, values in zip(chunks, pool.map(one, chunks), strict=True):
            for pair, norms in values.items():
                found[pair][0][chunk.start : chunk.stop] = norms
            control.progress(chunk.stop / permutations)
    return found


_Cross = Callable[[Sequence[NDArray[np.int64]]], dict[tuple[int, int], NDArray[np.float64]]]


def _by_features(spaces: Sequence[Features], pairs: Sequence[tuple[int, int]], control: Control) -> _Cross:
    def cross(rhos: Sequence[NDArray[np.int64]]) -> dict[tuple[int, int], NDArray[np.float64]]:
        found = {}
        for j in sorted({j for _, j in pairs}):
            right, partners = spaces[j], [i for i, other in pairs if other == j]
            products = {i: np.zeros((spaces[i].width, len(rhos) * right.width)) for i in partners}
            for tile in right.tiles(max(len(rhos) * right.width, *(spaces[i].width for i in partners))):
                control.check()
                # Several pairings side by side make one product large enough to be fast.
                paired = np.concatenate([right.rows(rho[tile]) for rho in rhos], axis=1)
                for i in partners:
                    products[i] += spaces[i].rows(tile).T @ paired
            for i, product in products.items():
                wide = product.reshape(-1, len(rhos), right.width)
                found[i, j] = np.einsum("abc,abc->b", wide, wide)
        return found

    return cross


def _by_gram(spaces: Sequence[Features], pairs: Sequence[tuple[int, int]], control: Control) -> _Cross:
    products = permuted_products(lambda i: spaces[i].values @ spaces[i].values.T, spaces[0].n, pairs, control)

    def cross(rhos: Sequence[NDArray[np.int64]]) -> dict[tuple[int, int], NDArray[np.float64]]:
        drawn = [products(rho) for rho in rhos]
        return {pair: np.array([values[pair] for values in drawn]) for pair in pairs}

    return cross
