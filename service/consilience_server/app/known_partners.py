"""Known pairs as groups of rows: equal groups are partners."""

import asyncio

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.call import Call
from consilience_server.app.pairs_query import KnownPartners
from consilience_server.app.shared_values import shared_values
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.spaces import rows_of
from consilience_server.bridges.artefact import BridgeArtefact, pair_keys
from consilience_server.core.errors import TooFewPairs
from consilience_server.engine.snapshot import Snapshot

_Groups = tuple[NDArray[np.int64], NDArray[np.int64]]


async def partner_groups(snapshots: Snapshots, call: Call, known: KnownPartners, source: Snapshot, target: Snapshot) -> _Groups:
    """(m,) and (n,) int64, the group of each item, -1 for those without; at least one source has a partner.

    Raises:
        ItemNotFound: ids that a space lacks.
        InvalidAttribute: a space without the attribute.
        NoCommonItems: no value of the attribute is in both.
    """
    if not known.attribute:
        return await asyncio.to_thread(_by_ids, known, source, target)
    return await shared_values(snapshots, call, known.attribute, source, target, "known_attribute")


def unseen(artefact: BridgeArtefact, groups: _Groups, source: Snapshot, target: Snapshot, field: str) -> tuple[_Groups, int]:
    """The groups without the items that a bridge was fitted on, and how many sources with a known partner those were.

    A bridge of format 1 does not tell what it was fitted on: then all stay.

    Raises:
        TooFewPairs: no known pair is left.
    """
    targets = artefact.fit_keys if artefact.fit_target_keys is None else artefact.fit_target_keys
    left = []
    for of, ids, keys in ((groups[0], source.ids, artefact.fit_keys), (groups[1], target.ids, targets)):
        known = np.flatnonzero(of >= 0)
        kept = of.copy()
        if keys is not None:
            kept[known[np.isin(pair_keys(ids[known]), keys)]] = -1
        left.append(kept)
    fitted = int(np.count_nonzero((groups[0] >= 0) & (left[0] < 0) & np.isin(groups[0], groups[1])))
    if not np.isin(left[0][left[0] >= 0], left[1]).any():
        raise TooFewPairs(f"bridge {artefact.name!r} was fitted on all of the known pairs; give pairs that it has not seen", field=field)
    return (left[0], left[1]), fitted


def _by_ids(known: KnownPartners, source: Snapshot, target: Snapshot) -> _Groups:
    groups = np.full(source.n, -1, dtype=np.int64), np.full(target.n, -1, dtype=np.int64)
    second = (known.target_ids, "known_target_ids") if known.target_ids else (known.item_ids, "known_pair_ids")
    for of, snapshot, (ids, field) in ((groups[0], source, (known.item_ids, "known_pair_ids")), (groups[1], target, second)):
        of[rows_of(snapshot.ids, ids, snapshot.name.removeprefix("spaces/"), field)] = np.arange(len(ids))
    return groups
