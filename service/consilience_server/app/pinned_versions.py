"""Which versions of spaces a call will read."""

from collections.abc import Sequence

from consilience_server.app.alignment_spec import SpaceQuery
from consilience_server.app.reports import SpaceUse
from consilience_server.app.snapshots import Snapshots
from consilience_server.core.errors import VersionExpired


async def pin_versions(snapshots: Snapshots, queries: Sequence[SpaceQuery], fields: Sequence[str]) -> list[SpaceUse]:
    """The versions that a call will read, the newest where none is pinned.

    Args:
        snapshots: know the spaces.
        queries: the spaces.
        fields: name each of them in refusals.

    Raises:
        SpaceNotFound, VersionExpired (the version never was).
    """
    uses = []
    for query, field in zip(queries, fields, strict=True):
        record = await snapshots.record(query.name, field=field)
        version = query.version or record.version
        if version > record.version:
            newest = f"the newest is {record.version}"
            raise VersionExpired(f"space {query.name!r} has no version {version}; {newest}", field=f"{field}.version")
        uses.append(SpaceUse(f"spaces/{query.name}", record.uid, version))
    return uses
