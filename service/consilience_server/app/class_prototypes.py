"""What stands for the classes of a classification, and where it meets the items."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.bridge_spaces import check_uid
from consilience_server.app.call import Call
from consilience_server.app.classification_query import ClassifyQuery
from consilience_server.app.validation import check_width
from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.bridges.artefact import BridgeArtefact
from consilience_server.core.errors import WrongSpace, ZeroVector
from consilience_server.core.slices import Slices
from consilience_server.engine.snapshot import Snapshot


@dataclass(frozen=True)
class ClassPrototypes:
    """Raw vectors of the prototypes with their classes, and the space they are from."""

    vectors: NDArray[np.float32]
    of: Slices
    space: Snapshot | None
    ids: Sequence[object] = ()
    """(p,) of a space's; empty without one."""
    each_its_own: bool = False
    """Whether each is a class of its own, named by its id."""


@dataclass(frozen=True)
class OwnPrototypes:
    """Which prototypes are items that are classified.

    Attributes:
        items: (e,) int64 positions among the items.
        prototypes: (e,) int64 positions among the prototypes.
    """

    items: NDArray[np.int64]
    prototypes: NDArray[np.int64]

    def of_some(self, kept: NDArray[np.bool_]) -> "OwnPrototypes":
        """Those of some items, by their positions among these."""
        there = kept[self.items]
        return OwnPrototypes((np.cumsum(kept) - 1)[self.items[there]], self.prototypes[there])


def items_are_source(artefact: BridgeArtefact | None, query: ClassifyQuery, items: Snapshot, classes: ClassPrototypes) -> bool:
    """Which side of the bridge the items are on, checked: WrongSpace, DimensionMismatch."""
    if artefact is None:
        check_width(classes.vectors.shape[1], items.dim, items.name, "prototypes")
        return True
    name = query.items.name
    from_items = name == artefact.source_name
    if not from_items and name != artefact.target_name:
        raise WrongSpace(
            f"bridge {artefact.name!r} leads from {artefact.source_name!r} into {artefact.target_name!r}, and {name!r} is neither; choose "
            "another bridge",
            field="bridge",
            bridge=artefact.name,
        )
    check_uid(artefact, "source" if from_items else "target", items.uid)
    other = artefact.target_name if from_items else artefact.source_name
    if classes.space is None:
        width = len(artefact.map.target_mean if from_items else artefact.map.source_mean)
        check_width(classes.vectors.shape[1], width, f"space {other!r}", "prototypes.vectors")
        return from_items
    if classes.space.name != f"spaces/{other}":
        raise WrongSpace(
            f"bridge {artefact.name!r} joins {name!r} with {other!r}, and the prototypes are of {classes.space.name}; choose "
            "another bridge",
            field="bridge",
            bridge=artefact.name,
        )
    check_uid(artefact, "target" if from_items else "source", classes.space.uid)
    return from_items


def where_they_meet(
    artefact: BridgeArtefact | None, items: Snapshot, rows: NDArray[np.int64], classes: ClassPrototypes, call: Call, *, from_items: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Items and prototypes where both spaces meet."""
    asked = items.vectors[rows]
    if artefact is None:
        zero = np.flatnonzero(~asked.any(axis=1))
        if len(zero):
            raise ZeroVector(f"{len(zero):,} items are zero vectors, {items.ids[rows[zero[0]]]!r} among them; delete them", field="items")
        return asked, classes.vectors
    ready, control = make_ready(artefact.map), call.control.silent()
    if from_items:
        return map_vectors(ready, asked, control, items.ids[rows]), centre_gallery(ready, classes.vectors, control)
    return centre_gallery(ready, asked, control, items.ids[rows]), map_vectors(ready, classes.vectors, control)


def own_prototypes(items: Snapshot, rows: NDArray[np.int64], classes: ClassPrototypes) -> OwnPrototypes:
    """The prototypes of a space that have the id of an item: the item itself, or its partner across the bridge.

    Where each prototype of another space is a class of its own, named by its id, an item's partner is the very class that is looked for,
    and no item counts as its own.
    """
    empty: NDArray[np.int64] = np.empty(0, dtype=np.int64)
    if classes.space is None or (classes.each_its_own and classes.space.uid != items.uid):
        return OwnPrototypes(empty, empty)
    place = {str(item): at for at, item in enumerate(items.ids[rows])}
    pairs = [(place[item], at) for at, item in enumerate(map(str, classes.ids)) if item in place]
    if not pairs:
        return OwnPrototypes(empty, empty)
    at = np.array(pairs, dtype=np.int64)
    return OwnPrototypes(at[:, 0], at[:, 1])


def alone_in_a_class(own: OwnPrototypes, of: Slices, count: int) -> NDArray[np.bool_]:
    """(count,) which items are all the prototypes of a class: nothing is left to hold them against it."""
    classes = len(of.values)
    keys, times = np.unique(own.items * classes + of.of[own.prototypes], return_counts=True)
    items, where = np.divmod(keys, classes)
    alone = np.zeros(count, dtype=bool)
    alone[items[times == of.sizes[where]]] = True
    return alone
