"""Which field of the request an error is about, where the one who raised it can't know."""

from collections.abc import Iterator
from contextlib import contextmanager

from consilience_server.core.errors import BridgeNotFound, SpaceNotFound, VersionExpired


@contextmanager
def asked_by(field: str, version_field: str = "") -> Iterator[None]:
    """Within the context, a space, bridge or version that is not there is refused by the field that asked for it.

    Args:
        field: of the request, for SpaceNotFound and BridgeNotFound that name none; empty leaves them as they are.
        version_field: for VersionExpired that names none; empty: `<field>.version`.
    """
    try:
        yield
    except (SpaceNotFound, BridgeNotFound) as error:
        error.field = error.field or field or None
        raise
    except VersionExpired as error:
        error.field = error.field or version_field or (f"{field}.version" if field else "version")
        raise
