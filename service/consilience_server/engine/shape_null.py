"""Sums of singular values of the cross-products of feature matrices under many random pairings; nothing else of a shape metric changes."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.permutation import Pairings
from consilience_server.engine.alignment_scores import Pair

_ROWS = 4096
_COLUMNS = 1024


def nuclear_norm(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """|X'Y|_*, the sum of singular values."""
    return float(np.linalg.svd(x.T @ y, compute_uv=False).sum())


def permuted_nuclear_norms(
    spaces: Sequence[NDArray[np.float64]], pairs: Sequence[Pair], count: int, pairings: Pairings, threads: int, control: Control
) -> dict[Pair, NDArray[np.float64]]:
    """|X_i' X_j[rho]|_* of pairs of spaces under the same random pairings rho: X_i' X_j[rho] anew each time, and its singular values.

    Bases and norms do not depend on the pairing, so nothing is decomposed again but that small matrix.

    Args:
        spaces: (n, r) float64 each, over the same n items in canonical order.
        pairs: (i, j) into `spaces`; the pairing moves the rows of j.
        count: K >= 1.
        pairings: which random pairings.
        threads: how many compute.
        control: asked in every pairing.

    Returns:
        For every pair (K,) float64.

    Cost:
        n r_i r_j + O(r^3) multiply-adds a pair and pairing; memory 8 bytes times (4096 + r_i) * max(1024, r_j) a thread.
    """
    n = len(spaces[0])
    found = {pair: np.empty(count) for pair in pairs}
    partners = {j: [i for i, moved in pairs if moved == j] for j in sorted({j for _, j in pairs})}
    # Several pairings side by side make one product large enough to be fast.
    step = max(1, _COLUMNS // max(space.shape[1] for space in spaces))
    chunks = [range(start, min(start + step, count)) for start in range(0, count, step)]

    def one(chunk: range) -> dict[Pair, NDArray[np.float64]]:
        rhos = [pairings.draw(index) for index in chunk]
        values = {}
        for j, lefts in partners.items():
            right = spaces[j]
            products = {i: np.zeros((spaces[i].shape[1], len(rhos) * right.shape[1])) for i in lefts}
            for start in range(0, n, _ROWS):
                control.check()
                paired = np.concatenate([right[rho[start : start + _ROWS]] for rho in rhos], axis=1)
                for i in lefts:
                    products[i] += spaces[i][start : start + _ROWS].T @ paired
            for i, product in products.items():
                stacked = product.reshape(-1, len(rhos), right.shape[1]).transpose(1, 0, 2)
                values[i, j] = np.linalg.svd(stacked, compute_uv=False).sum(axis=1)
        return values

    with ThreadPoolExecutor(max(1, threads)) as pool:
        for chunk, values in zip(chunks, pool.map(one, chunks), strict=True):
            for pair, norms in values.items():
                found[pair][chunk.start : chunk.stop] = norms
            control.progress(chunk.stop / count)
    return found
