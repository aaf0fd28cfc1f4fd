"""The first tier of the result cache: this process's memory."""

from collections import OrderedDict

_ENTRY_BYTES = 256
"""What an entry costs beside its value: the key, two object headers, the map's slot."""


class MemoryCache:
    """Least-recently-used map bounded by bytes, not by entries. Not thread-safe: the event loop owns it.

    Args:
        capacity: bytes that keys and values may take together; 0 keeps nothing.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 0:
            raise ValueError(f"the capacity must not be negative, not {capacity}")
        self._capacity = capacity
        self._entries: OrderedDict[str, bytes] = OrderedDict()
        self._nbytes = 0

    def get(self, key: str) -> bytes | None:
        """The value, now the most recently used, or None."""
        value = self._entries.get(key)
        if value is not None:
            self._entries.move_to_end(key)
        return value

    def put(self, key: str, value: bytes) -> None:
        """Keep a value, at the cost of the least recently used ones; one larger than the capacity is not kept."""
        self._remove(key)
        size = _size(value)
        if size > self._capacity:
            return
        while self._nbytes + size > self._capacity:
            self._remove(next(iter(self._entries)))
        self._entries[key] = value
        self._nbytes += size

    def _remove(self, key: str) -> None:
        value = self._entries.pop(key, None)
        if value is not None:
            self._nbytes -= _size(value)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._nbytes

    def __len__(self) -> int:
        return len(self._entries)


def _size(value: bytes) -> int:
    return len(value) + _ENTRY_BYTES
