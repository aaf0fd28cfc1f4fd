"""Where the server is and how to speak to it: one validated value. The SDK reads the environment here and nowhere else."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from consilience._numbers import seconds
from consilience.errors import InvalidArgumentError

DEFAULT_ADDRESS = "localhost:50051"
DEFAULT_TIMEOUT = 30.0
_LOCAL_HOSTS = ("localhost", "127.", "[::1]", "::1")


@dataclass(frozen=True)
class Tls:
    """Certificates of an encrypted connection, PEM.

    Attributes:
        ca: roots to trust; None is the system's.
        certificate: the client's own, where the server asks for one.
        key: its private key.
    """

    ca: bytes | None = None
    certificate: bytes | None = field(default=None, repr=False)
    key: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ClientSettings:
    """What a client was made with; the key is masked when printed.

    Attributes:
        address: `host:port` or `unix:/path`.
        api_key: sent with every call; None where the server needs none.
        tls: None speaks plaintext.
        timeout: seconds a call may take where it names no time of its own.
    """

    address: str
    api_key: str | None = field(default=None, repr=False)
    tls: Tls | None = None
    timeout: float = DEFAULT_TIMEOUT

    @property
    def is_local(self) -> bool:
        """Whether nothing that is sent leaves this machine."""
        return self.address.startswith(("unix:", *_LOCAL_HOSTS))


def resolve_settings(
    address: str | None,
    api_key: str | None,
    tls: bool | str | Path | Tls | None,  # noqa: FBT001 - a constructor's keyword, passed through
    timeout: float,
    environment: Mapping[str, str] = os.environ,
) -> ClientSettings:
    """The arguments of a client, completed from CONSILIENCE_ADDRESS and CONSILIENCE_API_KEY, and checked.

    Args:
        address: `host:port` or `unix:/path`; None asks the environment, then is `localhost:50051`.
        api_key: None asks the environment.
        tls: True trusts the system's roots, a path is a PEM file of roots, False is plaintext and meant so. None is plaintext too, but
            refuses to send a key over it to another machine.
        timeout: seconds, above 0.
        environment: read in place of the process's own.

    Raises:
        InvalidArgumentError: a key would travel in the clear or fits no header, the timeout is not above 0, or the roots cannot be read.
    """
    where = address or environment.get("CONSILIENCE_ADDRESS") or DEFAULT_ADDRESS
    key = api_key or environment.get("CONSILIENCE_API_KEY") or None
    if not isinstance(where, str):
        raise InvalidArgumentError(f"address is {where!r}; give host:port or unix:/path", field="address")
    if key and not (isinstance(key, str) and key.isascii() and key.isprintable()):
        raise InvalidArgumentError("api_key holds what no header takes; a key is printable ASCII, without a line's end", field="api_key")
    settings = ClientSettings(where, key, _certificates(tls), seconds(timeout))
    if key and tls is None and not settings.is_local:
        raise InvalidArgumentError(
            f"the API key would travel to {where} in the clear; pass tls=True, or tls=False where something else encrypts", field="tls"
        )
    return settings


def _certificates(tls: bool | str | Path | Tls | None) -> Tls | None:  # noqa: FBT001 - likewise
    if tls is None or tls is False:
        return None
    if tls is True:
        return Tls()
    if isinstance(tls, Tls):
        return tls
    try:
        return Tls(ca=Path(tls).read_bytes())
    except OSError as error:
        raise InvalidArgumentError(f"tls names a file of root certificates that cannot be read: {error}", field="tls") from error
