"""The cache key: equal keys mean equal answers, so entries are never stale and nothing ever has to be deleted."""

import hashlib
import math
import struct
from collections.abc import Mapping, Sequence

import numpy as np

from consilience_server.app.reports import SpaceUse
from consilience_server.engine.protocol import ENGINE_VERSION

_PERSON = b"consilience-key1"
"""BLAKE2b personalisation: raised (key2, ...) when the encoding below changes."""


def cache_key(
    operation: str,
    parameters: Mapping[str, object],
    spaces: Sequence[SpaceUse],
    query_bytes: bytes | memoryview = b"",
    tenant: str = "",
) -> str:
    """Digest of everything that decides an answer.

    Key = BLAKE2b-256 of the encoding of (tenant, operation, engine version, parameters, spaces, query bytes). The encoding is injective:
    each value is one tag byte, its length as 8 bytes little-endian, then its bytes; containers hold the number of their entries and then
    the entries; a mapping's entries are ordered by key. So `("ab", "c")` and `("a", "bc")`, 1 and 1.0 and True and "1", None and "" all
    differ. Lists and tuples of equal entries are equal, and so are mappings in any order.

    Args:
        operation: the use case.
        parameters: every parameter that can change the answer, defaults filled in, a bridge's uid and version among them. Values: None,
            bool, integers, floats (NumPy's too), str, bytes, sequences and mappings with str keys, nested at will. NaN equals itself; 0.0
            and -0.0 differ.
        spaces: the spaces used, in the order of their roles; uid and version enter (a uid has one name for ever).
        query_bytes: the raw query vectors, hashed in place: about a second for 1.2 GB, so large ones belong in a worker thread.
        tenant: whose answer it is; tenants never share entries.

    Returns:
        64 hexadecimal digits.

    Raises:
        TypeError: a parameter of another type: its encoding would not be canonical.
    """
    digest = hashlib.blake2b(digest_size=32, person=_PERSON)
    described = (tenant, operation, ENGINE_VERSION, parameters, [(space.uid, space.version) for space in spaces])
    encoded = bytearray()
    _encode(described, encoded)
    digest.update(encoded)
    view = memoryview(query_bytes)
    digest.update(_header(b"b", view.nbytes))
    digest.update(view)
    return digest.hexdigest()


def _header(tag: bytes, length: int) -> bytes:
    return tag + length.to_bytes(8, "little")


def _encode(value: object, out: bytearray) -> None:
    """Append the canonical bytes of a value."""
    if isinstance(value, str):
        _leaf(b"s", value.encode("utf-8", "surrogatepass"), out)
    elif value is None:
        out += _header(b"n", 0)
    elif isinstance(value, bool):
        out += _header(b"t" if value else b"f", 0)
    elif isinstance(value, int | np.integer):
        _leaf(b"i", str(int(value)).encode(), out)
    elif isinstance(value, float | np.float32 | np.float16):
        _leaf(b"r", _real(float(value)), out)
    elif isinstance(value, bytes):
        _leaf(b"b", value, out)
    elif isinstance(value, Mapping):
        _encode_mapping(value, out)
    elif isinstance(value, Sequence):
        out += _header(b"l", len(value))
        for entry in value:
            _encode(entry, out)
    else:
        raise TypeError(f"a parameter of type {type(value).__name__} has no canonical encoding; pass plain values")


def _encode_mapping(value: Mapping[object, object], out: bytearray) -> None:
    named = {key: entry for key, entry in value.items() if isinstance(key, str)}
    if len(named) != len(value):
        raise TypeError("the keys of a parameter mapping must be str")
    out += _header(b"m", len(named))
    for key in sorted(named):
        _encode(key, out)
        _encode(named[key], out)


def _leaf(tag: bytes, content: bytes, out: bytearray) -> None:
    out += _header(tag, len(content))
    out += content


def _real(value: float) -> bytes:
    # All NaN payloads mean the same.
    return struct.pack("<d", math.nan if math.isnan(value) else value)
