"""The writer's lease: one process, and in it one store object, writes to a store folder."""

import fcntl
import json
import os
import socket
import time
import weakref
from pathlib import Path
from typing import Any

from consilience_server.core.errors import StoreLocked

_FILE = "writer.lock"


class StoreLease:
    """An advisory lock on `writer.lock`, with the holder's name in the file; the system releases it when the process dies.

    The lock belongs to the open file, so that a second opener in the same process is refused too. A forked child closes its copy at
    once: the lease stays with the parent and ends with it.

    Args:
        root: the store folder, which exists.
        holder: who to name in refusals.

    Raises:
        StoreLocked: somebody holds it; the message names host, process and since when.
    """

    def __init__(self, root: Path, holder: str) -> None:
        self._handle = os.open(root / _FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.pread(self._handle, 4096, 0)
            os.close(self._handle)
            who = _describe(text)
            raise StoreLocked(f"the store in {root} is open for writing by {who}; close that one, or open read-only", holder=who) from None
        text = json.dumps(
            {
                "holder": holder,
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "since": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            }
        ).encode()
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, text, 0)
        _close_in_children(self)

    def release(self) -> None:
        """Let the next writer in; safe to repeat."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def _describe(text: bytes) -> str:
    try:
        fields: dict[str, Any] = json.loads(text)
        return f"{fields['holder']!r} (host {fields['host']}, process {fields['pid']}, since {fields['since']})"
    except (ValueError, KeyError, TypeError):
        # The holder has the lock but has not written its name yet.
        return "another process"


def _close_in_children(lease: StoreLease) -> None:
    reference = weakref.ref(lease)

    def close() -> None:
        kept = reference()
        if kept is not None:
            kept.release()

    os.register_at_fork(after_in_child=close)
