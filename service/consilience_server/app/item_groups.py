"""Groups of items by an attribute: within which random pairings keep every item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.item_values import item_values
from consilience_server.app.ports import AttributeColumn
from consilience_server.app.reports import Within
from consilience_server.core.errors import InvalidAttribute


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
