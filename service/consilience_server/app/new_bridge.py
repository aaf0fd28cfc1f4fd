"""A bridge that is to be kept under a new name, by a request that may come twice."""

import hashlib
import json
from collections.abc import Mapping

from consilience_server.app.ports import BridgeStore, SpaceStore
from consilience_server.bridges.artefact import BridgeArtefact
from consilience_server.core.errors import BridgeExists, InvalidName, SpaceNotFound, UploadConflict


def request_digest(asked: Mapping[str, object]) -> str:
    """Of everything that was asked; a request id is no part of it."""
    told = {key: value for key, value in asked.items() if key != "request_id"}
    return hashlib.blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=16).hexdigest()


def earlier_bridge(bridges: BridgeStore, spaces: SpaceStore, name: str, request_id: str, digest: str) -> BridgeArtefact | None:
    """The bridge that this very request made before, None where the name is free.

    Raises:
        BridgeExists: another request made a bridge of this name.
        UploadConflict: this request id did, from another query.
        InvalidName: a space has the name.
    """
    if not bridges.exists(name):
        try:
            spaces.get(name)
        except SpaceNotFound:
            return None
        raise InvalidName(f"{name!r} is the id of a space; spaces and bridges share one set of ids: choose another", field="bridge_id")
    found = bridges.get(name)
    if not request_id or found.request_id != request_id:
        raise BridgeExists(f"there is a bridge {name!r} already; delete it first, or choose another name", field="bridge_id")
    if found.request_digest != digest:
        raise UploadConflict(
            f"request id {request_id!r} made bridge {name!r} from another query; use a new request id and a new name", field="request_id"
        )
    return found


def keep_bridge(bridges: BridgeStore, spaces: SpaceStore, artefact: BridgeArtefact) -> BridgeArtefact:
    """Keep it, or the one that the same request kept meanwhile. Raises as `earlier_bridge`; StoreReadOnly, StorageFull."""
    try:
        bridges.put(artefact)
    except BridgeExists:
        # Somebody was quicker: fine if it was this very request.
        found = earlier_bridge(bridges, spaces, artefact.name, artefact.request_id, artefact.request_digest)
        if found is None:
            raise
        return found
    return artefact
