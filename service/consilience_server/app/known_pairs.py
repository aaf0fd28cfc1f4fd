"""Known pairs: the same thing in two spaces, by item ids."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.spaces import rows_of
from consilience_server.app.validation import shown
from consilience_server.core.errors import DuplicateId, InvalidArgument, NoCommonItems, ShapeMismatch, ZeroVector
from consilience_server.engine.snapshot import Snapshot


@dataclass(frozen=True)
class KnownPairs:
    """The known pairs by ascending source id: ids and rows on both sides."""

    source_ids: NDArray[np.object_]
    target_ids: NDArray[np.object_]
    source_rows: NDArray[np.int64]
    target_rows: NDArray[np.int64]


def check_pair_ids(
    item_ids: Sequence[str], target_ids: Sequence[str], fields: tuple[str, str] = ("pairs.item_ids", "pairs.target_ids")
) -> None:
    """ShapeMismatch where the two sides do not belong together, DuplicateId where an item stands in several pairs.

    Args:
        item_ids: on the side of the source.
        target_ids: their partners; empty: the same ids.
        fields: of the request, that hold them.
    """
    if target_ids and len(target_ids) != len(item_ids):
        raise ShapeMismatch(
            f"{len(item_ids):,} item_ids came with {len(target_ids):,} target_ids; pair i is (item_ids[i], target_ids[i])",
            field=fields[1],
        )
    for field, ids in zip(fields, (item_ids, target_ids), strict=True):
        if len(set(ids)) != len(ids):
            _refuse_repeats(ids, target_ids if ids is item_ids else item_ids, field)


def _refuse_repeats(ids: Sequence[str], partners: Sequence[str], field: str) -> None:
    """DuplicateId: which items stand in several pairs, and with which partners where these differ.

    Args:
        ids: of one side, some of them twice.
        partners: of the other; empty: the same ids.
        field: of the request, that holds `ids`.
    """
    together: dict[str, list[str]] = {}
    for item, partner in zip(ids, partners or ids, strict=True):
        together.setdefault(item, []).append(partner)
    twice = [item for item, found in together.items() if len(found) > 1]
    for item in twice:
        differing = list(dict.fromkeys(together[item]))
        if len(differing) > 1:
            raise DuplicateId(
                f"items stand in several pairs: {item!r} is paired with {shown(differing)}, which contradict each other; keep one of them",
                field=field,
                ids=[item],
            )
    raise DuplicateId(f"items stand in several pairs: {shown(twice)}; give each once on its side", field=field, ids=twice[:10])


def check_pairs(item_ids: Sequence[str], target_ids: Sequence[str], attribute: str) -> None:
    """As `check_pair_ids`; InvalidArgument where ids and an attribute both name the pairs."""
    if attribute and (item_ids or target_ids):
        raise InvalidArgument(
            f"the attribute {attribute!r} joins pairs, and so do {len(item_ids or target_ids):,} ids; give one or the other",
            field="pairs.attribute",
        )
    check_pair_ids(item_ids, target_ids)


def known_pairs(item_ids: Sequence[str], target_ids: Sequence[str], source: Snapshot, target: Snapshot) -> KnownPairs:
    """The pairs asked, checked: present, and with a direction.

    Args:
        item_ids: on the side of the source; empty: all items common to both spaces.
        target_ids: their partners; empty: the same ids.
        source: of the bridge.
        target: of the bridge.

    Raises:
        ItemNotFound, NoCommonItems, ZeroVector.
    """
    names = source.name.removeprefix("spaces/"), target.name.removeprefix("spaces/")
    given_targets = bool(target_ids)
    if item_ids:
        source_ids = np.array(item_ids, dtype=object)
        partner_ids = np.array(target_ids or item_ids, dtype=object)
        order = np.argsort(source_ids)
        source_ids, partner_ids = source_ids[order], partner_ids[order]
    else:
        source_ids = partner_ids = np.intersect1d(source.ids, target.ids, assume_unique=True)
        if not len(source_ids):
            raise NoCommonItems(
                f"spaces {names[0]!r} ({source.n:,} items) and {names[1]!r} ({target.n:,}) share no item id; give item_ids and target_ids",
                field="pairs.item_ids",
            )
    sides = (
        (source, source_ids, names[0], "pairs.item_ids"),
        (target, partner_ids, names[1], "pairs.target_ids" if given_targets else "pairs.item_ids"),
    )
    rows = []
    for snapshot, ids, name, field in sides:
        found = rows_of(snapshot.ids, ids.tolist(), name, field)
        check_directions(snapshot, found, field)
        rows.append(found)
    check_gallery(target)
    return KnownPairs(source_ids, partner_ids, rows[0], rows[1])


def check_directions(snapshot: Snapshot, rows: NDArray[np.int64], field: str) -> None:
    """ZeroVector where one of these rows has no direction."""
    zero = rows[~snapshot.vectors[rows].any(axis=1)]
    if len(zero):
        name = snapshot.name.removeprefix("spaces/")
        raise ZeroVector(
            f"{len(zero):,} pair items of space {name!r} are zero vectors, which have no direction: {shown(snapshot.ids[zero].tolist())}; "
            "leave them out",
            field=field,
        )


def check_gallery(target: Snapshot) -> None:
    """ZeroVector where any item of the target space has no direction."""
    zero = np.flatnonzero(~target.vectors.any(axis=1))
    if len(zero):
        raise ZeroVector(
            f"{len(zero):,} items of space {target.name.removeprefix('spaces/')!r} are zero vectors, which no bridge can lead to: "
            f"{shown(target.ids[zero].tolist())}; delete them",
            field="target",
        )
