"""Versions in use, so that no process's maintenance removes them.

A pin is a shared lock on one byte of `pins.lock`, the byte chosen by a digest of (space uid, version). It needs no write, no room on the
disk and no clean-up: the system drops it when the process dies. Maintenance takes the byte exclusively before it removes a version and
passes over those it can't get. Two versions on one byte would only be kept a little longer.
"""

import fcntl
import hashlib
import os
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FILE = "pins.lock"
# struct flock of 64-bit Linux: type, whence, start, length, process (0 for locks of an open file), padded to its alignment.
_FLOCK = "@hhqqi0q"


class StorePins:
    """The pins that one store object holds.

    Locks of open files (`F_OFD_SETLK`), not of processes: those would vanish when any thread closed any handle of the file.

    Args:
        root: the store folder.
        make: make the file where it is missing (the writer does).
    """

    def __init__(self, root: Path, *, make: bool) -> None:
        path = root / _FILE
        if make:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644))
        self._path = path
        self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._guard = threading.Lock()
        self._held: Counter[int] = Counter()

    @contextmanager
    def pin(self, uid: str, version: int) -> Iterator[None]:
        """Keep a version while the context is open. Who pins must look afterwards whether the version is still there."""
        byte = _byte(uid, version)
        # Waits for a removal in progress, which holds its bytes for one short transaction.
        with self._guard:
            if self._held[byte] == 0:
                _lock(self._handle, fcntl.F_OFD_SETLKW, fcntl.F_RDLCK, byte)
            self._held[byte] += 1
        try:
            yield
        finally:
            with self._guard:
                self._held[byte] -= 1
                if self._held[byte] == 0:
                    del self._held[byte]
                    if self._handle >= 0:
                        _lock(self._handle, fcntl.F_OFD_SETLK, fcntl.F_UNLCK, byte)

    @contextmanager
    def removal(self) -> Iterator["Removal"]:
        """A round of removals: what it reserves can't be pinned until the context ends."""
        # A file opened anew: its locks conflict with our own pins as with those of other processes.
        handle = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        try:
            yield Removal(handle)
        finally:
            os.close(handle)

    def close(self) -> None:
        """Drop all pins."""
        with self._guard:
            if self._handle >= 0:
                os.close(self._handle)
                self._handle = -1


class Removal:
    """What one round of maintenance may remove."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def reserve(self, uid: str, version: int) -> bool:
        """Whether nobody has pinned this version; if so nobody can until the round ends."""
        try:
            _lock(self._handle, fcntl.F_OFD_SETLK, fcntl.F_WRLCK, _byte(uid, version))
        except BlockingIOError:
            return False
        return True


def _byte(uid: str, version: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{uid}@{version}".encode()).digest()[:7], "big")


def _lock(handle: int, command: int, kind: int, byte: int) -> None:
    fcntl.fcntl(handle, command, struct.pack(_FLOCK, kind, os.SEEK_SET, byte, 1, 0))
