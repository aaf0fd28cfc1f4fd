"""Products of symmetric matrices under random pairings of their items."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control

_ENTRIES = 1 << 16
"""Of a block of rows of one matrix: half a megabyte, which stays near the processor while its columns are looked up."""

_SIDE_BY_SIDE = 8
"""Right matrices from which on their entries stand side by side, so that one look-up moves those of all: measured twice as fast for 12,
half as fast for one."""

Products = Callable[[NDArray[np.int64]], dict[tuple[int, int], float]]


def permuted_products(matrix: Callable[[int], NDArray[np.float64]], n: int, pairs: Sequence[tuple[int, int]], control: Control) -> Products:
    """The Frobenius products of pairs of matrices (i, j), the items of j paired by rho: sum_rs A_rs B_(rho r)(rho s).

    Args:
        matrix: makes matrix number i, symmetric (n, n) float64; called once for every side on which i stands.
        n: number of items.
        pairs: those that are wanted.
        control: asked before every block of rows.

    Returns:
        A function of rho, an (n,) permutation, safe to call from many threads.

    Cost:
        Upper triangles of all left matrices in blocks of rows and all right ones as they are, 4 n^2 and 8 n^2 bytes each; then n^2 / 2
        look-ups for each right matrix, and as many multiply-adds for each pair of a left and a right one.
    """
    earlier, later = (sorted({pair[side] for pair in pairs}) for side in (0, 1))
    at_left, at_right = ({number: at for at, number in enumerate(side)} for side in (earlier, later))
    together = len(later) >= _SIDE_BY_SIDE
    rows = max(1, _ENTRIES // (n * len(later) if together else n))
    blocks = [(start, min(start + rows, n)) for start in range(0, n, rows)]
    left = [np.empty((len(earlier), (stop - start) * (n - start))) for start, stop in blocks]
    for at, number in enumerate(earlier):
        control.check()
        whole = matrix(number)
        for (start, stop), block in zip(blocks, left, strict=True):
            # Symmetric: what is left of a diagonal block is counted by doubling what is right of it.
            half = 2.0 * whole[start:stop, start:]
            half[:, : stop - start] *= 0.5
            block[at] = half.ravel()
        del whole
    right = [matrix(number) for number in later] if not together else []
    entries = np.empty((n, n, len(later) if together else 0))
    if together:
        for at, number in enumerate(later):
            control.check()
            entries[:, :, at] = matrix(number)

    def permuted(rho: NDArray[np.int64], start: int, stop: int) -> NDArray[np.float64]:
        """(entries of the block, right matrices)."""
        if together:
            return np.concatenate([entries[row].take(rho[start:], axis=0) for row in rho[start:stop]])
        return np.stack([whole.take(rho[start:stop], axis=0).take(rho[start:], axis=1).ravel() for whole in right]).T

    def products(rho: NDArray[np.int64]) -> dict[tuple[int, int], float]:
        found = np.zeros((len(earlier), len(later)))
        for (start, stop), block in zip(blocks, left, strict=True):
            control.check()
            moved = permuted(rho, start, stop)
            # Two long rows are no work for the threads of BLAS, which the threads of the caller would have to share.
            found += np.einsum("ai,ib->ab", block, moved) if len(block) == len(later) == 1 else block @ moved
        return {(i, j): float(found[at_left[i], at_right[j]]) for i, j in pairs}

    return products
