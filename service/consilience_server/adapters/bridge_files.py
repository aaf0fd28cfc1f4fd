"""Bridges on disk: one folder each, `map.safetensors` (the matrix and the means, float64) and `bridge.json` (all else), never changed.

Digests of both stand in the JSON file (`adapters/bridge_documents.py`), so that neither can be damaged or exchanged unseen. The folder is
written under a temporary name, fsynced, and renamed: a bridge is there whole or not at all.
"""

import errno
import os
import re
import shutil
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from consilience_server.adapters.bridge_documents import (
    Document,
    map_bytes,
    new_document,
    read_document,
    read_listing,
    read_uid,
    read_whole,
)
from consilience_server.adapters.durable_files import make_directory, remove_tree, sync_directory, write_durably
from consilience_server.adapters.removal_receipts import RECEIPTS, RemovalReceipts
from consilience_server.adapters.storage_errors import reading, writing
from consilience_server.bridges.artefact import BridgeArtefact, BridgeListing
from consilience_server.core.errors import BridgeExists, BridgeNotFound, CorruptData, InvalidName, StoreReadOnly

_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
_MAP = "map.safetensors"
_FACTS = "bridge.json"

R = TypeVar("R")


class BridgeFiles:
    """`BridgeStore` on a folder. Thread-safe; the lease of the store that the folder belongs to keeps other writers away.

    Args:
        root: the folder of all bridges, made where it does not exist.
        read_only: refuse `put` and `delete`.
    """

    def __init__(self, root: Path, read_only: bool = False) -> None:  # noqa: FBT001, FBT002  # named by its callers, as the store's is
        self._root = root
        self._read_only = read_only
        self._receipts = RemovalReceipts(root / RECEIPTS)
        if not read_only:
            with writing("the folder of bridges"):
                make_directory(root)
            for path in root.iterdir():
                # Left by a crash: a bridge never finished, or one half removed.
                if path.name.startswith("."):
                    remove_tree(path)

    def put(self, artefact: BridgeArtefact) -> None:
        """Keep a new bridge; BridgeExists where the name is taken. Fsynced before it returns."""
        self._check_writable()
        if not _NAME.fullmatch(artefact.name):
            message = f"{artefact.name!r} is no valid id: a lower-case letter, then up to 62 of a-z, 0-9 and -"
            raise InvalidName(message, field="bridge_id")
        temporary = self._root / f".{uuid.uuid4().hex}"
        with writing(f"bridge {artefact.name!r}"):
            try:
                temporary.mkdir()
                tensors = map_bytes(artefact)
                write_durably(temporary / _MAP, [tensors])
                write_durably(temporary / _FACTS, [new_document(artefact, tensors)])
                self._publish(temporary, artefact.name)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)

    def _publish(self, temporary: Path, name: str) -> None:
        try:
            # By its plain name: what a fault test makes fail. A rename onto a folder that is not empty is refused by the system.
            os.rename(temporary, self._root / name)  # noqa: PTH104
        except OSError as error:
            if error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
                message = f"a bridge {name!r} is there already; choose another name, or delete it first"
                raise BridgeExists(message, field="bridge_id", bridge=name) from None
            raise
        sync_directory(self._root)

    def get(self, name: str) -> BridgeArtefact:
        """Read one, its digest checked.

        Raises:
            BridgeNotFound: no such bridge.
            CorruptData: a file is missing, truncated, altered or exchanged.
            StoreTooNew: written by a newer program.
        """
        return self._read(name, lambda document: read_whole(document, (self._root / name / _MAP).read_bytes()))

    def listing(self, name: str) -> BridgeListing:
        """What a list tells of one, from its small file alone. Raises as `get`; only `get` reads, and so checks, the map."""
        return self._read(name, lambda document: read_listing(document, self._root / name / _MAP))

    def _read(self, name: str, take: Callable[[Document], R]) -> R:
        return self._from_text(name, lambda text: take(read_document(name, text)))

    def _from_text(self, name: str, take: Callable[[bytes], R]) -> R:
        if not self.exists(name):
            raise BridgeNotFound(f"there is no bridge {name!r}; list the bridges for their names", bridge=name)
        try:
            with reading(f"bridge {name!r}"):
                return take((self._root / name / _FACTS).read_bytes())
        except CorruptData:
            if not self.exists(name):
                raise BridgeNotFound(f"bridge {name!r} was deleted meanwhile", bridge=name) from None
            raise

    def list(self, after: str, limit: int) -> Sequence[BridgeListing]:
        """At most `limit` bridges whose names come after `after`, in byte order, from their small files alone."""
        names = (
            sorted(path.name for path in self._root.iterdir() if _NAME.fullmatch(path.name) and path.name > after)
            if self._root.is_dir()
            else []
        )
        found: list[BridgeListing] = []
        for name in names:
            if len(found) == limit:
                break
            try:
                found.append(self.listing(name))
            except BridgeNotFound:
                continue
        return found

    def delete(self, name: str, request_id: str = "") -> None:
        """Remove one; it is gone at once for readers, whatever interrupts the rest. Repeating a request id changes nothing more.

        Raises:
            BridgeNotFound: no such bridge.
            UploadConflict: the request id removed another bridge before.
        """
        self._check_writable()
        if self._removed_before(name, request_id):
            return
        try:
            self._remove(name, request_id)
        except BridgeNotFound:
            # The same request may have been served twice at once.
            if not self._removed_before(name, request_id):
                raise

    def _removed_before(self, name: str, request_id: str) -> bool:
        return request_id != "" and self._receipts.removed(request_id, name, self._uid_if_any(name))

    def _uid_if_any(self, name: str) -> str | None:
        """None where there is no such bridge; empty where it is damaged: that must not keep it from being removed."""
        try:
            return self.uid(name)
        except BridgeNotFound:
            return None
        except CorruptData:
            return ""

    def _remove(self, name: str, request_id: str) -> None:
        uid = self._uid_if_any(name)
        if uid is None:
            raise BridgeNotFound(f"there is no bridge {name!r}; list the bridges for their names", bridge=name)
        if request_id:
            # Before the removal: what a crash leaves in between is known by its uid, and removed when the request is repeated.
            with writing(f"the removal of bridge {name!r}"):
                self._receipts.write(request_id, name, uid)
        waste = self._root / f".{uuid.uuid4().hex}"
        try:
            os.rename(self._root / name, waste)  # noqa: PTH104  # as in _publish
        except FileNotFoundError:
            raise BridgeNotFound(f"bridge {name!r} was deleted meanwhile", bridge=name) from None
        sync_directory(self._root)
        remove_tree(waste)

    def exists(self, name: str) -> bool:
        """Whether the name is taken."""
        return _NAME.fullmatch(name) is not None and (self._root / name).is_dir()

    def uid(self, name: str) -> str:
        """The uid of the bridge that has the name now, from its small file alone, whose digest only the others check. Raises as `get`."""
        return self._from_text(name, lambda text: read_uid(name, text))

    def _check_writable(self) -> None:
        if self._read_only:
            raise StoreReadOnly("the store is open for reading only; ask the process that holds it for writing")
