from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from consilience_server.adapters.operation_store import SqliteOperations
from consilience_server.app.ports import OperationRecord
from consilience_server.core.errors import CorruptData, OperationNotFound, StoreReadOnly

START = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def record(name="operations/a", **changes):
    return replace(
        OperationRecord(name, "align_matrix", "running", 0.25, START, START + timedelta(microseconds=1), b"\0request"), **changes
    )


@pytest.fixture
def operations(tmp_path):
    opened = SqliteOperations(tmp_path / "deep" / "operations.sqlite")
    yield opened
    opened.close()


def test_a_record_comes_back_equal_and_is_replaced_by_name(operations):
    operations.put(record())
    assert operations.get("operations/a") == record()
    ended = record(state="failed", progress=1.0, response=b"\xff", error=("MEMORY_BUDGET", "too much"))
    operations.put(ended)
    assert operations.get("operations/a") == ended


def test_listing_goes_by_name(operations):
    for name in ("c", "a", "b"):
        operations.put(record(name))
    assert [found.name for found in operations.list("", 10)] == ["a", "b", "c"]
    assert [found.name for found in operations.list("a", 1)] == ["b"]


def test_deleting_forgets_the_request_too(operations):
    operations.put(record("a"))
    operations.bind_request("align_matrix", "r", "a")
    operations.delete("a")
    assert operations.find_request("align_matrix", "r") is None
    for call in (operations.get, operations.delete):
        with pytest.raises(OperationNotFound, match="'a'"):
            call("a")


def test_requests_are_found_by_kind_and_id(operations):
    operations.bind_request("align", "r", "a")
    operations.bind_request("match", "r", "b")
    assert operations.find_request("align", "r") == "a"
    assert operations.find_request("match", "r") == "b"
    assert operations.find_request("align", "s") is None
    operations.bind_request("align", "r", "c")
    assert operations.find_request("align", "r") == "c"


def test_a_restart_aborts_what_was_running_and_keeps_the_rest(operations, tmp_path):
    operations.put(record("a"))
    operations.put(record("b", state="done", response=b"answer"))
    operations.bind_request("align_matrix", "r", "a")
    operations.close()
    again = SqliteOperations(tmp_path / "deep" / "operations.sqlite")
    assert again.abort_running() == 1
    assert again.abort_running() == 0
    aborted = again.get("a")
    assert aborted.state == "aborted"
    assert aborted.error is not None
    assert aborted.error[0] == "SERVER_RESTARTED"
    assert aborted.update_time > START
    assert again.get("b").response == b"answer"
    assert again.find_request("align_matrix", "r") == "a"
    again.close()


def test_threads_share_it(operations):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: operations.put(record(f"{number:02d}")), range(32)))
        found = list(pool.map(lambda number: operations.get(f"{number:02d}").name, range(32)))
    assert found == [f"{number:02d}" for number in range(32)]


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "operations.sqlite"
    path.write_bytes(b"this is no database, but it is long enough to be read as one" * 100)
    with pytest.raises(CorruptData):
        SqliteOperations(path)


def test_read_only(operations, tmp_path):
    operations.put(record())
    reader = SqliteOperations(tmp_path / "deep" / "operations.sqlite", read_only=True)
    assert reader.get("operations/a") == record()
    with pytest.raises(StoreReadOnly):
        reader.put(record("b"))
    reader.close()
