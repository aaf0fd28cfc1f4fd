"""Uploads between their beginning and their commit, as the store keeps track of them."""

from pathlib import Path

from consilience_server.adapters.durable_files import remove_tree
from consilience_server.adapters.keyed_locks import KeyedLocks
from consilience_server.adapters.request_ledger import RequestLedger
from consilience_server.adapters.storage_errors import writing
from consilience_server.adapters.store_catalog import now_us
from consilience_server.adapters.upload_staging import StagedUpload, upload_directory
from consilience_server.app.ports import Batch, SpaceRecord, UploadState, UpsertOutcome
from consilience_server.core.errors import UploadConflict, UploadNotFound


class OpenUploads:
    """The uploads of one store; each has a lock of its own, `locks.hold((uid, request_id))`.

    Args:
        root: the folder of staged batches.
        ledger: knows which uploads are open and what committed ones answered.
        locks: of the store.
    """

    def __init__(self, root: Path, ledger: RequestLedger, locks: KeyedLocks) -> None:
        self._root = root
        self._ledger = ledger
        self._locks = locks
        self._staged: dict[tuple[str, str], StagedUpload] = {}

    def begin(self, record: SpaceRecord, request_id: str) -> UploadState:
        """Note an upload, or find what an earlier one of this request id has staged or committed."""
        with self._locks.hold((record.uid, request_id)):
            if self._ledger.find(record.uid, "upload", request_id) is None:
                self._ledger.open_upload(record.uid, request_id, now_us())
            return self.state(record, request_id)

    def stage(self, record: SpaceRecord, request_id: str, first_row: int, batch: Batch) -> int:
        """Keep a batch durably; returns the rows staged so far. UploadConflict once the upload is committed."""
        with self._locks.hold((record.uid, request_id)):
            state = self.state(record, request_id)
            if state.committed is not None:
                message = f"upload {request_id!r} is committed as version {state.committed.version}; use a new request_id for other rows"
                raise UploadConflict(message, field="header.request_id")
            with writing(f"the batch at row {first_row:,}"):
                return self.staged(record, request_id).append(first_row, batch)

    def state(self, record: SpaceRecord, request_id: str) -> UploadState:
        """How far an upload is; the caller holds its lock. UploadNotFound."""
        entry = self._ledger.find(record.uid, "upload", request_id)
        if entry is None:
            message = f"no upload {request_id!r} to space {record.spec.name!r} is known: never begun, refused or expired; begin again"
            raise UploadNotFound(message, field="request_id")
        if entry.outcome is not None:
            return UploadState(entry.rows, UpsertOutcome(**entry.outcome), entry.digest)
        return UploadState(self.staged(record, request_id).rows, None)

    def staged(self, record: SpaceRecord, request_id: str) -> StagedUpload:
        """What is staged, read from disk where this process does not know it; the caller holds the upload's lock."""
        key = (record.uid, request_id)
        if key not in self._staged:
            self._staged[key] = StagedUpload.resume(upload_directory(self._root, record.uid, request_id), record.spec.dim)
        return self._staged[key]

    def finish(self, uid: str, request_id: str) -> None:
        """Drop the staged rows of an upload that is committed; the caller holds its lock."""
        self._staged.pop((uid, request_id), None)
        remove_tree(upload_directory(self._root, uid, request_id))

    def discard(self, uid: str, request_id: str) -> int:
        """Forget an upload that is still open; returns the bytes freed. A committed one stays as it is."""
        with self._locks.hold((uid, request_id)):
            self._ledger.forget_open(uid, request_id)
            self._staged.pop((uid, request_id), None)
            return remove_tree(upload_directory(self._root, uid, request_id))

    def forget_space(self, uid: str) -> None:
        """Remove whatever is staged for a deleted space."""
        for key in [key for key in list(self._staged) if key[0] == uid]:
            self._staged.pop(key, None)
        remove_tree(self._root / uid)

    def sweep(self, uids: list[str]) -> None:
        """Remove folders of unknown spaces and of uploads that are not open; nobody may be writing."""
        remove_others(self._root, set(uids))
        for uid in uids:
            waiting = {upload_directory(self._root, uid, entry.request_id).name for entry in self._ledger.open_uploads(uid)}
            remove_others(self._root / uid, waiting)


def remove_others(folder: Path, keep: set[str]) -> None:
    """Remove every folder in a folder but those named."""
    if folder.is_dir():
        for path in folder.iterdir():
            if path.name not in keep:
                remove_tree(path)
