import sqlite3

import pytest

from consilience_server.adapters.sqlite_file import SqliteFile
from consilience_server.core.errors import StorageFull


def test_a_failed_transaction_leaves_nothing_and_the_next_one_works(tmp_path):
    database = SqliteFile(tmp_path / "x.sqlite", "CREATE TABLE IF NOT EXISTS t (a INTEGER PRIMARY KEY)")
    with pytest.raises(RuntimeError), database.write() as connection:
        connection.execute("INSERT INTO t VALUES (1)")
        raise RuntimeError
    with pytest.raises(sqlite3.IntegrityError), database.write() as connection:
        connection.execute("INSERT INTO t VALUES (2), (2)")
    with database.write() as connection:
        connection.execute("INSERT INTO t VALUES (3)")
    with database.read() as connection:
        assert connection.execute("SELECT a FROM t").fetchall() == [(3,)]
    database.close()


def test_a_full_database_is_storage_full(tmp_path):
    database = SqliteFile(tmp_path / "x.sqlite", "CREATE TABLE IF NOT EXISTS t (a BLOB)")
    with database.write() as connection:
        connection.execute("INSERT INTO t VALUES (?)", [b"kept"])
    database._writer.execute("PRAGMA max_page_count = 4")
    with pytest.raises(StorageFull), database.write() as connection:
        connection.execute("INSERT INTO t VALUES (?)", [bytes(1 << 20)])
    with database.read() as connection:
        assert connection.execute("SELECT a FROM t").fetchall() == [(b"kept",)]
    database.close()
