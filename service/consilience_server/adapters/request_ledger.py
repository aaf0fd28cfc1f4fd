"""Which uploads are open, and what finished requests answered, so that repeating one is safe."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Literal

from consilience_server.adapters.sqlite_file import SqliteFile

_SELECT = "SELECT request_id, begin_us, done_us, rows, outcome, digest FROM requests"

RequestKind = Literal["upload", "delete"]


@dataclass(frozen=True)
class Receipt:
    """The outcome of a finished request.

    Attributes:
        uid: the space.
        kind: what was asked.
        request_id: the caller's name for it.
        rows: rows staged, or ids asked to be deleted.
        outcome: the answer's numbers by name.
        digest: of the content, by which a repetition proves that it is one.
    """

    uid: str
    kind: RequestKind
    request_id: str
    rows: int
    outcome: dict[str, int]
    digest: str = ""


@dataclass(frozen=True)
class RequestEntry:
    """What the ledger knows of a request; `outcome` None: an upload still open."""

    request_id: str
    begin_us: int
    done_us: int | None
    rows: int
    outcome: dict[str, int] | None
    digest: str


def record_receipt(connection: sqlite3.Connection, receipt: Receipt, now_us: int) -> None:
    """Write a receipt within the transaction that makes it true."""
    connection.execute(
        "INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (uid, kind, request_id) DO UPDATE SET digest = excluded.digest, done_us = excluded.done_us, rows = excluded.rows,"
        " outcome = excluded.outcome",
        [receipt.uid, receipt.kind, receipt.request_id, receipt.digest, now_us, now_us, receipt.rows, json.dumps(receipt.outcome)],
    )


class RequestLedger:
    """The `requests` table of the catalog."""

    def __init__(self, database: SqliteFile) -> None:
        self._database = database

    def find(self, uid: str, kind: RequestKind, request_id: str) -> RequestEntry | None:
        """What is known of a request."""
        query = f"{_SELECT} WHERE uid = ? AND kind = ? AND request_id = ?"
        with self._database.read() as connection:
            row = connection.execute(query, [uid, kind, request_id]).fetchone()
            return None if row is None else _entry(row)

    def open_upload(self, uid: str, request_id: str, now_us: int) -> None:
        """Note that an upload has begun; nothing happens where it was known."""
        values = [uid, "upload", request_id, "", now_us, 0]
        with self._database.write() as connection:
            connection.execute("INSERT INTO requests VALUES (?, ?, ?, ?, ?, NULL, ?, NULL) ON CONFLICT DO NOTHING", values)

    def record(self, receipt: Receipt, now_us: int) -> None:
        """Write the receipt of a request that changed nothing."""
        with self._database.write() as connection:
            record_receipt(connection, receipt, now_us)

    def forget_open(self, uid: str, request_id: str) -> None:
        """Drop an upload that is still open."""
        query = "DELETE FROM requests WHERE uid = ? AND kind = 'upload' AND request_id = ? AND outcome IS NULL"
        with self._database.write() as connection:
            connection.execute(query, [uid, request_id])

    def open_uploads(self, uid: str) -> list[RequestEntry]:
        """Uploads begun and not committed."""
        query = f"{_SELECT} WHERE uid = ? AND kind = 'upload' AND outcome IS NULL"
        with self._database.read() as connection:
            return [_entry(row) for row in connection.execute(query, [uid])]

    def forget_done(self, uid: str, before_us: int) -> None:
        """Drop receipts older than a time."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM requests WHERE uid = ? AND done_us < ?", [uid, before_us])


def _entry(row: tuple[str, int, int | None, int, str | None, str]) -> RequestEntry:
    request_id, begin_us, done_us, rows, outcome, digest = row
    return RequestEntry(request_id, begin_us, done_us, rows, None if outcome is None else json.loads(outcome), digest)
