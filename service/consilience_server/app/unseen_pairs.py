"""Pairs that none of some bridges was fitted on: what a bridge made of them is measured on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.fitted_items import Masks, new_pairs
from consilience_server.app.known_pairs import known_pairs
from consilience_server.bridges.artefact import BridgeArtefact
from consilience_server.core.control import Control
from consilience_server.core.errors import NoCommonItems, TooFewPairs
from consilience_server.engine.snapshot import Snapshot


@dataclass(frozen=True)
class UnseenPairs:
    """Pairs in an order by hash, at most 4,096.

    Attributes:
        source_ids, source_rows: (m,) on the side of the source.
        target_rows: (m,) on that of the target.
        seen: pairs left out because a bridge was fitted on them.
        near_copies: left out because they are nearly the same, on either side, as an item that one was fitted on.
        notes: on what else was left out, and on what weakens the rest.
    """

    source_ids: NDArray[np.object_]
    source_rows: NDArray[np.int64]
    target_rows: NDArray[np.int64]
    seen: int
    near_copies: int
    notes: tuple[str, ...] = ()


def unseen_pairs(
    item_ids: Sequence[str],
    target_ids: Sequence[str],
    made: BridgeArtefact,
    source: Snapshot,
    target: Snapshot,
    control: Control,
    mates: Masks | None = None,
) -> UnseenPairs:
    """The pairs asked, or all common items, without those that `made` tells as fitted on, and without near-copies of these.

    Args:
        item_ids: source items; empty: all that both spaces have in common.
        target_ids: their partners; empty: the same ids.
        made: the bridge to be measured; its `fit_keys` are those of all its parents.
        source: its space as it is now.
        target: likewise.
        control: cancellation.
        mates: of `app/fitted_items.py`; None: groups do not count.

    Raises:
        ItemNotFound, ZeroVector: the pairs.
        TooFewPairs: pairs were asked for by id, and none is left.
    """
    try:
        pairs = known_pairs(item_ids, target_ids, source, target)
    except NoCommonItems:
        none = np.zeros(0, dtype=np.int64)
        return UnseenPairs(np.zeros(0, dtype=object), none, none, 0, 0)
    none_known = np.zeros(source.n, dtype=bool), np.zeros(target.n, dtype=bool)
    new = new_pairs(pairs, made, mates or none_known, source, target, control)
    if item_ids and not len(new.kept):
        raise TooFewPairs(
            f"the bridges were fitted on all of these {len(pairs.source_ids):,} pairs, on others of their groups, or on near-copies of "
            "them; give pairs they have not seen, or none: the bridge is then kept, if need be without a report",
            field="pairs",
        )
    return UnseenPairs(
        pairs.source_ids[new.kept],
        pairs.source_rows[new.kept],
        pairs.target_rows[new.kept],
        new.fitted + new.grouped,
        new.copies,
        new.notes,
    )
