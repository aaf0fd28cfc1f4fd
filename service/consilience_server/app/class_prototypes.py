"""What stands for the classes of a classification, and where it meets the items."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.bridge_spaces import check_uid
from consilience_server.app.call import Call
from consilience_server.app.classification_query import ClassifyQuery
from consilience_server.app.validation import check_width, shown
from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.bridges.artefact import BridgeArtefact
from consilience_server.core.centring import unit
from consilience_server.core.errors import WrongSpace, ZeroVector
from consilience_server.core.slices import Slices
from consilience_server.engine.snapshot import Snapshot


@dataclass(frozen=True)
class ClassPrototypes:
    """Raw vectors of the prototypes with their classes, and the space they are from."""

    vectors: NDArray[np.float32]
    of: Slices
    space: Snapshot | None


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


def class_vectors(prototypes: NDArray[np.float32], of: Slices) -> NDArray[np.float32]:
    """(C, d) float32: the mean of the directions of each class's prototypes, of unit length; ZeroVector where they cancel out."""
    directions = unit(prototypes)
    sums = np.zeros((len(of.values), prototypes.shape[1]))
    np.add.at(sums, of.of, directions)
    zero = np.flatnonzero(np.linalg.norm(sums, axis=1) < 1e-6)
    if len(zero):
        lost = shown([of.values[at] for at in zero])
        raise ZeroVector(f"the prototypes of {len(zero):,} classes have no direction: {lost}; repair them", field="prototypes")
    return unit(sums).astype(np.float32)
