"""Which items to re-embed first, and what that regains: chosen on some of the queries, measured on the others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.mixed_gallery import mixed_lists, scale_of
from consilience_server.bridges.upgrade_lists import Side
from consilience_server.core.control import Control
from consilience_server.core.estimate import Estimate, mean_estimate
from consilience_server.core.relevance import Relevance, recalls_at
from consilience_server.engine.protocol import NeighbourEngine

DEPTH = 10
_AROUND = 100
_FEW = 8000


@dataclass(frozen=True)
class RegainedPoint:
    """Recall@10 of the measuring queries once so many items are re-embedded.

    Attributes:
        items: re-embedded, the first in the order.
        recall: with its interval over queries.
        gain: recall - that of none re-embedded, its interval that of paired differences; below 0 where mixing costs more than it brings.
        per_thousand: gain for each thousand items re-embedded.
        at_random: recall with as many items chosen at random: what the order must beat.
    """

    items: int
    recall: Estimate
    gain: Estimate
    per_thousand: float
    at_random: float


@dataclass(frozen=True)
class Reembedding:
    """The order of the gallery's items, and the curve.

    Attributes:
        order: (n,) int64 rows, first those that regain most.
        missed: (n,) of each item in that order, by how many of the choosing queries it was wanted and not found.
        curve: from none to all items.
        chosen_on: queries that the order was made from.
        measured_on: other queries.
    """

    order: NDArray[np.int64]
    missed: NDArray[np.int64]
    curve: tuple[RegainedPoint, ...]
    chosen_on: int
    measured_on: int


def curve_sizes(n: int) -> tuple[int, ...]:
    """0, then 1000, 2000, 4000, ... items, then all n; in galleries of up to 8,000 an eighth, a quarter and a half instead of thousands."""
    thousands = (1000 * 2**step for step in range(64))
    between = {n // 8, n // 4, n // 2} if n <= _FEW else {size for size in thousands if size < n}
    return (0, *sorted(between - {0, n}), n)


def order_items(
    relevance: Relevance, lists: NDArray[np.integer], around: NDArray[np.integer], n: int, hashes: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All items, from the one whose re-embedding should regain most, and by how many queries each was missed.

    First come items that most queries want and miss through the bridge. Most items are wanted by none of so few queries, so equal ones go
    by what the queries near them lose: each query gives what it misses of its relevant items, 1 - recall, to each of the items around it.
    Then by hash.

    Args:
        relevance: of the choosing queries.
        lists: (m, 10) what they find through the bridge.
        around: (m, depth) their nearest under the new encoder.
        n: items of the gallery.
        hashes: (n,) of the items, so that nothing depends on rows.
    """
    width = np.int64(n)
    wanted = relevance.queries * width + relevance.items
    found = (np.arange(len(lists))[:, None] * width + lists).ravel()
    missing = ~np.isin(wanted, found)
    missed = np.bincount(relevance.items[missing], minlength=n).astype(np.int64)
    loss = np.bincount(relevance.queries[missing], minlength=relevance.count) / np.maximum(relevance.sizes, 1)
    near = np.bincount(around.ravel(), weights=np.repeat(loss, around.shape[1]), minlength=n)
    order = np.lexsort((hashes, -near, -missed)).astype(np.int64)
    return order, missed[order]


def reembedding(
    native: Side,
    translated: Side,
    relevance: Relevance,
    lists: NDArray[np.integer],
    own: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    engine: NeighbourEngine,
    control: Control,
) -> Reembedding:
    """Order the gallery's items by every other query, and simulate re-embedding on the rest.

    Re-embedded items are searched with the new queries, the others through the bridge; either score is standardised by the mean and
    deviation that a bank of choosing queries has with that source (`bridges/mixed_gallery.py`), and the greatest win. Nothing of the
    measuring queries decides order or scale.

    Args:
        native: new queries, and the gallery re-embedded.
        translated: the queries bridged, and the gallery where they meet.
        relevance: of all queries.
        lists: (m, 10) what all queries find through the bridge, m >= 4.
        own: (m,) the row a query must not find, -1 for none.
        hashes: (n,) of the items.
        engine: searches.
        control: cancellation and progress.
    """
    n, m = len(native.gallery), len(lists)
    choosing, measuring = np.arange(0, m, 2), np.arange(1, m, 2)
    by_hash = np.argsort(hashes, kind="stable")
    bank = tuple(scale_of(side.queries[choosing], side.gallery[by_hash[:4096]], side.similarity) for side in (native, translated))
    asked = Side(native.queries[choosing], native.gallery, native.similarity)
    around = engine.query(
        asked.queries, asked.gallery, asked.similarity, min(_AROUND, n - 1), exclude=own[choosing], control=control.silent()
    ).indices
    order, missed = order_items(relevance.some(choosing), lists[choosing], around, n, hashes)
    sides = [Side(side.queries[measuring], side.gallery, side.similarity) for side in (native, translated)]
    of_measuring = relevance.some(measuring)
    sizes = curve_sizes(n)
    recalls: list[NDArray[np.float64]] = []
    random: list[float] = []
    # Another hash order: that of `hashes` decides between equals already.
    shuffled = by_hash[np.random.Philox(key=0).random_raw(n).argsort()]
    for step, size in enumerate(sizes):
        control.progress(step / len(sizes))
        for chosen, keep in ((order, True), (shuffled, False)):
            if not keep and size in (0, n):
                random.append(float(recalls[-1].mean()))
                continue
            control.check()
            is_native = np.zeros(n, dtype=bool)
            is_native[chosen[:size]] = True
            mixed = mixed_lists(sides[0], sides[1], (bank[0], bank[1]), is_native, own[measuring], DEPTH, engine, control.silent())
            found = recalls_at(of_measuring.gains(mixed), of_measuring.sizes, DEPTH)
            if keep:
                recalls.append(found)
            else:
                random.append(float(found.mean()))
    control.progress(1.0)
    return Reembedding(order, missed, _curve(sizes, recalls, random), len(choosing), len(measuring))


def _curve(sizes: Sequence[int], recalls: Sequence[NDArray[np.float64]], random: Sequence[float]) -> tuple[RegainedPoint, ...]:
    points = []
    for size, values, by_chance in zip(sizes, recalls, random, strict=True):
        gain = Estimate(0.0, 0.0, 0.0) if size == 0 else mean_estimate(values - recalls[0], -1.0, 1.0)
        per_thousand = 0.0 if size == 0 else 1000.0 * gain.value / size
        points.append(RegainedPoint(size, mean_estimate(values, 0.0, 1.0), gain, per_thousand, by_chance))
    return tuple(points)
