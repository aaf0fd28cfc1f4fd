"""Opaque page tokens (AIP-158): a token holds where to go on, and for which arguments it was made."""

import base64
import binascii
import hashlib
import json

from consilience_server.core.errors import InvalidArgument, InvalidPageToken


def _digest(kind: str, arguments: str) -> str:
    return hashlib.blake2b(f"{kind}\0{arguments}".encode(), digest_size=8).hexdigest()


def encode_token(kind: str, arguments: str, after: str) -> str:
    """A token that goes on after `after` in a listing of `kind` with these arguments."""
    text = json.dumps([1, _digest(kind, arguments), after], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode()


def decode_token(kind: str, arguments: str, token: str) -> str:
    """Where to go on; empty for an empty token. InvalidPageToken for tokens of other listings, other arguments, or none of ours."""
    if not token:
        return ""
    try:
        version, digest, after = json.loads(base64.b64decode(token.encode(), altchars=b"-_", validate=True))
    except (ValueError, TypeError, binascii.Error, UnicodeError):
        version, digest, after = 0, "", ""
    if version != 1 or digest != _digest(kind, arguments) or not isinstance(after, str):
        raise InvalidPageToken(
            "the page token was not made by this listing with these arguments; begin again without one", field="page_token"
        )
    return after


def page_size(asked: int, default: int, most: int) -> int:
    """The size to serve: 0 is the default, more than `most` is taken as `most`; InvalidArgument below 0."""
    if asked < 0:
        raise InvalidArgument(f"page_size is {asked}; give 0 for the default, or a positive number", field="page_size")
    return min(asked or default, most)
