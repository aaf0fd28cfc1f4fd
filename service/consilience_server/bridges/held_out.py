"""Which known pairs a fit never sees: decided by each item's name and the seed, not by where its row stands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.centring import centred, unit_mean
from consilience_server.core.control import Control
from consilience_server.core.errors import TooFewPairs
from consilience_server.core.tie_order import tie_keys
from consilience_server.engine.identical_rows import group_identical_rows

NEAR_COPY = 0.999
"""Cosine of centred directions from which an item counts as a copy of another."""

_FEW_DIMENSIONS = 3
_BLOCK_ROWS = 2048


@dataclass(frozen=True)
class Split:
    """Positions of the pairs.

    Attributes:
        fit: (f,) int64, ascending by hash: a random order that the seed decides.
        held_out: (h,) int64, ascending by hash.
    """

    fit: NDArray[np.int64]
    held_out: NDArray[np.int64]


def split_pairs(source_ids: Sequence[str], fraction: float, seed: int, groups: NDArray[np.int64] | None = None) -> Split:
    """Keep out the `round(fraction * n)` pairs (at least one) whose source ids have the smallest hashes under the seed.

    The same pairs in another order are split alike; pairs added later move few others across. Groups stay whole: each goes by the hash of
    its first id in byte order, until enough pairs are out; one group at least is left for the fit. A group of more than twice as many pairs
    as are wanted is not held out, so that none takes the place of the fit, unless all groups are that large.

    Args:
        source_ids: (n,) different ids, one a pair.
        fraction: share to keep out, in (0, 1).
        seed: another one, another split.
        groups: (n,) whole numbers from 0, equal for pairs of one group; None: every pair is a group.

    Raises:
        TooFewPairs: all pairs are one group.
    """
    names = np.asarray(source_ids, dtype=object).astype(str)
    keys = tie_keys(f"held-out:{seed}", source_ids)
    order = np.lexsort((names, keys)).astype(np.int64)
    count = max(1, round(fraction * len(order)))
    if groups is None:
        return Split(order[count:], order[:count])
    first = np.lexsort((names, groups))
    leaders = first[np.unique(groups[first], return_index=True)[1]]
    if len(leaders) < 2:
        raise TooFewPairs(f"all {len(order):,} pairs are one group, so none can be held out; give pairs of other groups", field="pairs")
    by_hash = np.lexsort((names[leaders], keys[leaders]))
    sizes = np.bincount(groups)[by_hash]
    small = sizes <= max(2 * count, int(sizes.min()))
    by_hash, reached = by_hash[small], np.cumsum(sizes[small])
    taken = min(int(np.searchsorted(reached, count)) + 1, len(leaders) - 1)
    out = np.isin(groups, by_hash[:taken])
    return Split(order[~out[order]], order[out[order]])


def near_copies(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    held_x: NDArray[np.float32],
    held_y: NDArray[np.float32],
    control: Control,
    *,
    on_both_sides: bool = False,
) -> NDArray[np.bool_]:
    """Which pairs of the fit are nearly the same as a held-out one on either side, (f,): a test on their copies would flatter the map.

    One side is enough: where five captions belong to one image, a map that has learnt four of them finds the fifth, whatever the spaces.
    Nearly: a cosine of `NEAR_COPY` or more between directions centred by the mean of the fit (`core/centring.py`), so that a space whose
    items all lie in one narrow cone has no more copies than another. An item that is the mean itself is no copy. In a space of three
    dimensions or less directions are near by chance, so only equal vectors count.

    Args:
        x: (f, d_x) float32, source rows of the fit, not zero.
        y: (f, d_y) float32, their partners.
        held_x: (h, d_x) float32, held-out source rows.
        held_y: (h, d_y) float32, their partners.
        control: cancellation.
        on_both_sides: count only pairs that are nearly the same as one held-out pair on both sides.

    Cost: f h (d_x + d_y).
    """
    copies = np.zeros(len(x), dtype=bool)
    if not (len(x) and len(held_x)):
        return copies
    of_x, of_y = _nearness(x, held_x), _nearness(y, held_y)
    for block in _blocks(len(x)):
        control.check()
        near, other = of_x(block), of_y(block)
        copies[block] = ((near & other) if on_both_sides else (near | other)).any(axis=1)
    return copies


def copied_rows(rows: NDArray[np.float32], fitted: NDArray[np.float32], control: Control) -> NDArray[np.bool_]:
    """Which rows of one side are nearly the same as a row of the fit, (h,), by the measure of `near_copies`.

    Args:
        rows: (h, d) float32, not zero.
        fitted: (f, d) float32, the rows of the fit on that side, not zero; their mean is the centre.
        control: cancellation.

    Cost: f h d.
    """
    copied = np.zeros(len(rows), dtype=bool)
    if not (len(rows) and len(fitted)):
        return copied
    near = _nearness(fitted, rows)
    for block in _blocks(len(fitted)):
        control.check()
        copied |= near(block).any(axis=0)
    return copied


def _blocks(count: int) -> list[slice]:
    return [slice(start, min(start + _BLOCK_ROWS, count)) for start in range(0, count, _BLOCK_ROWS)]


def _nearness(fitted: NDArray[np.float32], held: NDArray[np.float32]) -> Callable[[slice], NDArray[np.bool_]]:
    """Of a block of rows of the fit, (rows, h) whether each is nearly the same as each held-out one, on one side."""
    if fitted.shape[1] <= _FEW_DIMENSIONS:
        codes = group_identical_rows(np.concatenate((fitted, held))).group
        return lambda block: codes[: len(fitted)][block, None] == codes[len(fitted) :]
    mean = unit_mean(fitted)
    directions = centred(held, mean).T
    return lambda block: centred(fitted[block], mean) @ directions >= NEAR_COPY
