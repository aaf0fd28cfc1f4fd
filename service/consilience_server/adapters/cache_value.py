"""What stands in a shared cache: an answer that proves by itself which key it belongs to and that no bit of it changed."""

import hashlib
import struct

_MAGIC = b"CSLC"
_FORMAT = 1
_HEADER = struct.Struct("<4sI16s32s")
"""magic, format, digest of the key, digest of (magic, format, digest of the key, payload)."""

HEADER_BYTES = _HEADER.size


def seal(key: str, payload: bytes) -> bytes:
    """Header and payload. No pickle: the payload is the encoded answer, byte for byte."""
    return _HEADER.pack(_MAGIC, _FORMAT, _key_digest(key), _digest(key, payload)) + payload


def unseal(key: str, value: bytes) -> bytes | None:
    """The payload, or None where the value is truncated, altered, of another format, or sealed for another key.

    The digests are unkeyed: they catch every mix-up and every flipped bit, not an adversary who can write to the cache and computes them
    anew. Give the cache a password and TLS (`rediss://`) where such a one may reach it.
    """
    if len(value) < HEADER_BYTES:
        return None
    magic, version, key_digest, digest = _HEADER.unpack_from(value)
    payload = value[HEADER_BYTES:]
    if magic != _MAGIC or version != _FORMAT or key_digest != _key_digest(key) or digest != _digest(key, payload):
        return None
    return payload


def _key_digest(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=16).digest()


def _digest(key: str, payload: bytes) -> bytes:
    digest = hashlib.blake2b(_MAGIC + _FORMAT.to_bytes(4, "little") + _key_digest(key), digest_size=32)
    digest.update(payload)
    return digest.digest()
