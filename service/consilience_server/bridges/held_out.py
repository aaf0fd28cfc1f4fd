"""Which known pairs a fit never sees: decided by each item's name and the seed, not by where its row stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.centring import centred, unit_mean
from consilience_server.core.control import Control
from consilience_server.core.errors import TooFewPairs
from consilience_server.core.tie_order import tie_keys

NEAR_COPY = 0.999
"""Cosine of centred directions, on both sides, from which a pair counts as a copy of another."""

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
    its first id in byte order, until enough pairs are out; one group at least is left for the fit.

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
    reached = np.cumsum(np.bincount(groups)[by_hash])
    taken = min(int(np.searchsorted(reached, count)) + 1, len(leaders) - 1)
    out = np.isin(groups, by_hash[:taken])
    return Split(order[~out[order]], order[out[order]])


def near_copies(
    x: NDArray[np.float32], y: NDArray[np.float32], held_x: NDArray[np.float32], held_y: NDArray[np.float32], control: Control
) -> NDArray[np.bool_]:
    """Which pairs of the fit are nearly the same as a held-out one on both sides, (f,): a test on their copies would flatter the map.

    Nearly: a cosine of `NEAR_COPY` or more between directions centred by the mean of the fit (`core/centring.py`), so that a space whose
    items all lie in one narrow cone has no more copies than another. An item that is the mean itself is no copy. In spaces of three
    dimensions or less directions are near by chance, so only equal vectors count.

    Args:
        x: (f, d_x) float32, source rows of the fit, not zero.
        y: (f, d_y) float32, their partners.
        held_x: (h, d_x) float32, held-out source rows.
        held_y: (h, d_y) float32, their partners.
        control: cancellation.

    Cost: f h (d_x + d_y).
    """
    copies = np.zeros(len(x), dtype=bool)
    for start, near in _near_blocks(x, y, held_x, held_y, control):
        copies[start : start + len(near)] = near.any(axis=1)
    return copies


def copied_pairs(
    x: NDArray[np.float32], y: NDArray[np.float32], held_x: NDArray[np.float32], held_y: NDArray[np.float32], control: Control
) -> NDArray[np.bool_]:
    """Which held-out pairs have a near-copy among those of the fit, (h,): the same question as `near_copies`, answered for the others.

    Args: as `near_copies`.
    """
    copied = np.zeros(len(held_x), dtype=bool)
    for _, near in _near_blocks(x, y, held_x, held_y, control):
        copied |= near.any(axis=0)
    return copied


def _near_blocks(
    x: NDArray[np.float32], y: NDArray[np.float32], held_x: NDArray[np.float32], held_y: NDArray[np.float32], control: Control
) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Blocks of pairs of the fit: where each starts, and (rows, h) whether the two pairs are nearly the same."""
    if not len(x):
        return
    blocks = [slice(start, start + _BLOCK_ROWS) for start in range(0, len(x), _BLOCK_ROWS)]
    if max(x.shape[1], y.shape[1]) <= _FEW_DIMENSIONS:
        both = np.ascontiguousarray(np.concatenate((np.hstack((x, y)), np.hstack((held_x, held_y)))))
        # Equal bytes, equal numbers.
        codes = np.unique(both.view(np.dtype((np.void, both.dtype.itemsize * both.shape[1]))).ravel(), return_inverse=True)[1]
        for rows in blocks:
            yield rows.start, codes[: len(x)][rows, None] == codes[len(x) :]
        return
    means = unit_mean(x), unit_mean(y)
    held = centred(held_x, means[0]), centred(held_y, means[1])
    for rows in blocks:
        control.check()
        yield rows.start, (centred(x[rows], means[0]) @ held[0].T >= NEAR_COPY) & (centred(y[rows], means[1]) @ held[1].T >= NEAR_COPY)
