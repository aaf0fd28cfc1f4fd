"""Who may call: keys kept as hashes and compared in constant time."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from pathlib import Path

from consilience_server.core.errors import Unauthenticated

_HASHED = re.compile(r"sha256:([0-9a-f]{64})")
_SHORTEST = 16
_SCHEME = "bearer "


class KeyFileError(ValueError):
    """A key file without keys, or with one that is malformed or too short; the message names the line, never the key."""


class ApiKeys:
    """The keys that open this server.

    Args:
        hashes: SHA-256 of each key.
    """

    def __init__(self, hashes: Iterable[bytes]) -> None:
        self._hashes = tuple(hashes)

    @classmethod
    def read(cls, path: Path) -> "ApiKeys":
        r"""Keys of a file: one a line, `sha256:HEX` or the key itself (16 characters at least); empty lines and `#` comments are skipped.

        A key is random by nature, so that a plain hash hides it well enough: `openssl rand -hex 32 | tee key | tr -d '\n' | sha256sum`.
        """
        hashes = []
        for number, raw in enumerate(path.read_text().splitlines(), start=1):
            line = raw.strip()
            if not line or line.startswith("#"):
                continue
            hashed = _HASHED.fullmatch(line)
            if hashed:
                hashes.append(bytes.fromhex(hashed.group(1)))
            elif line.startswith("sha256:") or len(line) < _SHORTEST or not line.isascii() or " " in line:
                raise KeyFileError(
                    f"{path}, line {number}: neither sha256: and 64 hexadecimal digits, nor a key of {_SHORTEST} or more ASCII characters"
                )
            else:
                hashes.append(hashlib.sha256(line.encode()).digest())
        if not hashes:
            raise KeyFileError(f"{path} has no keys, so nobody could call")
        return cls(hashes)

    def check(self, authorization: str | bytes | None) -> None:
        """Unauthenticated unless the header is `Bearer` and a known key."""
        if not isinstance(authorization, str) or not authorization.lower().startswith(_SCHEME):
            raise Unauthenticated("this server needs an API key: send the metadata `authorization: Bearer KEY`")
        given = hashlib.sha256(authorization[len(_SCHEME) :].strip().encode()).digest()
        # All are compared, whichever fits: the time tells nothing.
        if not any([hmac.compare_digest(given, known) for known in self._hashes]):  # noqa: C419 - see above
            raise Unauthenticated("the API key is not known to this server")
