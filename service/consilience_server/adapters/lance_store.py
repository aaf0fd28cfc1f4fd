"""The store of spaces: Lance files for the rows, a catalog that says which files make which version, one writer's lease.

```
<root>/format.json       the format's number; refused when newer
       writer.lock       the lease          pins.lock    versions in use
       catalog.sqlite    spaces, versions, files with digests, receipts
       spaces/<uid>.lance/                  one Lance dataset a space
       uploads/<uid>/<request>/<row>.batch  uploads in progress
```
"""

import os
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa

from consilience_server.adapters.durable_files import make_directory, remove_tree, sync_directory, tree_bytes
from consilience_server.adapters.keyed_locks import KeyedLocks
from consilience_server.adapters.lance_files import FileChecks, open_version
from consilience_server.adapters.lance_rows import find_ids, read_sorted, stored_ids, take_rows
from consilience_server.adapters.open_uploads import OpenUploads, remove_others
from consilience_server.adapters.request_ledger import RequestEntry, RequestLedger
from consilience_server.adapters.space_columns import ID, attribute_column, vector_matrix
from consilience_server.adapters.space_commits import SpaceCommits, ids_digest
from consilience_server.adapters.storage_errors import reading, writing
from consilience_server.adapters.store_catalog import Layout, StoreCatalog, now_us
from consilience_server.adapters.store_format import check_format, no_store, write_format
from consilience_server.adapters.store_lease import StoreLease
from consilience_server.adapters.store_maintenance import SpaceMaintenance
from consilience_server.adapters.store_pins import StorePins
from consilience_server.app.ports import (
    AttributeColumn,
    Batch,
    DeleteOutcome,
    MaintenanceReport,
    SpaceData,
    SpaceRecord,
    SpaceSpec,
    UploadState,
    UpsertOutcome,
)
from consilience_server.core.errors import (
    CorruptData,
    InvalidName,
    ItemNotFound,
    SpaceNotFound,
    StoreLocked,
    StoreReadOnly,
    UploadConflict,
    VersionExpired,
)

_CATALOG = "catalog.sqlite"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
_SHOWN = 10


class LanceStore:
    """`SpaceStore` on a local folder. Thread-safe; reads take no lock of this process while they read files.

    Writes to one space wait for each other; staging waits only for its own upload. Each acknowledged write is fsynced first.

    Args:
        root: the store folder, made where it does not exist.
        read_only: open beside a writer, without the lease.
        holder: who to name when another opener is refused.

    Raises:
        StoreLocked: another opener, in this process or another, holds the lease. Also raised by every method after a fork.
        StoreTooNew: written by a newer program.
        StoreReadOnly: opened for reading where no store is; and by every write of a read-only store.
        CorruptData: parts of the store are missing or damaged.
        StorageFull: no room even to open.
    """

    def __init__(self, root: Path, read_only: bool = False, holder: str = "consilience") -> None:  # noqa: FBT001, FBT002  # named by its callers
        self._root = root
        self._read_only = read_only
        self._process = os.getpid()
        self._closed = False
        self._locks = KeyedLocks()
        self._checks = FileChecks()
        self._lease: StoreLease | None = None
        with writing(f"the store in {root}"):
            if not read_only:
                make_directory(root)
                self._lease = StoreLease(root, holder)
            try:
                self._open()
            except BaseException:
                if self._lease is not None:
                    self._lease.release()
                raise

    def _open(self) -> None:
        made = check_format(self._root)
        if self._read_only and not made:
            raise no_store(self._root)
        if made and not (self._root / _CATALOG).is_file():
            raise CorruptData(f"{self._root / _CATALOG} is missing; restore it from a backup")
        if not made and (self._root / "spaces").is_dir() and any((self._root / "spaces").iterdir()):
            raise CorruptData(f"{self._root} holds spaces but no format.json; restore it from a backup")
        self._catalog = StoreCatalog(self._root / _CATALOG, read_only=self._read_only)
        with reading(f"the store in {self._root}"):
            self._pins = StorePins(self._root, make=not self._read_only)
        self._ledger = RequestLedger(self._catalog.database)
        self._uploads = OpenUploads(self._root / "uploads", self._ledger, self._locks)
        self._commits = SpaceCommits(self._root / "spaces", self._catalog, self._checks)
        if not made:
            sync_directory(self._root)
            write_format(self._root)
        if not self._read_only:
            self._remove_debris()

    def _remove_debris(self) -> None:
        """What a crash left: files that the catalog does not list, folders of deleted spaces, staged rows of finished uploads."""
        uids = self._catalog.uids()
        for uid in uids:
            self._commits.roll_back(uid)
        remove_others(self._root / "spaces", {self._commits.directory(uid).name for uid in uids})
        self._uploads.sweep(uids)

    @property
    def read_only(self) -> bool:
        """Opened without the writer's lease."""
        return self._read_only

    def _check_open(self) -> None:
        if os.getpid() != self._process:
            raise StoreLocked(f"the store in {self._root} belongs to process {self._process}, which forked this one; open it anew here")
        if self._closed:
            raise StoreLocked(f"this handle of the store in {self._root} is closed; open it anew")

    def _check_writable(self) -> None:
        self._check_open()
        if self._read_only:
            raise StoreReadOnly(f"the store in {self._root} is open for reading only; ask the process that holds it for writing")

    def create(self, spec: SpaceSpec, request_id: str = "") -> SpaceRecord:
        """Make an empty space at version 0 with a fresh uid; see the port."""
        self._check_writable()
        if not _NAME.fullmatch(spec.name):
            raise InvalidName(f"{spec.name!r} is no valid id: a lower-case letter, then up to 62 of a-z, 0-9 and -", field="space_id")
        return self._catalog.create(uuid.uuid4().hex, spec, request_id)

    def get(self, name: str) -> SpaceRecord:
        """The space as it is now."""
        self._check_open()
        return self._catalog.space(name)

    def known(self, name: str) -> SpaceRecord | None:
        """The space as it is now where memory tells; see the port."""
        self._check_open()
        return self._catalog.known(name)

    def list(self, after: str, limit: int) -> Sequence[SpaceRecord]:
        """At most `limit` spaces whose names come after `after`, in byte order."""
        self._check_open()
        return self._catalog.spaces(after, limit)

    def delete(self, name: str, request_id: str = "") -> None:
        """Remove a space with all versions and uploads; waits for a running commit. Repeating a request id changes nothing more."""
        self._check_writable()
        if self._deleted_before(name, request_id):
            return
        try:
            self._delete(name, request_id)
        except SpaceNotFound:
            # The same request may have been served twice at once.
            if not self._deleted_before(name, request_id):
                raise

    def _deleted_before(self, name: str, request_id: str) -> bool:
        """Whether this very request removed the space; UploadConflict where it removed another."""
        removed = self._catalog.deleted_by(request_id) if request_id else None
        if removed not in {None, name}:
            message = f"request_id {request_id!r} deleted space {removed!r} before, not {name!r}; use a new request_id"
            raise UploadConflict(message, field="request_id")
        return removed is not None

    def _delete(self, name: str, request_id: str) -> None:
        uid = self._catalog.space(name).uid
        with self._locks.hold(uid):
            if not self._catalog.delete(uid, name, request_id):
                raise SpaceNotFound(f"there is no space {name!r}; it was deleted meanwhile", space=name)
            self._checks.forget(self._commits.directory(uid))
            remove_tree(self._commits.directory(uid))
            self._uploads.forget_space(uid)

    def open_upload(self, space: str, request_id: str) -> UploadState:
        """Begin an upload, or find what an earlier one of this request id has staged or committed."""
        self._check_writable()
        return self._uploads.begin(self._catalog.space(space), request_id)

    def stage(self, space: str, request_id: str, first_row: int, batch: Batch) -> int:
        """Keep a batch durably, invisible to readers; returns the rows staged so far."""
        self._check_writable()
        return self._uploads.stage(self._catalog.space(space), request_id, first_row, batch)

    def commit(self, space: str, request_id: str) -> UpsertOutcome:
        """Make everything staged visible as one version; repeating it answers the same.

        Items are matched by id. Attribute columns that a batch does not carry keep their stored values. An upload that equals what is
        stored, vectors and attributes compared bit for bit, makes no version.
        """
        self._check_writable()
        uid = self._catalog.space(space).uid
        with self._locks.hold(uid), self._locks.hold((uid, request_id)):
            record = self._same_space(space, uid)
            state = self._uploads.state(record, request_id)
            if state.committed is not None:
                return state.committed
            outcome = self._commits.upsert(record, request_id, self._uploads.staged(record, request_id))
            self._uploads.finish(uid, request_id)
            return outcome

    def staged(self, space: str, request_id: str) -> Batch:
        """Everything that an open upload has staged, ids and rows; read back and checked."""
        self._check_writable()
        record = self._catalog.space(space)
        with self._locks.hold((record.uid, request_id)):
            self._uploads.state(record, request_id)
            upload = self._uploads.staged(record, request_id)
            rows = upload.read()
            ids = [item for part in rows for item in part.ids.to_pylist()]
            vectors = [vector_matrix(part.vectors) for part in rows] or [np.empty((0, upload.dim), dtype=np.float32)]
            return Batch(ids, np.concatenate(vectors))

    def upload_state(self, space: str, request_id: str) -> UploadState:
        """How far an upload is; UploadNotFound if never begun or expired."""
        self._check_writable()
        record = self._catalog.space(space)
        with self._locks.hold((record.uid, request_id)):
            return self._uploads.state(record, request_id)

    def discard_upload(self, space: str, request_id: str) -> None:
        """Forget what is staged; a committed upload stays as it is."""
        self._check_writable()
        self._uploads.discard(self._catalog.space(space).uid, request_id)

    def _same_space(self, name: str, uid: str) -> SpaceRecord:
        """The space as it is once its lock is held; SpaceNotFound where it was deleted before."""
        record = self._catalog.space(name)
        if record.uid != uid:
            raise SpaceNotFound(f"space {name!r} was deleted and made anew meanwhile; begin again", space=name)
        return record

    def delete_items(self, space: str, ids: Sequence[str], request_id: str = "") -> DeleteOutcome:
        """Remove items as one version; ids that are absent are counted. Repeating a request id with the same ids answers the same."""
        self._check_writable()
        uid = self._catalog.space(space).uid
        with self._locks.hold(uid):
            record = self._same_space(space, uid)
            entry = self._ledger.find(uid, "delete", request_id) if request_id else None
            return self._commits.delete_items(record, ids, request_id) if entry is None else _deleted_before(entry, ids)

    def count(self, space: str, version: int) -> int:
        """Items of one version, from the catalog."""
        self._check_open()
        with self._layout(space, version) as (_, layout):
            return 0 if layout is None else layout.item_count

    def load(self, space: str, version: int = 0) -> SpaceData:
        """Read one version whole, every file checked against its digest; 0 is the newest. Rows in byte order of the ids."""
        self._check_open()
        with self._layout(space, version) as (record, layout):
            dim = record.spec.row_width(0 if layout is None else layout.item_count)
            if layout is None:
                return SpaceData(record, 0, np.empty(0, dtype=np.object_), np.empty((0, dim), dtype=np.float32))
            directory = self._commits.directory(record.uid)
            self._checks.check(directory, self._catalog.files(layout), trust_earlier=False)
            with reading(f"version {layout.version} of space {space!r}"):
                ids, vectors = read_sorted(open_version(directory, layout.lance_version), dim, layout.item_count)
            return SpaceData(record, layout.version, ids, vectors)

    def attributes(self, space: str, version: int, ids: Sequence[str]) -> Mapping[str, AttributeColumn]:
        """All attributes of these items, in the order of `ids`; ItemNotFound names those that are absent.

        Files that passed their check before and were not touched since are not read again whole.
        """
        self._check_open()
        with self._layout(space, version) as (record, layout):
            if layout is None:
                _check_present(list(ids), space, 0)
                return {}
            directory = self._commits.directory(record.uid)
            self._checks.check(directory, self._catalog.files(layout), trust_earlier=True)
            columns = sorted(self._catalog.columns(record.uid, layout.version), key=lambda column: column.name)
            with reading(f"version {layout.version} of space {space!r}"):
                dataset = open_version(directory, layout.lance_version)
                wanted = pa.array(ids, type=pa.string())
                positions = find_ids(wanted, stored_ids(dataset))
                _check_present([ids[int(row)] for row in np.flatnonzero(positions < 0)], space, layout.version)
                rows = take_rows(dataset, positions, [ID, *(column.column for column in columns)])
                if not rows.column(ID).combine_chunks().equals(wanted):
                    raise CorruptData(f"rows of space {space!r} picked by position carry other ids; restore it from a backup")
                return {column.name: attribute_column(column.type, rows.column(column.column)) for column in columns}

    @contextmanager
    def _layout(self, space: str, version: int) -> Iterator[tuple[SpaceRecord, Layout | None]]:
        """A version as it lies on disk, kept there while the context is open; None for the empty version 0."""
        while True:
            record = self._catalog.space(space)
            wanted = version or record.version
            with self._pins.pin(record.uid, wanted):
                layout = self._catalog.layout(record.uid, wanted)
                if layout is not None or wanted == 0:
                    try:
                        yield record, layout
                    except CorruptData:
                        # The files of a space deleted meanwhile are gone, not damaged.
                        self._same_space(space, record.uid)
                        raise
                    return
            if version or self._catalog.space(space).version == wanted:
                raise _expired(f"of space {space!r}", wanted)

    @contextmanager
    def pin(self, uid: str, version: int) -> Iterator[None]:
        """While the context is open, no maintenance, of this process or another, removes this version; VersionExpired if it is gone."""
        self._check_open()
        with self._pins.pin(uid, version):
            if version and self._catalog.layout(uid, version) is None:
                name = self._catalog.name(uid)
                raise _expired("of a space that was deleted" if name is None else f"of space {name!r}", version)
            yield

    def maintain(self, keep_seconds: float, upload_seconds: float) -> MaintenanceReport:
        """Drop idle uploads, remove unpinned versions that ceased to be the newest `keep_seconds` ago, compact; space by space.

        Writes to a space wait while it is its turn. A step that fails does not keep the others from running; the first error is raised at
        the end.
        """
        self._check_writable()
        round_ = SpaceMaintenance(
            catalog=self._catalog,
            commits=self._commits,
            pins=self._pins,
            uploads=self._root / "uploads",
            discard=self._uploads.discard,
            keep_us=round(keep_seconds * 1e6),
            upload_us=round(upload_seconds * 1e6),
        )
        errors: list[Exception] = []
        name = ""
        while records := self._catalog.spaces(name, 100):
            for record in records:
                name = record.spec.name
                with self._locks.hold(record.uid):
                    try:
                        current = self._same_space(name, record.uid)
                    except SpaceNotFound:
                        continue
                    errors += round_.space(current)
        self._catalog.forget_deletions(now_us() - max(round_.keep_us, round_.upload_us))
        if errors:
            raise errors[0]
        return round_.report()

    def sizes(self) -> Mapping[str, int]:
        """`spaces`, `versions`, and the `bytes` of all files below the root."""
        self._check_open()
        spaces, versions = self._catalog.counts()
        return {"spaces": spaces, "versions": versions, "bytes": tree_bytes(self._root)}

    def close(self) -> None:
        """Give back the lease, the pins and all handles; safe to repeat. In a forked child nothing of the parent's is touched."""
        if self._closed or os.getpid() != self._process:
            return
        self._closed = True
        self._catalog.close()
        self._pins.close()
        if self._lease is not None:
            self._lease.release()


def _expired(of_space: str, version: int) -> VersionExpired:
    return VersionExpired(f"version {version} {of_space} was cleaned up or never was; read a newer one", version=version)


def _check_present(absent: Sequence[str], space: str, version: int) -> None:
    if absent:
        listed = ", ".join(repr(item) for item in absent[:_SHOWN])
        more = f" and {len(absent) - _SHOWN:,} more" if len(absent) > _SHOWN else ""
        raise ItemNotFound(f"space {space!r} has no items {listed}{more} at version {version}; correct the ids", field="ids")


def _deleted_before(entry: RequestEntry, ids: Sequence[str]) -> DeleteOutcome:
    if entry.digest != ids_digest(ids) or entry.outcome is None:
        message = f"request_id {entry.request_id!r} deleted other items before; use a new request_id"
        raise UploadConflict(message, field="request_id")
    return DeleteOutcome(**entry.outcome)
