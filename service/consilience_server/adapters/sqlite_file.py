"""One SQLite file: many readers, one writer at a time, errors of the domain."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, LifoQueue

from consilience_server.adapters.storage_errors import storage_full
from consilience_server.core.errors import CorruptData, StoreReadOnly

_BUSY_SECONDS = 30.0
_CORRUPT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})
# SQLite reports ENOSPC as FULL, but a used-up quota or file-size limit as a failed write.
_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE})


class SqliteFile:
    """A database in WAL mode with `synchronous=FULL`: a committed transaction survives a power cut, readers never wait for the writer.

    Args:
        path: the file; made with `schema` where it does not exist.
        schema: statements that make all tables, each safe to repeat.
        read_only: never write; the file must exist.

    Raises:
        CorruptData: no database, or one that fails its own check.
        StorageFull: no room to make it.
    """

    def __init__(self, path: Path, schema: str, *, read_only: bool = False) -> None:
        self._path = path
        self._read_only = read_only
        self._writer_lock = threading.Lock()
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue()
        self._closed = False
        self.generation = 0
        """Grows with every write of this process: what was read before may have changed."""
        if read_only and not path.is_file():
            raise CorruptData(f"{path} is missing; restore it from a backup")
        with self._translated():
            self._writer = self._connect()
            if not read_only:
                self._writer.execute("PRAGMA journal_mode=WAL")
                self._writer.executescript(schema)
            verdict = self._writer.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            self._writer.close()
            raise CorruptData(f"{path} fails its check ({verdict}); restore it from a backup")

    def _connect(self) -> sqlite3.Connection:
        mode = "ro" if self._read_only else "rwc"
        connection = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode={mode}", uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection in a read transaction: all its statements see one state. Holds no lock of this process."""
        with self._translated():
            connection = self._borrow()
            try:
                connection.execute("BEGIN")
                try:
                    yield connection
                finally:
                    connection.execute("ROLLBACK")
            finally:
                self._give_back(connection)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """The writer's connection in one transaction: committed at the end of the block, or not at all."""
        if self._read_only:
            raise StoreReadOnly(f"{self._path.parent} is open for reading only; ask the process that holds it for writing")
        with self._translated(), self._writer_lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                # SQLite rolls back by itself after some failures; then there is nothing left to do.
                with suppress(sqlite3.Error):
                    self._writer.execute("ROLLBACK")
                raise
            finally:
                self.generation += 1

    def _borrow(self) -> sqlite3.Connection:
        try:
            return self._idle.get_nowait()
        except Empty:
            return self._connect()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if self._closed:
            connection.close()
        else:
            self._idle.put(connection)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0)
            if code in _FULL or code & 0xFF in _FULL:
                raise storage_full(self._path.name) from error
            if code & 0xFF in _CORRUPT:
                raise CorruptData(f"{self._path} is damaged ({error}); restore it from a backup") from error
            raise

    def close(self) -> None:
        """Close every connection; the last one folds the log into the file."""
        self._closed = True
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                break
        with self._writer_lock:
            self._writer.close()
