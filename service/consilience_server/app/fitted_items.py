"""What a bridge has seen of its spaces as they are now: the items of its fit, what belongs to them, and what is nearly the same."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.call import Call
from consilience_server.app.known_pairs import KnownPairs
from consilience_server.app.pair_groups import GROUP_ATTRIBUTE
from consilience_server.app.snapshots import Snapshots
from consilience_server.bridges.artefact import BridgeArtefact, pair_keys, seen_pairs
from consilience_server.bridges.held_out import copied_rows
from consilience_server.bridges.held_out_retrieval import MAX_HELD_OUT_QUERIES
from consilience_server.core.control import Control
from consilience_server.core.tie_order import tie_keys
from consilience_server.engine.snapshot import Snapshot

Masks = tuple[NDArray[np.bool_], NDArray[np.bool_]]
"""Of the items of the source and of the target."""

_BLOCK_BYTES = 9 * 2048 * MAX_HELD_OUT_QUERIES


@dataclass(frozen=True)
class NewPairs:
    """Pairs that a bridge can be measured on.

    Attributes:
        kept: (m,) positions among the pairs asked, in an order by hash, at most 4,096.
        fitted: pairs left out because the bridge was fitted on an item of theirs.
        grouped: left out because they have the `group_id` of one of those.
        copies: left out of the first 4,096 others because they are nearly the same, on either side, as an item of the fit.
        flattered: whether all others were such copies on one side, and are kept for that.
    """

    kept: NDArray[np.int64]
    fitted: int
    grouped: int
    copies: int
    flattered: bool

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out beside the pairs of the fit, and what weakens the rest."""
        told = []
        if self.grouped:
            told.append(f"pairs left out because they have the group_id of an item that the bridge was fitted on: {self.grouped:,}")
        if self.copies:
            told.append(f"pairs left out as near-copies, on either side, of items that the bridge was fitted on: {self.copies:,}")
        if self.flattered:
            told.append("all pairs have on one side nearly the vector of an item that the bridge was fitted on, which flatters it")
        return tuple(told)


def fitted_rows(artefact: BridgeArtefact, source: Snapshot, target: Snapshot) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the items that a bridge was fitted on, in each of its spaces; none where it does not tell."""
    target_keys = artefact.fit_keys if artefact.fit_target_keys is None else artefact.fit_target_keys
    return _rows(source, artefact.fit_keys), _rows(target, target_keys)


def _rows(snapshot: Snapshot, keys: NDArray[np.uint64] | None) -> NDArray[np.int64]:
    return np.zeros(0, dtype=np.int64) if keys is None else np.flatnonzero(np.isin(pair_keys(snapshot.ids), keys))


async def group_mates(snapshots: Snapshots, call: Call, artefact: BridgeArtefact, source: Snapshot, target: Snapshot) -> Masks:
    """Which items have the `group_id` of an item that the bridge was fitted on.

    Looked up where the fit kept groups whole, or where bridges were made of others, which do not tell; else there was no group to keep.
    """
    masks = np.zeros(source.n, dtype=bool), np.zeros(target.n, dtype=bool)
    if not artefact.split_by and artefact.derivation == "fitted":
        return masks
    fitted = fitted_rows(artefact, source, target)
    for snapshot, rows, mask in zip((source, target), fitted, masks, strict=True):
        column = (await snapshots.attributes(call, snapshot, np.arange(snapshot.n))).get(GROUP_ATTRIBUTE)
        if column is None:
            continue
        groups = {(type(value), value) for value in (column.values[row] for row in rows) if value is not None}
        mask[:] = [(type(value), value) in groups for value in column.values]
    return masks


def new_pairs(pairs: KnownPairs, artefact: BridgeArtefact, mates: Masks, source: Snapshot, target: Snapshot, control: Control) -> NewPairs:
    """The pairs that nothing of a fit gives away.

    The fit's items are taken from the spaces, whatever pairs are asked, so that copies under new ids are known for what they are. Pairs
    that are nearly the same as items of the fit on both sides are never kept; on one side, only where nothing else is left.

    Args:
        pairs: asked.
        artefact: the bridge; its `fit_keys` are those of all its parents.
        mates: of `group_mates`.
        source: the bridge's space as it is now.
        target: likewise.
        control: cancellation.
    """
    seen = seen_pairs(artefact, pairs.source_ids, pairs.target_ids)
    grouped = (mates[0][pairs.source_rows] | mates[1][pairs.target_rows]) & ~seen
    left = np.flatnonzero(~(seen | grouped))
    # The order of the split of the fit, so that its held-out pairs alone give its held-out report, to the bit.
    left = left[np.argsort(tie_keys(f"held-out:{artefact.seed}", pairs.source_ids[left]), kind="stable")][:MAX_HELD_OUT_QUERIES]
    near = []
    for snapshot, rows, fitted in zip(
        (source, target), (pairs.source_rows, pairs.target_rows), fitted_rows(artefact, source, target), strict=True
    ):
        # A zero vector has no direction that another could have.
        some = fitted[snapshot.vectors[fitted].any(axis=1)]
        near.append(copied_rows(snapshot.vectors[rows[left]], snapshot.vectors[some], control))
    either, both = near[0] | near[1], near[0] & near[1]
    flattered = bool(either.all() and not both.all())
    out = both if flattered else either
    return NewPairs(left[~out], int(seen.sum()), int(grouped.sum()), int(out.sum()), flattered)


def new_pairs_bytes(source: Snapshot, target: Snapshot) -> int:
    """Peak of `new_pairs`: the rows of the fit in float32 and float64, held-out ones in float64, a block of cosines and its parts."""
    rows = min(source.n, target.n)
    return (12 * rows + 8 * MAX_HELD_OUT_QUERIES) * (source.dim + target.dim) + 2 * _BLOCK_BYTES
