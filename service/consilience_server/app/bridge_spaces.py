"""Whether a bridge still leads where its name says: from the very space, and into the very space, that it was fitted on."""

from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.bridges.artefact import BridgeArtefact
from consilience_server.core.errors import WrongSpace


def check_uid(artefact: BridgeArtefact, side: str, uid: str) -> None:
    """WrongSpace where the space of that name is not the one of the fit: deleted and made anew since.

    Args:
        artefact: the bridge.
        side: `source` or `target`.
        uid: of the space that has the name now.
    """
    name, fitted = (artefact.source_name, artefact.source_uid) if side == "source" else (artefact.target_name, artefact.target_uid)
    if uid != fitted:
        raise WrongSpace(
            f"bridge {artefact.name!r} was fitted on another {side} space named {name!r}, deleted and made anew since; "
            "fit the bridge again",
            field="bridge",
            bridge=artefact.name,
            space=name,
        )


def check_direction(artefact: BridgeArtefact, source: SpaceQuery, target: SpaceQuery) -> None:
    """WrongSpace where the bridge does not lead from `source` into `target`."""
    asked, fitted = (source.name, target.name), (artefact.source_name, artefact.target_name)
    if asked == fitted:
        return
    remedy = "that is the other direction: fit one for it" if asked == fitted[::-1] else "choose another bridge"
    raise WrongSpace(
        f"bridge {artefact.name!r} leads from {fitted[0]!r} into {fitted[1]!r}, not from {asked[0]!r} into {asked[1]!r}; {remedy}",
        field="bridge",
        bridge=artefact.name,
    )
