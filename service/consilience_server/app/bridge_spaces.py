"""Whether a bridge still leads where its name says: from the very space, and into the very space, that it was fitted on."""

from dataclasses import dataclass

from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.ports import SpaceStore
from consilience_server.bridges.artefact import BridgeArtefact, BridgeFacts
from consilience_server.bridges.steps import SideName
from consilience_server.core.errors import DimensionMismatch, SpaceNotFound, VersionExpired, WrongSpace


@dataclass(frozen=True)
class ExpectedBridge:
    """What a caller takes a bridge to be.

    Attributes:
        source: the bare id of the space that it must lead from; empty: any.
        uid: its own; empty: that of whichever bridge has the name.
    """

    source: str = ""
    uid: str = ""


ANY_BRIDGE = ExpectedBridge()


def check_expected(artefact: BridgeArtefact, expected: ExpectedBridge) -> None:
    """VersionExpired where it is another bridge of that name, WrongSpace where it leads from another space."""
    if expected.uid and expected.uid != artefact.uid:
        raise VersionExpired(
            f"bridge {artefact.name!r} was deleted and made anew: the one given has the uid {expected.uid}, the one that has the name now "
            f"{artefact.uid}; get it anew",
            field="bridge",
            bridge=artefact.name,
        )
    if not expected.source or expected.source == artefact.source_name:
        return
    other = expected.source == artefact.target_name
    remedy = "fit one for the other direction, or invert this one" if other else "choose another bridge"
    raise WrongSpace(
        f"bridge {artefact.name!r} leads from {artefact.source_name!r} into {artefact.target_name!r}, not from {expected.source!r}; "
        f"{remedy}",
        field="expected_bridge.source",
        bridge=artefact.name,
    )


def check_uid(artefact: BridgeArtefact, side: str, uid: str, field: str = "bridge") -> None:
    """WrongSpace where the space of that name is not the one of the fit: deleted and made anew since.

    Args:
        artefact: the bridge.
        side: `source` or `target`.
        uid: of the space that has the name now.
        field: of the request, that named the bridge.
    """
    name, fitted = (artefact.source_name, artefact.source_uid) if side == "source" else (artefact.target_name, artefact.target_uid)
    if uid != fitted:
        raise WrongSpace(
            f"bridge {artefact.name!r} was fitted on another {side} space named {name!r}, deleted and made anew since; "
            "fit the bridge again",
            field=field,
            bridge=artefact.name,
            space=name,
        )


def check_direction(artefact: BridgeArtefact, source: SpaceQuery, target: SpaceQuery) -> None:
    """WrongSpace where the bridge does not lead from `source` into `target`."""
    asked, fitted = (source.name, target.name), (artefact.source_name, artefact.target_name)
    if asked == fitted:
        return
    remedy = "that is the other direction: fit one for it, or invert this one" if asked == fitted[::-1] else "choose another bridge"
    raise WrongSpace(
        f"bridge {artefact.name!r} leads from {fitted[0]!r} into {fitted[1]!r}, not from {asked[0]!r} into {asked[1]!r}; {remedy}",
        field="bridge",
        bridge=artefact.name,
    )


def check_side_width(artefact: BridgeArtefact, side: SideName, columns: int) -> None:
    """DimensionMismatch, with both spaces and their widths, where vectors are not as wide as that side of the bridge."""
    names = {"source": artefact.source_name, "target": artefact.target_name}
    widths = {"source": artefact.source_dim, "target": artefact.target_dim}
    if columns == widths[side]:
        return
    other: SideName = "target" if side == "source" else "source"
    swapped = f"; from {names[other]!r}, fit a bridge for the other direction, or invert this one" if columns == widths[other] else ""
    raise DimensionMismatch(
        f"the vectors have {columns} columns, the {side} space {names[side]!r} of bridge {artefact.name!r} has dim {widths[side]} (and its "
        f"{other} space {names[other]!r} dim {widths[other]}); give vectors of {widths[side]} columns{swapped}",
        field="vectors",
        columns=columns,
        dim=widths[side],
    )


def moved_on(facts: BridgeFacts, side: str, version: int) -> str:
    """What is said of a space whose newest version is not that of the fit; empty where it is.

    Args:
        facts: of the bridge.
        side: `source` or `target`.
        version: the newest.
    """
    name, fitted = (facts.source_name, facts.source_version) if side == "source" else (facts.target_name, facts.target_version)
    return "" if version == fitted else f"the {side} space {name!r} is at version {version}; the bridge was fitted on {fitted}"


def notes_on_spaces(facts: BridgeFacts, store: SpaceStore) -> tuple[str, ...]:
    """What has become of both spaces since the fit, a sentence each; none where both are as they were."""
    notes = []
    for side, name, uid in (("source", facts.source_name, facts.source_uid), ("target", facts.target_name, facts.target_uid)):
        try:
            record = store.get(name)
        except SpaceNotFound:
            notes.append(
                f"the {side} space {name!r} was deleted; the bridge translates and can be exported, but nothing is found through it"
            )
            continue
        if record.uid != uid:
            notes.append(f"the {side} space {name!r} was deleted and made anew; the bridge does not lead there any more: fit it again")
        elif moved := moved_on(facts, side, record.version):
            notes.append(moved)
    return tuple(notes)
