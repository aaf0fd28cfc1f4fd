"""The map of a bridge made of others, where it leads, and which pairs its parents were fitted on."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.bridge_spaces import check_uid
from consilience_server.bridges.artefact import BridgeArtefact, Derivation, MethodName
from consilience_server.bridges.compose import compose
from consilience_server.bridges.invert import invert
from consilience_server.bridges.space_map import SpaceMap
from consilience_server.core.errors import InvalidArgument, WrongSpace

Keys = NDArray[np.uint64] | None
"""`pair_keys` of ids; None where they are not known."""


@dataclass(frozen=True)
class DerivedMap:
    """The map that was made, and where it leads.

    Attributes:
        map: itself.
        method: what it is called.
        parents: what it was made of.
        source, target: name, uid and version of both spaces, as the parents were fitted on them.
        notes: what must be known of it.
        inverted: whether it is the way back through its parent.
    """

    map: SpaceMap
    method: MethodName
    parents: tuple[BridgeArtefact, ...]
    source: tuple[str, str, int]
    target: tuple[str, str, int]
    notes: tuple[str, ...]
    inverted: bool = False

    def check_ends(self, source_uid: str, target_uid: str, field: str) -> None:
        """WrongSpace, naming the parent, where an end is not the space that it was fitted on.

        Args:
            source_uid: of the space that has the name of the new bridge's source now.
            target_uid: likewise.
            field: of the request, that named the parents.
        """
        ends = ("target", "source") if self.inverted else ("source", "target")
        check_uid(self.parents[0], ends[0], source_uid, field)
        check_uid(self.parents[-1], ends[1], target_uid, field)


def composed(parents: tuple[BridgeArtefact, ...]) -> DerivedMap:
    """One after the other. WrongSpace, InvalidArgument where one cannot go on from the one before it."""
    notes = []
    for one, after in pairwise(parents):
        if one.target_uid != after.source_uid:
            anew = ", deleted and made anew between the two fits" if one.target_name == after.source_name else ""
            raise WrongSpace(
                f"bridge {one.name!r} leads into {one.target_name!r}, and {after.name!r} starts from {after.source_name!r}{anew}; each "
                "must start where the one before it leads",
                field="bridges",
                bridge=after.name,
            )
        if not one.leads_into_target:
            raise InvalidArgument(
                f"bridge {one.name!r} ({one.method}) maps both of its sides into a space of their own, so {after.name!r} cannot go on from "
                f"{one.target_name!r}; only the last may: fit the others by a method that leads into its target, say ridge or procrustes",
                field="bridges",
                bridge=one.name,
                method=one.method,
            )
        if one.target_version != after.source_version:
            notes.append(
                f"{one.name!r} was fitted on version {one.target_version} of {one.target_name!r}, {after.name!r} on {after.source_version}"
            )
    first, last = parents[0], parents[-1]
    source = first.source_name, first.source_uid, first.source_version
    return DerivedMap(
        compose([parent.map for parent in parents]),
        "composed",
        parents,
        source,
        (last.target_name, last.target_uid, last.target_version),
        tuple(notes),
    )


def inverted(parent: BridgeArtefact) -> DerivedMap:
    """The way back. InvalidArgument, DimensionMismatch where there is none."""
    try:
        way_back = invert(parent.map)
    except InvalidArgument as error:
        error.message = f"bridge {parent.name!r} ({parent.method}) cannot be inverted: {error.message}"
        error.args = (error.message,)
        raise
    notes = []
    if parent.leads_into_target and parent.source_dim < parent.target_dim:
        notes.append(
            f"{parent.name!r} leads from {parent.source_dim} dimensions into {parent.target_dim}; what lies in the "
            f"{parent.target_dim - parent.source_dim} directions that it never reaches is left out on the way back"
        )
    return DerivedMap(
        way_back,
        parent.method,
        (parent,),
        (parent.target_name, parent.target_uid, parent.target_version),
        (parent.source_name, parent.source_uid, parent.source_version),
        tuple(notes),
        inverted=True,
    )


def fit_keys(derivation: Derivation, parents: Sequence[BridgeArtefact]) -> tuple[Keys, Keys]:
    """Of the derived bridge's source ids and of its target ids; None where no parent tells."""
    told = [parent for parent in parents if parent.fit_keys is not None]
    sources = [parent.fit_keys for parent in told]
    targets = [parent.fit_keys if parent.fit_target_keys is None else parent.fit_target_keys for parent in told]
    if derivation == "inverted":
        sources, targets = targets, sources
    else:
        # Which ids of the spaces between are also ids of the two ends is not known: each counts on both.
        sources = targets = [*sources, *targets]
    return _union(sources), _union(targets)


def _union(keys: Sequence[Keys]) -> Keys:
    some = [each for each in keys if each is not None]
    return np.unique(np.concatenate(some)) if some else None


def fit_pairs(parents: Sequence[BridgeArtefact]) -> int:
    """Pairs that any parent was fitted on; those that tell none by one are counted as told."""
    known = _union([parent.fit_keys for parent in parents])
    return (0 if known is None else len(known)) + sum(parent.fit_pairs for parent in parents if parent.fit_keys is None)
