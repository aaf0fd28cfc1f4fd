"""Groups of items by an attribute: within which random pairings keep every item."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.alignment_spec import AlignmentSpec
from consilience_server.app.call import Call
from consilience_server.app.item_values import item_values
from consilience_server.app.joins import Join
from consilience_server.app.ports import AttributeColumn
from consilience_server.app.reports import Within
from consilience_server.app.snapshots import Snapshots
from consilience_server.core.errors import InvalidAttribute, InvalidK
from consilience_server.core.query_pairings import parted
from consilience_server.engine.snapshot import Snapshot


@dataclass(frozen=True)
class ItemGroups:
    """The items of an alignment by their value of an attribute.

    Attributes:
        attribute: its name; empty where a caller gave the groups of arrays itself.
        of: (n,) int64, the group of each item in the order of the join; groups are numbered from 0.
    """

    attribute: str
    of: NDArray[np.int64]

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """(G,) items of each group."""
        return np.bincount(self.of).astype(np.int64)

    @property
    def count(self) -> int:
        """Number of groups."""
        return len(self.sizes)

    @property
    def fixed(self) -> int:
        """Items that are alone in their group: no pairing moves them."""
        return int(np.count_nonzero(self.sizes == 1))


def within_of(groups: ItemGroups | None) -> Within | None:
    """What a report tells of the groups."""
    return None if groups is None else Within(groups.attribute, groups.count, groups.fixed)


def check_parts(groups: ItemGroups, queries: NDArray[np.int64]) -> None:
    """InvalidAttribute where pairings that send queries to queries and keep groups move nothing."""
    if len(np.unique(parted(groups.of, queries))) == len(groups.of):
        raise InvalidAttribute(
            f"no group has two of the {len(queries):,} queries, or two other items, so that none can be exchanged; ask more queries, or "
            "give groups of several items",
            field="spec.within",
        )


async def read_groups(snapshots: Snapshots, call: Call, spaces: Sequence[Snapshot], joined: Join, attribute: str) -> ItemGroups:
    """The groups of the common items by an attribute of their spaces, those without a name excepted; InvalidAttribute."""
    columns = await _attributes(snapshots, call, spaces, joined)
    return await asyncio.to_thread(groups_of, attribute, columns, joined.ids.tolist(), "spec.within")


async def with_folds(snapshots: Snapshots, call: Call, spaces: Sequence[Snapshot], joined: Join, spec: AlignmentSpec) -> Join:
    """The join with the groups that folds must not split, where the spec names them and it has none yet; InvalidAttribute."""
    attribute, field = spec.predictivity.folds_by, "spec.predictivity.folds_by"
    if not attribute or joined.fold_groups is not None:
        return joined
    columns = await _attributes(snapshots, call, spaces, joined)
    return replace(joined, fold_groups=await asyncio.to_thread(labels_of, attribute, columns, joined.ids.tolist(), field))


async def with_attributes(
    snapshots: Snapshots, call: Call, spaces: Sequence[Snapshot], joined: Join, spec: AlignmentSpec
) -> tuple[Join, ItemGroups | None]:
    """Folds, strata and groups of the items, and those that pairings stay in, read once for alignments of any of the spaces.

    So any of the spaces may have an attribute, and each alignment is of the same queries and groups; InvalidAttribute.
    """
    joined = await with_folds(snapshots, call, spaces, joined, spec)
    joined = await with_strata(snapshots, call, spaces, joined, spec)
    joined = await with_same(snapshots, call, spaces, joined, spec)
    return joined, await read_groups(snapshots, call, spaces, joined, spec.within) if spec.within else None


async def with_strata(snapshots: Snapshots, call: Call, spaces: Sequence[Snapshot], joined: Join, spec: AlignmentSpec) -> Join:
    """The join with the strata that queries are sampled from, where the spec names them and it has none yet; InvalidAttribute."""
    if not spec.strata or joined.strata is not None:
        return joined
    columns = await _attributes(snapshots, call, spaces, joined)
    labels = await asyncio.to_thread(labels_of, spec.strata, columns, joined.ids.tolist(), "spec.strata")
    return replace(joined, strata=np.unique(labels, return_inverse=True)[1].astype(np.int64))


async def with_same(snapshots: Snapshots, call: Call, spaces: Sequence[Snapshot], joined: Join, spec: AlignmentSpec) -> Join:
    """The join with the groups of items that are the same thing, where the spec names their attribute.

    Raises:
        InvalidAttribute: a space or item lacks it, or no two groups have as many items, so that nothing can be exchanged.
        InvalidK: an item has no k items of other groups.
    """
    if not spec.group_by or joined.same is not None:
        return joined
    columns = await _attributes(snapshots, call, spaces, joined)
    labels = await asyncio.to_thread(labels_of, spec.group_by, columns, joined.ids.tolist(), "spec.group_by")
    same = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    sizes = np.bincount(same)
    if len(np.unique(sizes)) == len(sizes):
        raise InvalidAttribute(
            f"the {len(sizes):,} groups of {spec.group_by!r} all have other numbers of items, so none can be exchanged with another",
            field="spec.group_by",
        )
    if max(spec.ks) > joined.n - sizes.max():
        raise InvalidK(
            f"k is {max(spec.ks)}, but beside the largest group, of {sizes.max():,}, there are {joined.n - sizes.max():,} items: "
            "ask a smaller k",
            field="spec.ks",
            k=max(spec.ks),
        )
    return replace(joined, same=same)


async def _attributes(
    snapshots: Snapshots, call: Call, spaces: Sequence[Snapshot], joined: Join
) -> dict[str, Mapping[str, AttributeColumn]]:
    """The attributes of the common items in each space that has a name."""
    named = [(space, rows) for space, rows in zip(spaces, joined.rows, strict=True) if space.name]
    return {space.name: await snapshots.attributes(call, space, rows) for space, rows in named}


def groups_of(attribute: str, spaces: Mapping[str, Mapping[str, AttributeColumn]], ids: Sequence[str], field: str) -> ItemGroups:
    """The groups within which items are exchanged; `labels_of` with its arguments, and InvalidAttribute where all values differ."""
    return numbered(attribute, labels_of(attribute, spaces, ids, field), field)


def labels_of(attribute: str, spaces: Mapping[str, Mapping[str, AttributeColumn]], ids: Sequence[str], field: str) -> NDArray[np.int64]:
    """(n,) whole numbers, equal where items have equal values of an attribute that their spaces have.

    An item's value is the one that any of the spaces has for it.

    Args:
        attribute: its name.
        spaces: of each space, by name, the attributes of the items in the order of `ids`.
        ids: of the items.
        field: of the request, for refusals.

    Raises:
        InvalidAttribute: no space has the attribute; items have no value, or different values in two spaces.
    """
    values = item_values(attribute, spaces, ids, field)
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int64)


def numbered(attribute: str, labels: NDArray[np.integer], field: str) -> ItemGroups:
    """Groups from whole numbers that name them; InvalidAttribute where every item is alone, so that nothing can be exchanged."""
    _, of = np.unique(labels, return_inverse=True)
    groups = ItemGroups(attribute, of.astype(np.int64))
    if groups.fixed == len(of):
        named = f"every item has its own value of {attribute!r}" if attribute else "every item is a group of its own"
        raise InvalidAttribute(f"{named}, so no item can be exchanged with another; give groups of several items", field=field)
    return groups
