"""The per-item term of the inverted softmax: log sum_q' exp(b s(q', t)) over a bank, for millions of items in bounded memory."""

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.exact_product import Slices, cut
from consilience_server.core.exact_score import exact_norms

_BLOCK = 1024
"""Items, and queries of the bank, in work at once. The blocks of the bank are part of the order of summation, so of the last bit."""


def log_partition(
    items: NDArray[np.float32], bank: NDArray[np.float32], beta: float, control: Control, *, itself: bool = False
) -> NDArray[np.float64]:
    """L(t) = log sum_q' exp(b cos(q', t)) of every item, (n,) float64.

    Cosines come from the slices of `core/exact_product.py`, within 2^-26 of the definition up to 4,096 columns (2^-30 at 768), with the
    same bits wherever an item stands: equal items have equal terms. Sums go block by block of the bank, the largest exponent taken out, so
    nothing overflows or vanishes at any b.

    Args:
        items: (n, d) float32, no zero rows.
        bank: (m, d) float32, no zero rows; m >= 1.
        beta: b, above 0.
        control: cancellation and progress.
        itself: the bank is the items, and none counts in its own sum; n >= 2.
    """
    n = len(items)
    terms = np.empty(n)
    for start in range(0, n, _BLOCK):
        block = slice(start, min(start + _BLOCK, n))
        terms[block] = _block_terms(items[block], bank, beta, control, start if itself else None)
        control.progress(block.stop / n)
    return terms


def partition_bytes(n: int, d: int) -> int:
    """Peak bytes of `log_partition` beyond its inputs."""
    return 8 * n + 12 * 8 * _BLOCK * _BLOCK + 8 * 8 * _BLOCK * d


def _directions(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    unit: NDArray[np.float64] = rows / exact_norms(rows)[:, None]
    return unit


def _cosines(left: Slices, right: Slices) -> NDArray[np.float64]:
    """As `exact_product`, without the product of both low slices, which is below the error that is there anyway."""
    products: NDArray[np.float64] = left.low @ right.high
    products += left.high @ right.low
    products += left.high @ right.high
    return products


def _block_terms(
    items: NDArray[np.float32], bank: NDArray[np.float32], beta: float, control: Control, first: int | None
) -> NDArray[np.float64]:
    """Of one block of items; `first` is the place in the bank of the first of them, None where they are not in it."""
    left = cut(_directions(items), inner_axis=1)
    largest, total = np.full(len(items), -np.inf), np.zeros(len(items))
    for start in range(0, len(bank), _BLOCK):
        control.check()
        right = cut(np.ascontiguousarray(_directions(bank[start : start + _BLOCK]).T), inner_axis=0)
        exponents = _cosines(left, right)
        exponents *= beta
        if first is not None:
            own = first - start + np.arange(len(items))
            inside = (own >= 0) & (own < exponents.shape[1])
            exponents[np.flatnonzero(inside), own[inside]] = -np.inf
        # A block of one item that is itself has no finite exponent; zero stands in, and the sum stays what it was.
        now = np.maximum(largest, exponents.max(axis=1))
        shift = np.where(np.isfinite(now), now, 0.0)
        total = total * np.exp(largest - shift) + np.exp(exponents - shift[:, None]).sum(axis=1)
        largest = now
    terms: NDArray[np.float64] = largest + np.log(total)
    return terms
