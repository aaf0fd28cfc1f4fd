"""All pairwise dissimilarities of a space, in tiles and threads: the fast path of `core/rdm.py`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.rdm import RdmDistance, condensed, dissimilarities, prepared_rows, square, upper_triangle
from consilience_server.engine.row_blocks import for_row_blocks

_TILE = 1 << 19
"""Entries of a tile."""

_TILE_PRODUCTS = 1 << 28
"""Multiply-adds of a tile: a fraction of a second, so that cancellation is heard in time."""


def pairwise(
    x: NDArray[np.floating], distance: RdmDistance, order: NDArray[np.int64], threads: int, control: Control
) -> NDArray[np.float64]:
    """`core/rdm.py: rdm` of the rows in the given order, within its error; the same for any number of threads.

    Args:
        x: (n, d), finite.
        distance: by name.
        order: (n,) the rows in canonical order.
        threads: how many compute.
        control: asked before every tile.

    Returns:
        (n (n-1) / 2,) float64, condensed.

    Raises:
        ZeroVector, ConstantFeatures: as `rdm`.

    Cost:
        O(n^2 d / threads) time; beyond the result a float64 copy of x and a tile a thread.
    """
    rows = prepared_rows(x[order], distance)
    n, width = rows.shape
    pairs = np.empty(n * (n - 1) // 2)
    step = min(_TILE // n, _TILE_PRODUCTS // (n * max(width, 1)))

    def work(block: slice) -> None:
        control.check()
        tile = dissimilarities(rows[block], rows[block.start :], distance)
        for at, row in enumerate(range(block.start, block.stop)):
            # Pairs of earlier rows: row (2n - row - 1) / 2.
            start = row * (2 * n - row - 1) // 2
            pairs[start : start + n - 1 - row] = tile[at, at + 1 :]

    for_row_blocks(n, step, threads, work)
    return pairs


def reordered(matrix: NDArray[np.floating], order: NDArray[np.int64]) -> NDArray[np.float64]:
    """A given dissimilarity matrix, (n, n) or condensed, as condensed pairs in the given order of items.

    Raises:
        ShapeMismatch, NotFinite: as `core/rdm.py: condensed`; or another number of items than `order` has.
    """
    return upper_triangle(square(condensed(matrix, len(order)))[np.ix_(order, order)])


def pairwise_bytes(n: int, widths: Sequence[int], threads: int) -> int:
    """Peak bytes of `pairwise` for each space in turn: what stays of all, and what one needs beside."""
    return 4 * n * n * len(widths) + 24 * n * max(widths) + threads * 24 * min(_TILE + n, n * n)
