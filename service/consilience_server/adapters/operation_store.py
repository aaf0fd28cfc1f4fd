"""Operations in SQLite beside the store: what was started is known for ever, however the process ends."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

from consilience_server.adapters.durable_files import make_directory, sync_directory
from consilience_server.adapters.sqlite_file import SqliteFile
from consilience_server.adapters.storage_errors import writing
from consilience_server.app.ports import OperationRecord, OperationState
from consilience_server.core.errors import CorruptData, OperationNotFound

_SCHEMA = """
CREATE TABLE IF NOT EXISTS operations (
    name TEXT PRIMARY KEY, kind TEXT NOT NULL, state TEXT NOT NULL, progress REAL NOT NULL, create_us INTEGER NOT NULL,
    update_us INTEGER NOT NULL, request BLOB NOT NULL, response BLOB NOT NULL, error TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS requests (
    kind TEXT NOT NULL, request_id TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (kind, request_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS requests_by_name ON requests (name);
"""
_STATES: dict[str, OperationState] = {state: state for state in get_args(OperationState)}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SELECT = "SELECT name, kind, state, progress, create_us, update_us, request, response, error FROM operations"


class SqliteOperations:
    """`OperationStore` on one SQLite file (WAL, `synchronous=FULL`). Thread-safe.

    Args:
        path: the file; made, with its folder, where it does not exist.
        read_only: refuse writes; the file must exist.

    Raises:
        CorruptData: the file is damaged. StorageFull: no room to make it.
    """

    def __init__(self, path: Path, read_only: bool = False) -> None:  # noqa: FBT001, FBT002  # named by its callers, as the store's is
        with writing("the file of operations"):
            if not read_only:
                make_directory(path.parent)
            self._database = SqliteFile(path, _SCHEMA, read_only=read_only)
            if not read_only:
                sync_directory(path.parent)

    def put(self, record: OperationRecord) -> None:
        """Insert or replace by name; durable when it returns."""
        values = [
            record.name,
            record.kind,
            record.state,
            record.progress,
            _microseconds(record.create_time),
            _microseconds(record.update_time),
            record.request,
            record.response,
            None if record.error is None else json.dumps(record.error),
        ]
        with self._database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO operations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def get(self, name: str) -> OperationRecord:
        """Read one; OperationNotFound."""
        with self._database.read() as connection:
            row = connection.execute(f"{_SELECT} WHERE name = ?", [name]).fetchone()
        if row is None:
            raise _not_found(name)
        return _record(row)

    def list(self, after: str, limit: int) -> Sequence[OperationRecord]:
        """At most `limit` operations after the name `after`, in byte order of the names."""
        with self._database.read() as connection:
            rows = connection.execute(f"{_SELECT} WHERE name > ? ORDER BY name LIMIT ?", [after, limit]).fetchall()
        return [_record(row) for row in rows]

    def delete(self, name: str) -> None:
        """Forget one, and which request started it; OperationNotFound."""
        with self._database.write() as connection:
            if connection.execute("DELETE FROM operations WHERE name = ?", [name]).rowcount == 0:
                raise _not_found(name)
            connection.execute("DELETE FROM requests WHERE name = ?", [name])

    def find_request(self, kind: str, request_id: str) -> str | None:
        """The operation that an earlier call of this request id started, if any."""
        with self._database.read() as connection:
            row: tuple[str] | None = connection.execute(
                "SELECT name FROM requests WHERE kind = ? AND request_id = ?", [kind, request_id]
            ).fetchone()
        return None if row is None else row[0]

    def bind_request(self, kind: str, request_id: str, name: str) -> None:
        """Remember which operation a request id started; the last binding holds."""
        with self._database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO requests VALUES (?, ?, ?)", [kind, request_id, name])

    def abort_running(self) -> int:
        """At start-up: what was running when the process died becomes `aborted` with SERVER_RESTARTED; returns how many."""
        error = json.dumps(("SERVER_RESTARTED", "the server restarted while the operation ran; start it again"))
        now = _microseconds(datetime.now(UTC))
        with self._database.write() as connection:
            query = "UPDATE operations SET state = 'aborted', error = ?, update_us = ? WHERE state = 'running'"
            return connection.execute(query, [error, now]).rowcount

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _not_found(name: str) -> OperationNotFound:
    return OperationNotFound(f"there is no operation {name!r}; list the operations for their names", operation=name)


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1)


def _record(row: tuple[str, str, str, float, int, int, bytes, bytes, str | None]) -> OperationRecord:
    name, kind, state, progress, create_us, update_us, request, response, error = row
    if state not in _STATES:
        raise CorruptData(f"operation {name!r} is in an unknown state {state!r}; restore the file of operations from a backup")
    reason_and_message = None if error is None else tuple(json.loads(error))
    return OperationRecord(
        name=name,
        kind=kind,
        state=_STATES[state],
        progress=progress,
        create_time=_EPOCH + timedelta(microseconds=create_us),
        update_time=_EPOCH + timedelta(microseconds=update_us),
        request=request,
        response=response,
        error=reason_and_message,
    )
