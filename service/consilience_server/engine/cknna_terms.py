"""The sums that CKNNA is made of, over the edges of neighbour lists alone: the fast path of `core/cknna.py`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.cknna import CknnaMetric


@dataclass(frozen=True)
class Edges:
    """Edges from items to neighbours, under one or more pairings.

    Attributes:
        n: number of items.
        pairings: number of pairings.
        pairing, item, other: (m,) int64.
        back: (m,) where the edge from `other` to `item` of the same pairing stands, -1 where there is none.
    """

    n: int
    pairings: int
    pairing: NDArray[np.int64]
    item: NDArray[np.int64]
    other: NDArray[np.int64]
    back: NDArray[np.int64]

    @staticmethod
    def of(n: int, pairings: int, pairing: NDArray[np.int64], item: NDArray[np.int64], other: NDArray[np.int64]) -> "Edges":
        """Find the edges that go both ways. O(m log m)."""
        keys = (pairing * n + item) * n + other
        reversed_keys = (pairing * n + other) * n + item
        order = np.argsort(keys)
        found = order.take(np.searchsorted(keys, reversed_keys, sorter=order), mode="clip") if len(keys) else order
        return Edges(n, pairings, pairing, item, other, np.where(keys[found] == reversed_keys, found, -1))


def terms(
    metric: CknnaMetric,
    edges: Edges,
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    kept: NDArray[np.bool_] | None = None,
    items: int | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """S of `core/cknna.py` for every pairing: of (x, y), and with the spaces exchanged.

    Args:
        metric: which version.
        edges: where the mask is 1.
        a: (m,) what x has there: similarities, for `cknna_paper` less the mean of their row.
        b: (m,) what y has there.
        kept: (m,) edges that count; None for all.
        items: the n of the formula; None for all items.

    Returns:
        Two (pairings,) float64; the same for the versions that are symmetric.

    Cost:
        O(m log m), or O(m + n) for one pairing.
    """
    n, at = items or edges.n, edges.pairing
    if kept is not None:
        a, b = np.where(kept, a, 0.0), np.where(kept, b, 0.0)
    if metric == "cknna_paper":
        same = _sums(at, a * b, edges.pairings)
        return same, same
    row, column, of = _lines(edges)
    lines = len(of)
    row_a, row_b, column_a, column_b = (_sums(line, values, lines) for line, values in ((row, a), (row, b), (column, a), (column, b)))
    sums = _sums(at, a, edges.pairings) * _sums(at, b, edges.pairings)
    if metric == "cknna_centred":
        margins = _sums(of, row_a * row_b + column_a * column_b, edges.pairings)
        same = _sums(at, a * b, edges.pairings) - margins / n + sums / (n * n)
        return same, same
    two_way = np.flatnonzero(edges.back >= 0)
    both = _sums(at[two_way], a[two_way] * b[edges.back[two_way]], edges.pairings) + sums / ((n - 1) * (n - 2))
    scale = 1.0 / (n * (n - 3))
    paired = (_sums(of, column_a * row_b, edges.pairings), _sums(of, column_b * row_a, edges.pairings))
    return (both - 2.0 / (n - 2) * paired[0]) * scale, (both - 2.0 / (n - 2) * paired[1]) * scale


def _sums(of: NDArray[np.int64], values: NDArray[np.float64], pairings: int) -> NDArray[np.float64]:
    return np.bincount(of, weights=values, minlength=pairings).astype(np.float64)


def _lines(edges: Edges) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """A number for the row and for the column of each edge, the same for both of one item and pairing, and the pairing of each number."""
    if edges.pairings == 1:
        return edges.item, edges.other, np.zeros(edges.n, dtype=np.int64)
    ends = np.concatenate([edges.pairing * edges.n + edges.item, edges.pairing * edges.n + edges.other])
    found, line = np.unique(ends, return_inverse=True)
    return line[: len(edges.item)], line[len(edges.item) :], found // edges.n
