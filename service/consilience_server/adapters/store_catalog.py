"""The catalog of a store: which spaces there are, and which files each version of them consists of.

A version of a space exists exactly when its row stands here; the transaction that inserts the row is the commit. Whatever lies on disk
without standing here is debris of a crash. Lance numbers its own versions, of which each of ours is one (its *layout*); compaction gives a
version a second layout with the same rows, and readers take the newest.
"""

import json
import re
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from consilience_server.adapters.request_ledger import Receipt, record_receipt
from consilience_server.adapters.space_columns import StoredColumn, column_name
from consilience_server.adapters.sqlite_file import SqliteFile
from consilience_server.app.ports import SpaceRecord, SpaceSpec
from consilience_server.core.errors import CorruptData, SpaceExists, SpaceNotFound, UploadConflict
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.similarity import Similarity

SCHEMA = """
CREATE TABLE IF NOT EXISTS spaces (
    uid TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, dim INTEGER NOT NULL, similarity TEXT NOT NULL, labels TEXT NOT NULL,
    request_id TEXT NOT NULL, create_us INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS layouts (
    uid TEXT NOT NULL REFERENCES spaces ON DELETE CASCADE, lance_version INTEGER NOT NULL, version INTEGER NOT NULL,
    item_count INTEGER NOT NULL, create_us INTEGER NOT NULL, PRIMARY KEY (uid, lance_version)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
    uid TEXT NOT NULL, lance_version INTEGER NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL, digest TEXT NOT NULL,
    PRIMARY KEY (uid, lance_version, path),
    FOREIGN KEY (uid, lance_version) REFERENCES layouts ON DELETE CASCADE
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attributes (
    uid TEXT NOT NULL REFERENCES spaces ON DELETE CASCADE, name TEXT NOT NULL, type TEXT NOT NULL, position INTEGER NOT NULL,
    since_version INTEGER NOT NULL, PRIMARY KEY (uid, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS requests (
    uid TEXT NOT NULL REFERENCES spaces ON DELETE CASCADE, kind TEXT NOT NULL, request_id TEXT NOT NULL, digest TEXT NOT NULL,
    begin_us INTEGER NOT NULL, done_us INTEGER, rows INTEGER NOT NULL, outcome TEXT, PRIMARY KEY (uid, kind, request_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deletions (request_id TEXT PRIMARY KEY, name TEXT NOT NULL, done_us INTEGER NOT NULL) WITHOUT ROWID;
"""

_UID = re.compile(r"[0-9a-f]{32}")
_SELECT = """
SELECT s.uid, s.name, s.dim, s.similarity, s.labels, s.request_id, s.create_us, l.version, l.item_count, l.create_us
FROM spaces s LEFT JOIN layouts l ON l.uid = s.uid AND l.lance_version = (SELECT MAX(lance_version) FROM layouts WHERE uid = s.uid)
"""
_LABELS = ("modality", "model", "layer", "group")


def now_us() -> int:
    """Microseconds since 1970 (UTC), the unit of every time in the catalog."""
    return time.time_ns() // 1000


@dataclass(frozen=True)
class Layout:
    """One version of a space as Lance keeps it."""

    uid: str
    version: int
    lance_version: int
    item_count: int
    create_us: int


@dataclass(frozen=True)
class StoredFile:
    """A file of a layout: path inside the space's folder, bytes, hex SHA-256."""

    path: str
    size: int
    digest: str


class StoreCatalog:
    """Queries and transactions on the catalog file.

    Args:
        path: the SQLite file.
        read_only: never write.
    """

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self.database = SqliteFile(path, SCHEMA, read_only=read_only)
        self._read_only = read_only
        self._known: dict[str, tuple[int, SpaceRecord]] = {}

    def create(self, uid: str, spec: SpaceSpec, request_id: str) -> SpaceRecord:
        """Insert a space; the same non-empty request_id and spec again answers the space made before."""
        of_kernel = {"kernel": spec.kernel, "repeats": spec.repeats} if spec.kernel else {}
        labels = json.dumps({name: getattr(spec, name) for name in _LABELS} | of_kernel)
        with self.database.write() as connection:
            row = connection.execute(f"{_SELECT} WHERE s.name = ?", [spec.name]).fetchone()
            if row is None:
                values = [uid, spec.name, spec.dim, spec.similarity.value, labels, request_id, now_us()]
                connection.execute("INSERT INTO spaces VALUES (?, ?, ?, ?, ?, ?, ?)", values)
                row = connection.execute(f"{_SELECT} WHERE s.name = ?", [spec.name]).fetchone()
            elif not request_id or row[5] != request_id:
                raise SpaceExists(f"a space {spec.name!r} is there already; use it, or delete it first", field="space_id", space=spec.name)
            record = _record(connection, row)
            if record.spec != spec:
                message = f"request_id {request_id!r} made space {spec.name!r} with other properties before; use a new request_id"
                raise UploadConflict(message, field="request_id")
            return record

    def space(self, name: str) -> SpaceRecord:
        """The space of this name; SpaceNotFound."""
        generation = self.database.generation
        with self.database.read() as connection:
            row = connection.execute(f"{_SELECT} WHERE s.name = ?", [name]).fetchone()
            if row is None:
                self._known.pop(name, None)
                raise SpaceNotFound(f"there is no space {name!r}; list the spaces for their names", space=name)
            record = _record(connection, row)
        self._known[name] = (generation, record)
        return record

    def known(self, name: str) -> SpaceRecord | None:
        """The space of this name where memory tells, at no cost; None where the file must be read.

        Only the writer knows that nobody else has written: a reader of another process's store always reads.
        """
        generation, record = self._known.get(name, (-1, None))
        return record if not self._read_only and generation == self.database.generation else None

    def spaces(self, after: str, limit: int) -> list[SpaceRecord]:
        """At most `limit` spaces after the name `after`, in byte order of the names."""
        with self.database.read() as connection:
            rows = connection.execute(f"{_SELECT} WHERE s.name > ? ORDER BY s.name LIMIT ?", [after, limit]).fetchall()
            return [_record(connection, row) for row in rows]

    def uids(self) -> list[str]:
        """Every space's uid."""
        with self.database.read() as connection:
            return [_checked_uid(row[0]) for row in connection.execute("SELECT uid FROM spaces ORDER BY name")]

    def delete(self, uid: str, name: str, request_id: str) -> bool:
        """Forget a space with everything that belongs to it, and note which request it was (unless that is empty); whether it was there."""
        with self.database.write() as connection:
            if connection.execute("DELETE FROM spaces WHERE uid = ?", [uid]).rowcount == 0:
                return False
            if request_id:
                connection.execute("INSERT INTO deletions VALUES (?, ?, ?)", [request_id, name, now_us()])
            return True

    def deleted_by(self, request_id: str) -> str | None:
        """The name of the space that this request removed; None where it did not, or long ago."""
        with self.database.read() as connection:
            row = connection.execute("SELECT name FROM deletions WHERE request_id = ?", [request_id]).fetchone()
            return None if row is None else str(row[0])

    def forget_deletions(self, before_us: int) -> None:
        """Drop the receipts of removals older than a time."""
        with self.database.write() as connection:
            connection.execute("DELETE FROM deletions WHERE done_us < ?", [before_us])

    def name(self, uid: str) -> str | None:
        """The name of the space of this uid; None where it is not there any more."""
        with self.database.read() as connection:
            row = connection.execute("SELECT name FROM spaces WHERE uid = ?", [uid]).fetchone()
            return None if row is None else str(row[0])

    def layout(self, uid: str, version: int) -> Layout | None:
        """The newest layout of a version; None where the version is not (or no longer) there."""
        query = "SELECT uid, version, lance_version, item_count, create_us FROM layouts WHERE uid = ? AND version = ?"
        with self.database.read() as connection:
            row = connection.execute(f"{query} ORDER BY lance_version DESC LIMIT 1", [uid, version]).fetchone()
            return None if row is None else Layout(*row)

    def layouts(self, uid: str) -> list[Layout]:
        """All layouts of a space, oldest first."""
        query = "SELECT uid, version, lance_version, item_count, create_us FROM layouts WHERE uid = ? ORDER BY lance_version"
        with self.database.read() as connection:
            return [Layout(*row) for row in connection.execute(query, [uid])]

    def remove_layouts(self, layouts: Sequence[Layout]) -> None:
        """Forget layouts in one transaction; their files become debris."""
        with self.database.write() as connection:
            keys = [(layout.uid, layout.lance_version) for layout in layouts]
            connection.executemany("DELETE FROM layouts WHERE uid = ? AND lance_version = ?", keys)

    def files(self, layout: Layout) -> list[StoredFile]:
        """What a layout consists of."""
        query = "SELECT path, size, digest FROM files WHERE uid = ? AND lance_version = ?"
        with self.database.read() as connection:
            return [StoredFile(*row) for row in connection.execute(query, [layout.uid, layout.lance_version])]

    def known_files(self, uid: str) -> dict[str, StoredFile]:
        """The files of all layouts of a space, by path."""
        with self.database.read() as connection:
            rows = connection.execute("SELECT DISTINCT path, size, digest FROM files WHERE uid = ?", [uid])
            return {row[0]: StoredFile(*row) for row in rows}

    def columns(self, uid: str, version: int) -> list[StoredColumn]:
        """The attributes that a version has, in the order of their columns."""
        with self.database.read() as connection:
            return [column for column in _columns(connection, uid) if column.since_version <= version]

    def publish(self, layout: Layout, files: Sequence[StoredFile], new_columns: Sequence[StoredColumn], receipt: Receipt | None) -> None:
        """Make a layout visible: the one atomic step of every commit, of compaction too (of a version known before)."""
        with self.database.write() as connection:
            values = [layout.uid, layout.lance_version, layout.version, layout.item_count, layout.create_us]
            connection.execute("INSERT INTO layouts VALUES (?, ?, ?, ?, ?)", values)
            rows = [(layout.uid, layout.lance_version, file.path, file.size, file.digest) for file in files]
            connection.executemany("INSERT INTO files VALUES (?, ?, ?, ?, ?)", rows)
            for column in new_columns:
                position = int(column.column.rsplit("_", 1)[1])
                attribute = [layout.uid, column.name, column.type, position, column.since_version]
                connection.execute("INSERT INTO attributes VALUES (?, ?, ?, ?, ?)", attribute)
            if receipt is not None:
                record_receipt(connection, receipt, now_us())

    def counts(self) -> tuple[int, int]:
        """Spaces, and versions of all spaces."""
        with self.database.read() as connection:
            spaces = connection.execute("SELECT COUNT(*) FROM spaces").fetchone()[0]
            versions = connection.execute("SELECT COUNT(*) FROM (SELECT DISTINCT uid, version FROM layouts)").fetchone()[0]
            return int(spaces), int(versions)

    def close(self) -> None:
        """Close the file."""
        self.database.close()


def _checked_uid(uid: str) -> str:
    # Uids name folders, so nothing else may ever pass for one.
    if not _UID.fullmatch(uid):
        raise CorruptData(f"the catalog holds {uid!r} where a space's uid should be; restore it from a backup")
    return uid


def _columns(connection: sqlite3.Connection, uid: str) -> list[StoredColumn]:
    query = "SELECT name, type, position, since_version FROM attributes WHERE uid = ? ORDER BY position"
    return [StoredColumn(name, kind, column_name(position), since) for name, kind, position, since in connection.execute(query, [uid])]


def _record(connection: sqlite3.Connection, row: Sequence[object]) -> SpaceRecord:
    uid, name, dim, similarity, labels, _, create_us, version, item_count, update_us = row
    try:
        told = json.loads(str(labels))
        kernel = KernelKind(told.pop("kernel")) if "kernel" in told else None
        repeats = tuple(str(repeat) for repeat in told.pop("repeats", ()))
        size, nearness = int(str(dim)), Similarity(str(similarity))
        spec = SpaceSpec(name=str(name), dim=size, similarity=nearness, kernel=kernel, repeats=repeats, **told)
    except (ValueError, TypeError, AttributeError) as error:
        raise CorruptData(f"the catalog's entry of space {name!r} is damaged ({error}); restore it from a backup") from error
    return SpaceRecord(
        spec=spec,
        uid=_checked_uid(str(uid)),
        version=int(str(version or 0)),
        item_count=int(str(item_count or 0)),
        create_time=_time(int(str(create_us))),
        update_time=_time(int(str(update_us or create_us))),
        attributes={column.name: column.type for column in sorted(_columns(connection, str(uid)), key=lambda column: column.name)},
    )


def _time(microseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
