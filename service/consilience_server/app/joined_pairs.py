"""Pairs joined by an attribute: every source item with every target item of its value, up to a number."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.known_pairs import KnownPairs, check_directions, check_gallery
from consilience_server.app.shared_values import Values
from consilience_server.bridges.held_out_retrieval import MAX_HELD_OUT_QUERIES
from consilience_server.core.tie_order import tie_keys
from consilience_server.engine.snapshot import Snapshot

FIELD = "pairs.attribute"

MOST_PAIRS = 100
"""Pairs of one value: all say little more than some, as they share what the value is, and a large one must not outweigh the rest."""

MOST_HELD_OUT = 8 * MAX_HELD_OUT_QUERIES
"""Pairs of the queries that are asked, all of which are compared with the fit for near-copies."""


@dataclass(frozen=True)
class JoinedPairs:
    """Pairs of equal value.

    Attributes:
        pairs: by ascending source id, then target id; an item may stand in several.
        values: (p,) int64, the number of each pair's value.
        gallery: (n,) int64, that of each target item, -1 for none.
        capped: values that have more than `MOST_PAIRS`.
        left_out: pairs of these that are not among `pairs`.
    """

    pairs: KnownPairs
    values: NDArray[np.int64]
    gallery: NDArray[np.int64]
    capped: int
    left_out: int


def joined_pairs(values: Values, source: Snapshot, target: Snapshot) -> JoinedPairs:
    """All pairs of equal value; of a value with more than `MOST_PAIRS`, so many.

    Which these are is decided by a hash of the ids alone: the items of the larger side in that order are dealt to those of the smaller one
    in turn, again and again from one further on, so that every item stands in about as many pairs as another of its side.

    Args:
        values: of `shared_values`.
        source: of the bridge.
        target: of the bridge.

    Raises:
        ZeroVector: an item of a pair, or any item of the target, has no direction.
    """
    of_source, of_target = (_Rows.of(side) for side in values)
    keys = tuple(_keys(side, snapshot) for side, snapshot in zip(values, (source, target), strict=True))
    rows: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    numbers, capped, left_out = [], 0, 0
    for value in np.intersect1d(*values):
        if value < 0:
            continue
        one, other = of_source.with_value(value), of_target.with_value(value)
        every = len(one) * len(other)
        if every > MOST_PAIRS:
            capped += 1
            left_out += every - MOST_PAIRS
            one, other = (side[np.argsort(hashed[side], kind="stable")] for side, hashed in zip((one, other), keys, strict=True))
        rows.append(_dealt(one, other, min(every, MOST_PAIRS)))
        numbers.append(np.full(min(every, MOST_PAIRS), value))
    source_rows, target_rows = (np.concatenate(side) for side in zip(*rows, strict=True))
    order = np.lexsort((target_rows, source_rows))
    pairs = KnownPairs(source.ids[source_rows[order]], target.ids[target_rows[order]], source_rows[order], target_rows[order])
    check_directions(source, np.unique(source_rows), FIELD)
    check_gallery(target)
    return JoinedPairs(pairs, np.concatenate(numbers)[order], values[1], capped, left_out)


def held_out_queries(pairs: KnownPairs, held: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of held-out pairs in an order that keeps those of one source together: the first of each source that is asked, and all of these.

    At most 4,096 sources are asked, with at most eight times as many pairs between them.

    Args:
        pairs: all.
        held: (h,) positions of the held-out ones.
    """
    rows = pairs.source_rows[held]
    first = np.sort(np.unique(rows, return_index=True)[1])
    ends = np.append(first[1:], len(held))
    asked = max(int(np.searchsorted(ends, MOST_HELD_OUT, side="right")), 1)
    asked = min(asked, MAX_HELD_OUT_QUERIES)
    return held[first[:asked]], held[: ends[asked - 1]]


def joined_bytes(values: Values) -> int:
    """Peak of joining: rows, numbers and ids of all pairs, and the order they are put in."""
    most = max(int(side.max(initial=-1)) for side in values) + 1
    one, other = (np.bincount(side[side >= 0], minlength=most) for side in values)
    pairs = int(np.minimum(one * other, MOST_PAIRS).sum())
    return 128 * pairs + 64 * (len(values[0]) + len(values[1]))


@dataclass(frozen=True)
class _Rows:
    """Rows of a side by value."""

    order: NDArray[np.int64]
    values: NDArray[np.int64]

    @classmethod
    def of(cls, values: NDArray[np.int64]) -> "_Rows":
        order = np.argsort(values, kind="stable")
        return cls(order, values[order])

    def with_value(self, value: np.int64) -> NDArray[np.int64]:
        return self.order[np.searchsorted(self.values, value) : np.searchsorted(self.values, value, side="right")]


def _keys(values: NDArray[np.int64], snapshot: Snapshot) -> NDArray[np.uint64]:
    """A hash of each item's id, 0 for items without a value."""
    keys = np.zeros(len(values), dtype=np.uint64)
    having = np.flatnonzero(values >= 0)
    keys[having] = tie_keys("joined", snapshot.ids[having])
    return keys


def _dealt(one: NDArray[np.int64], other: NDArray[np.int64], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """`count` different pairs; every item of the larger side stands in as many as another, or in one more."""
    larger, smaller = (one, other) if len(one) >= len(other) else (other, one)
    rounds, at = np.divmod(np.arange(count), len(larger))
    dealt = larger[at], smaller[(at + rounds) % len(smaller)]
    return dealt if larger is one else (dealt[1], dealt[0])
