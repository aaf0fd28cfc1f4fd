"""A split of known pairs whose held-out ones the fit does not give away: groups whole, copies on one side of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from consilience_server.bridges.held_out import Split, near_copies, split_pairs
from consilience_server.bridges.held_out_retrieval import MAX_HELD_OUT_QUERIES
from consilience_server.core.control import Control
from consilience_server.core.errors import TooFewPairs
from consilience_server.engine.identical_rows import group_identical_rows

Numbers = NDArray[np.int64]
Side = tuple[NDArray[np.float32], Numbers]
"""The vectors of a space, (n, d), and the row of each pair in it, (p,)."""


@dataclass(frozen=True)
class CleanSplit:
    """What may be fitted on and what is asked.

    Attributes:
        split: near-copies of what is asked are in neither part.
        near_copies: how many those are.
        groups: (f,) of the pairs of the fit, equal for those that no fold may tear apart; None: every pair stands alone.
        notes: what weakens the test, in plain sentences.
    """

    split: Split
    near_copies: int
    groups: Numbers | None
    notes: tuple[str, ...]


def clean_split(
    source_ids: Sequence[str], sides: tuple[Side, Side], fraction: float, seed: int, groups: Numbers | None, needed: int, control: Control
) -> CleanSplit:
    """Split by `split_pairs`, with pairs that have an equal vector on either side in one group, and leave out near-copies.

    Where that leaves fewer than `needed` different pairs for the fit, as where a side has few different vectors at all, only the groups
    given stay whole, and only pairs nearly the same on both sides count as copies; a note says that the report flatters.

    Args:
        source_ids: (p,) of the pairs.
        sides: vectors and rows, source then target.
        fraction: to hold out, in (0, 1).
        seed: of the split.
        groups: (p,) numbers from 0, or None.
        needed: pairs that a fit needs.
        control: cancellation.

    Raises:
        TooFewPairs: all pairs are one group, or copies of each other.

    Cost: f h (d_x + d_y) for f pairs of the fit and h held-out ones, at most 4,096 of them.
    """
    alike = _equal_vectors(sides)
    whole = groups if alike is None else _united(alike if groups is None else np.stack((groups, *alike)))
    if whole is None or whole.any():
        split = split_pairs(source_ids, fraction, seed, whole)
        copies = _copies(split, sides, control, on_both_sides=False)
        kept = Split(split.fit[~copies], split.held_out)
        different = len(kept.fit) if alike is None else len(np.unique(_united(alike)[kept.fit]))
        if different >= needed or (alike is None and not copies.any()):
            told = _notes(kept, fraction, whole, alike)
            return CleanSplit(kept, int(copies.sum()), None if whole is None else whole[kept.fit], told)
    split = split_pairs(source_ids, fraction, seed, groups)
    copies = _copies(split, sides, control, on_both_sides=True)
    kept = Split(split.fit[~copies], split.held_out)
    if copies.any() and len(kept.fit) < needed:
        raise TooFewPairs(
            f"{int(copies.sum()):,} of the {len(split.fit):,} pairs for the fit are nearly the same as held-out ones, and "
            f"{len(kept.fit):,} others are left: give pairs of more items",
            field="pairs",
            near_copies=int(copies.sum()),
        )
    shared = int(_copies(kept, sides, control, on_both_sides=False).sum())
    told = _notes(kept, fraction, groups, None)
    if shared:
        flattered = f"{shared:,} pairs of the fit have on one side nearly the vector of a held-out pair, and too few have not"
        told = (f"{flattered}: the report flatters", *told)
    return CleanSplit(kept, int(copies.sum()), None if groups is None else groups[kept.fit], told)


def _equal_vectors(sides: tuple[Side, Side]) -> Numbers | None:
    """(2, p) the number of each pair's vector on either side; None where no two pairs have one in common."""
    found = np.stack([group_identical_rows(vectors[rows]).group for vectors, rows in sides])
    return None if all(number.max() == len(number) - 1 for number in found) else found


def _united(numberings: Numbers) -> Numbers:
    """(p,) groups from 0 of pairs that have an equal number in any of the (m, p) numberings, or a chain of such."""
    count = numberings.shape[1]
    firsts = []
    for numbers in numberings:
        _, first, of_pair = np.unique(numbers, return_index=True, return_inverse=True)
        firsts.append(first[of_pair])
    ends = np.tile(np.arange(count), len(firsts)), np.concatenate(firsts)
    graph = coo_array((np.ones(len(ends[0]), dtype=np.int8), ends), shape=(count, count))
    united: Numbers = connected_components(graph, directed=False)[1].astype(np.int64)
    return united


def _copies(split: Split, sides: tuple[Side, Side], control: Control, *, on_both_sides: bool) -> NDArray[np.bool_]:
    """Of the pairs of the fit; only held-out pairs that are asked count."""
    fit, held = split.fit, split.held_out[:MAX_HELD_OUT_QUERIES]
    (x, held_x), (y, held_y) = ((vectors[rows[fit]], vectors[rows[held]]) for vectors, rows in sides)
    return near_copies(x, y, held_x, held_y, control, on_both_sides=on_both_sides)


def _notes(split: Split, fraction: float, groups: Numbers | None, alike: Numbers | None) -> tuple[str, ...]:
    if groups is None:
        return ()
    notes = []
    if alike is not None:
        shared = np.zeros(alike.shape[1], dtype=bool)
        for numbers in alike:
            shared |= np.bincount(numbers)[numbers] > 1
        notes.append(f"{int(shared.sum()):,} pairs have a vector in common with another pair, and stay on one side of the split with it")
    asked = split.held_out[:MAX_HELD_OUT_QUERIES]
    drawn = len(np.unique(groups[asked]))
    if drawn < len(asked):
        notes.append(
            f"the {len(asked):,} held-out queries are of {drawn:,} groups, and the intervals take them as independent: they are too narrow"
        )
    wanted, largest = round(fraction * len(groups)), int(np.bincount(groups).max())
    if 2 * len(split.held_out) < wanted:
        notes.append(
            f"{len(split.held_out):,} pairs are held out where {wanted:,} were asked for: a group of {largest:,} of the {len(groups):,} "
            "pairs cannot be torn apart, and stays in the fit"
        )
    return tuple(notes)
