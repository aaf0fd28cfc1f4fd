"""Pairs that none of some bridges was fitted on: what a bridge made of them is measured on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.known_pairs import known_pairs
from consilience_server.bridges.artefact import BridgeArtefact, seen_pairs
from consilience_server.bridges.held_out import copied_pairs
from consilience_server.bridges.held_out_retrieval import MAX_HELD_OUT_QUERIES
from consilience_server.core.control import Control
from consilience_server.core.errors import NoCommonItems, TooFewPairs
from consilience_server.core.tie_order import tie_keys
from consilience_server.engine.snapshot import Snapshot

_BLOCK_BYTES = 9 * 2048 * MAX_HELD_OUT_QUERIES


@dataclass(frozen=True)
class UnseenPairs:
    """Pairs in an order by hash, at most 4,096.

    Attributes:
        source_ids, source_rows: (m,) on the side of the source.
        target_rows: (m,) on that of the target.
        seen: pairs left out because a bridge was fitted on them.
        near_copies: left out because they are nearly the same as one of those on both sides.
    """

    source_ids: NDArray[np.object_]
    source_rows: NDArray[np.int64]
    target_rows: NDArray[np.int64]
    seen: int
    near_copies: int


def unseen_pairs(
    item_ids: Sequence[str], target_ids: Sequence[str], made: BridgeArtefact, source: Snapshot, target: Snapshot, control: Control
) -> UnseenPairs:
    """The pairs asked, or all common items, without those that `made` tells as fitted on, and without near-copies of these.

    Args:
        item_ids: source items; empty: all that both spaces have in common.
        target_ids: their partners; empty: the same ids.
        made: the bridge to be measured; its `fit_keys` are those of all its parents.
        source: its space as it is now.
        target: likewise.
        control: cancellation.

    Raises:
        ItemNotFound, ZeroVector: the pairs.
        TooFewPairs: pairs were asked for by id, and none is left.
    """
    try:
        pairs = known_pairs(item_ids, target_ids, source, target)
    except NoCommonItems:
        none = np.zeros(0, dtype=np.int64)
        return UnseenPairs(np.zeros(0, dtype=object), none, none, 0, 0)
    seen = seen_pairs(made, pairs.source_ids, pairs.target_ids)
    left = np.flatnonzero(~seen)
    left = left[np.argsort(tie_keys("held-out:0", pairs.source_ids[left]), kind="stable")][:MAX_HELD_OUT_QUERIES]
    rows = pairs.source_rows, pairs.target_rows
    fitted, asked = ((source.vectors[rows[0][some]], target.vectors[rows[1][some]]) for some in (np.flatnonzero(seen), left))
    copied = copied_pairs(fitted[0], fitted[1], asked[0], asked[1], control)
    kept = left[~copied]
    if item_ids and not len(kept):
        raise TooFewPairs(
            f"the bridges were fitted on all of these {len(seen):,} pairs, or on near-copies of them; give pairs they have not seen, or "
            "none: the bridge is then kept, if need be without a report",
            field="pairs",
        )
    return UnseenPairs(pairs.source_ids[kept], rows[0][kept], rows[1][kept], int(seen.sum()), int(copied.sum()))


def unseen_bytes(pairs: int, source_dim: int, target_dim: int) -> int:
    """Peak memory: rows in float32, held-out ones in float64, a block of cosines and its parts."""
    return 4 * pairs * (source_dim + target_dim) + 8 * MAX_HELD_OUT_QUERIES * (source_dim + target_dim) + 2 * _BLOCK_BYTES
