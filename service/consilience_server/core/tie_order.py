"""An order of items that no upload order and no other space can know: for tied groups too large to keep."""

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def tie_keys(uid: str, ids: Iterable[str]) -> NDArray[np.uint64]:
    """Hash every item of a space to 64 bits.

    key(uid, id) = the first 8 bytes (little-endian) of BLAKE2b over the id's UTF-8 bytes, keyed with BLAKE2b-256 of the uid. So the
    key of an item does not depend on its row, and the keys of one item in two spaces are independent, which keeps a permutation null
    honest where ties are broken by key.

    Args:
        uid: the space's random id.
        ids: n item ids.

    Returns:
        (n,) uint64. About 1 us an id.
    """
    keyed = hashlib.blake2b(digest_size=8, key=hashlib.blake2b(uid.encode(), digest_size=32).digest())

    def digest(item_id: str) -> bytes:
        state = keyed.copy()
        state.update(item_id.encode())
        return state.digest()

    return np.frombuffer(b"".join(map(digest, ids)), dtype="<u8").astype(np.uint64)
