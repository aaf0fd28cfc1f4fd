"""Resource names of the contract to and from the bare ids of the use cases."""

import re

from consilience.v1 import match_pb2, space_pb2
from consilience_server.app.alignment_spec import GroupQuery, SpaceQuery
from consilience_server.app.bridge_spaces import ExpectedBridge
from consilience_server.app.reports import SpaceUse
from consilience_server.core.errors import InvalidArgument, InvalidName, NotServed

_ID = r"[a-z][a-z0-9-]{0,62}"
_SPACE = re.compile(rf"spaces/({_ID})")
_LAYER = re.compile(rf"spaces/{_ID}/layers/[^/]+")
_BRIDGE = re.compile(rf"bridges/({_ID})")
_WATCH = re.compile(rf"watches/({_ID})")
_GROUP = "groups/"
_LONGEST = 200


def space_id(name: str, field: str) -> str:
    """`spaces/{space}` to `{space}`; NotServed for a layer, InvalidName for a group and anything else."""
    if _LAYER.fullmatch(name):
        raise NotServed(
            f"{_shown(name)}: layers of a space are not served by this version; keep each layer as a space of its own", field=field
        )
    if name.removeprefix("spaces/").startswith(_GROUP):
        shown = _shown(name.removeprefix("spaces/"))
        raise InvalidName(f"{shown} is a group, which is a side of an alignment; here name its spaces one by one", field=field)
    return _id(_SPACE, name, "spaces/{space}", field)


def bridge_id(name: str, field: str) -> str:
    """`bridges/{bridge}` to `{bridge}`, else InvalidName."""
    return _id(_BRIDGE, name, "bridges/{bridge}", field)


def expected_bridge(told: match_pb2.ExpectedBridge) -> ExpectedBridge:
    """What a bridge must be; InvalidName."""
    return ExpectedBridge(space_id(told.source, "expected_bridge.source") if told.source else "", told.uid)


def watch_id(name: str, field: str) -> str:
    """`watches/{watch}` to `{watch}`, else InvalidName."""
    return _id(_WATCH, name, "watches/{watch}", field)


def space_name(bare: str) -> str:
    """`{space}` to `spaces/{space}`."""
    return f"spaces/{bare}"


def bridge_name(bare: str) -> str:
    """`{bridge}` to `bridges/{bridge}`; empty (no bridge) stays empty."""
    return f"bridges/{bare}" if bare else ""


def space_query(reference: space_pb2.SpaceRef, field: str) -> SpaceQuery:
    """A space as a request names it; version 0 is the newest."""
    return SpaceQuery(space_id(reference.name, f"{field}.name"), version_number(reference.version, f"{field}.version"))


def side_query(reference: space_pb2.SpaceRef, field: str) -> SpaceQuery | GroupQuery:
    """A side of an alignment: a space, or `groups/{group}`, whose members are always the newest."""
    if not reference.name.startswith(_GROUP):
        return space_query(reference, field)
    group = reference.name.removeprefix(_GROUP)
    if not group:
        raise InvalidName("groups/ names no group; give groups/{group}", field=f"{field}.name")
    if reference.version:
        raise InvalidArgument(f"{_shown(reference.name)} is a group, whose spaces have a version each; pin none", field=f"{field}.version")
    return GroupQuery(group)


def version_number(version: int, field: str) -> int:
    """A version to pin, or 0; InvalidArgument below."""
    if version < 0:
        raise InvalidArgument(f"version {version} cannot be; 0 is the newest, 1 the first", field=field)
    return version


def space_use(use: SpaceUse) -> space_pb2.SpaceUse:
    """A space as an answer used it."""
    return space_pb2.SpaceUse(name=use.name, uid=use.uid, version=use.version)


def _id(pattern: re.Pattern[str], name: str, form: str, field: str) -> str:
    found = pattern.fullmatch(name)
    if found is None:
        raise InvalidName(
            f"{_shown(name)} is no name of the form {form}: an id is a lower-case letter, then up to 62 of a-z, 0-9 and -", field=field
        )
    return found.group(1)


def _shown(name: str) -> str:
    return repr(name if len(name) <= _LONGEST else name[:_LONGEST] + "...")
