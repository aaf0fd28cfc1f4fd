"""Which request removed which bridge, so that repeating it is safe even where the name was given to another bridge since."""

import hashlib
import json
import time
from contextlib import suppress
from pathlib import Path

from consilience_server.adapters.durable_files import make_directory, write_durably
from consilience_server.adapters.storage_errors import reading
from consilience_server.core.errors import UploadConflict

RECEIPTS = "+removed"
"""The folder's name among those of the bridges: an id never has a plus."""

_KEPT_SECONDS = 30 * 86_400.0


class RemovalReceipts:
    """One small file a request, kept for thirty days.

    Args:
        folder: of the receipts; made with the first.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def removed(self, request_id: str, name: str, present_uid: str | None) -> bool:
        """Whether this request has removed the bridge `name`.

        Args:
            request_id: of the removal.
            name: of the bridge.
            present_uid: of the bridge that has the name now, if any. Where it is the one to be removed, the removal was interrupted.

        Raises:
            UploadConflict: the request removed another bridge.
            CorruptData: the receipt is damaged.
        """
        path = self._path(request_id)
        if not path.is_file():
            return False
        with reading(str(path)):
            receipt = json.loads(path.read_bytes())
            removed, uid = str(receipt["name"]), str(receipt["uid"])
        if removed != name:
            message = f"request_id {request_id!r} deleted bridge {removed!r} before, not {name!r}; use a new request_id"
            raise UploadConflict(message, field="request_id")
        return uid != present_uid

    def write(self, request_id: str, name: str, uid: str) -> None:
        """Keep a receipt durably, and drop those that are too old."""
        make_directory(self._folder)
        oldest = time.time() - _KEPT_SECONDS
        for path in self._folder.iterdir():
            # Another removal may be writing or tidying here too.
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < oldest:
                    path.unlink()
        write_durably(self._path(request_id), [json.dumps({"name": name, "uid": uid}).encode()])

    def _path(self, request_id: str) -> Path:
        # Request ids are free text.
        return self._folder / f"{hashlib.sha256(request_id.encode()).hexdigest()[:40]}.json"
