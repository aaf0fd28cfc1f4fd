"""Watches in SQLite beside the store: what is watched, its baseline, its history."""

import hashlib
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from pydantic import TypeAdapter, ValidationError

from consilience_server.adapters.durable_files import make_directory, sync_directory
from consilience_server.adapters.sqlite_file import SqliteFile
from consilience_server.adapters.storage_errors import writing
from consilience_server.app.watch_records import KEPT_RESULTS, Baseline, WatchRecord, WatchResult, WatchSpec
from consilience_server.core.errors import CorruptData, StoreReadOnly, TooManyWatches, UploadConflict, WatchExists, WatchNotFound
from consilience_server.engine.probe_lists import ProbeLists

_SCHEMA = """
CREATE TABLE IF NOT EXISTS watches (name TEXT PRIMARY KEY, uid TEXT NOT NULL UNIQUE, record TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS baselines (uid TEXT PRIMARY KEY REFERENCES watches (uid) ON DELETE CASCADE, arrays BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS results (
    uid TEXT NOT NULL REFERENCES watches (uid) ON DELETE CASCADE, number INTEGER NOT NULL, result TEXT NOT NULL,
    PRIMARY KEY (uid, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS requests (
    number INTEGER PRIMARY KEY, request_id TEXT NOT NULL UNIQUE, action TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL
);
"""
_KEPT_REQUESTS = 10_000
_LIST_PARTS = ("indptr", "items", "scores", "ordered")
_RECORD = TypeAdapter(WatchRecord)
_RESULT = TypeAdapter(WatchResult)
_SPEC = TypeAdapter(WatchSpec)
Action = Literal["create", "delete", "rebaseline"]
T = TypeVar("T")


class SqliteWatches:
    """`WatchStore` on one SQLite file (WAL, `synchronous=FULL`). Thread-safe.

    Args:
        path: the file; made, with its folder, where it does not exist.
        read_only: refuse writes; where there is no file there are no watches.

    Raises:
        CorruptData: the file is damaged. StorageFull: no room to make it.
    """

    def __init__(self, path: Path, read_only: bool = False) -> None:  # noqa: FBT001, FBT002  # named by its callers, as the store's is
        self._path = path
        self.read_only = read_only
        self._database: SqliteFile | None = None
        with writing("the file of watches"):
            if not read_only:
                make_directory(path.parent)
                self._database = SqliteFile(path, _SCHEMA)
                sync_directory(path.parent)

    @property
    def generation(self) -> int:
        """Grows with every write of this process."""
        return 0 if self._database is None else self._database.generation

    def create(self, record: WatchRecord, baseline: Baseline, request_id: str, limit: int) -> WatchRecord:
        """Keep a new watch; a repeated request answers the kept one. WatchExists, TooManyWatches, UploadConflict."""
        if self.repeated(request_id, "create", record.spec):
            return self.get(record.spec.name)
        name, arrays = record.spec.name, _pack(baseline)
        with self._writable().write() as connection:
            if connection.execute("SELECT 1 FROM watches WHERE name = ?", [name]).fetchone():
                raise WatchExists(f"a watch {name!r} is there already; delete it first, or give it a new baseline", field="watch_id")
            if connection.execute("SELECT count(*) FROM watches").fetchone()[0] >= limit:
                raise TooManyWatches(f"{limit} watches are kept, and no more; delete one, or raise max_watches", max_watches=limit)
            connection.execute("INSERT INTO watches VALUES (?, ?, ?)", [name, record.uid, _text(_RECORD, record)])
            connection.execute("INSERT INTO baselines VALUES (?, ?)", [record.uid, arrays])
            connection.execute("INSERT INTO results VALUES (?, ?, ?)", [record.uid, record.last.number, _text(_RESULT, record.last)])
            if request_id:
                connection.execute(*_request(request_id, "create", record.spec))
        return record

    def repeated(self, request_id: str, action: Action, spec: WatchSpec) -> bool:
        """Whether this request was served before; UploadConflict where it asked something else."""
        database = self._readable()
        if not request_id or database is None:
            return False
        with database.read() as connection:
            row = connection.execute("SELECT action, name, digest FROM requests WHERE request_id = ?", [request_id]).fetchone()
        if row is None:
            return False
        if row != (action, spec.name, _digest(action, spec)):
            raise UploadConflict(
                f"request_id {request_id!r} was used before, to {row[0]} watch {row[1]!r}; use a new request_id", field="request_id"
            )
        return True

    def get(self, name: str) -> WatchRecord:
        """Read one; WatchNotFound."""
        database, row = self._readable(), None
        if database is not None:
            with database.read() as connection:
                row = connection.execute("SELECT record FROM watches WHERE name = ?", [name]).fetchone()
        if row is None:
            raise _not_found(name)
        return self._parsed(_RECORD, row[0])

    def list(self, after: str, limit: int) -> Sequence[WatchRecord]:
        """At most `limit` watches after the name `after`, in byte order of the names."""
        database = self._readable()
        if database is None:
            return []
        with database.read() as connection:
            rows = connection.execute("SELECT record FROM watches WHERE name > ? ORDER BY name LIMIT ?", [after, limit]).fetchall()
        return [self._parsed(_RECORD, row[0]) for row in rows]

    def baseline(self, uid: str) -> Baseline:
        """The baseline of a watch; WatchNotFound."""
        database, row = self._readable(), None
        if database is not None:
            with database.read() as connection:
                row = connection.execute("SELECT arrays FROM baselines WHERE uid = ?", [uid]).fetchone()
        if row is None:
            raise WatchNotFound(f"the watch of uid {uid} was deleted meanwhile")
        try:
            return _unpack(row[0])
        except (ValueError, KeyError, OSError, EOFError, UnicodeError, zipfile.BadZipFile) as error:
            raise CorruptData(f"{self._path} holds a damaged baseline ({error}); give the watch a new one") from error

    def save(self, record: WatchRecord, baseline: Baseline | None = None, request_id: str = "") -> None:
        """Replace a watch by uid; a new `last` joins the history, a baseline replaces the old one. WatchNotFound."""
        arrays = None if baseline is None else _pack(baseline)
        with self._writable().write() as connection:
            query = "UPDATE watches SET record = ? WHERE uid = ?"
            if connection.execute(query, [_text(_RECORD, record), record.uid]).rowcount == 0:
                raise WatchNotFound(f"watch {record.spec.name!r} was deleted meanwhile", watch=record.spec.name)
            last = record.last
            connection.execute("INSERT OR IGNORE INTO results VALUES (?, ?, ?)", [record.uid, last.number, _text(_RESULT, last)])
            connection.execute("DELETE FROM results WHERE uid = ? AND number <= ?", [record.uid, last.number - KEPT_RESULTS])
            if arrays is not None:
                connection.execute("UPDATE baselines SET arrays = ? WHERE uid = ?", [arrays, record.uid])
                if request_id:
                    connection.execute(*_request(request_id, "rebaseline", record.spec))

    def results(self, uid: str, before: int | None, limit: int) -> Sequence[WatchResult]:
        """At most `limit` results with a number below `before`, the newest first."""
        database = self._readable()
        if database is None:
            return []
        most = (1 << 62) if before is None else before
        with database.read() as connection:
            query = "SELECT result FROM results WHERE uid = ? AND number < ? ORDER BY number DESC LIMIT ?"
            rows = connection.execute(query, [uid, most, limit]).fetchall()
        return [self._parsed(_RESULT, row[0]) for row in rows]

    def delete(self, spec: WatchSpec, request_id: str) -> None:
        """Remove a watch with its history; WatchNotFound."""
        with self._writable().write() as connection:
            if connection.execute("DELETE FROM watches WHERE name = ?", [spec.name]).rowcount == 0:
                raise _not_found(spec.name)
            if request_id:
                connection.execute(*_request(request_id, "delete", spec))
            connection.execute("DELETE FROM requests WHERE number <= (SELECT max(number) FROM requests) - ?", [_KEPT_REQUESTS])

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            self._database.close()

    def _readable(self) -> SqliteFile | None:
        """The file; None where a reader finds none yet, as its writer may be of an older release."""
        if self._database is None and self._path.is_file():
            self._database = SqliteFile(self._path, _SCHEMA, read_only=True)
        return self._database

    def _writable(self) -> SqliteFile:
        if self.read_only or self._database is None:
            raise StoreReadOnly(f"{self._path.parent} is open for reading only; ask the process that holds it for writing")
        return self._database

    def _parsed(self, adapter: TypeAdapter[T], text: str) -> T:
        try:
            return adapter.validate_json(text)
        except ValidationError as error:
            raise CorruptData(f"{self._path} holds a watch that cannot be read ({error.errors()[0]['msg']}); restore it") from error


def _not_found(name: str) -> WatchNotFound:
    return WatchNotFound(f"there is no watch {name!r}; list the watches for their names", watch=name)


def _text(adapter: TypeAdapter[T], value: T) -> str:
    return adapter.dump_json(value).decode()


def _digest(action: Action, spec: WatchSpec) -> str:
    """What a request asked; of a name alone where its spec is not the caller's."""
    asked = _SPEC.dump_json(spec) if action == "create" else spec.name.encode()
    return hashlib.blake2b(asked, digest_size=16).hexdigest()


def _request(request_id: str, action: Action, spec: WatchSpec) -> tuple[str, list[str]]:
    query = "INSERT OR REPLACE INTO requests (request_id, action, name, digest) VALUES (?, ?, ?, ?)"
    return query, [request_id, action, spec.name, _digest(action, spec)]


def _pack(baseline: Baseline) -> bytes:
    """A baseline as a compressed .npz, whose parts carry checksums; ids as one run of UTF-8 with their ends."""
    encoded = [str(item).encode() for item in baseline.gallery_ids]
    arrays: dict[str, Any] = {
        "ids": np.frombuffer(b"".join(encoded), dtype=np.uint8),
        "ends": np.cumsum([len(item) for item in encoded], dtype=np.int64),
        "probes": baseline.probe_rows,
    }
    for side, lists in (("x", baseline.x), ("y", baseline.y)):
        arrays |= {f"{side}_{part}": getattr(lists, part) for part in _LIST_PARTS}
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)
    return packed.getvalue()


def _unpack(packed: bytes) -> Baseline:
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        text, ends = arrays["ids"].tobytes(), arrays["ends"].tolist()
        starts = [0, *ends[:-1]]
        ids = np.array([text[start:end].decode() for start, end in zip(starts, ends, strict=True)], dtype=object)
        sides = (ProbeLists(*(arrays[f"{side}_{part}"] for part in _LIST_PARTS)) for side in ("x", "y"))
        return Baseline(ids, arrays["probes"], *sides)
