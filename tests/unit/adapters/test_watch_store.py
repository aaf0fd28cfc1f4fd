import sqlite3
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from consilience_server.adapters import watch_store
from consilience_server.adapters.watch_store import SqliteWatches
from consilience_server.app.reports import SpaceUse
from consilience_server.app.watch_records import Baseline, BaselineFacts, ProbeChange, WatchRecord, WatchResult, WatchSpec
from consilience_server.core.errors import CorruptData, StoreReadOnly, TooManyWatches, UploadConflict, WatchExists, WatchNotFound
from consilience_server.engine.probe_lists import ProbeLists

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
X, Y = SpaceUse("spaces/x", "u", 3), SpaceUse("spaces/y", "v", 4)
CHANGE = ProbeChange("ein Bär", 0.5, 0.1, ("a", "b"), ("a", "c"), ("d",), ())
LISTS = ProbeLists(np.array([0, 2, 3]), np.array([1, 2, 0], np.int32), np.array([0.9, 0.1 + 0.2, -1e-300]), np.array([False, True]))
IDS = np.array(["a", "bb", "ein Bär"], dtype=object)


def result(number=0):
    return WatchResult(number, NOW, X, Y, 0.1 + 0.2, 0.01, 0.29, 0.2, 0.4, 0.5, -0.2, -0.3, -0.1, 0.025, True,
                       100, 0.99, 500, 600, 0.7, 1.0, -0.5, 2.0, (CHANGE,), "1", 0.02)  # fmt: skip


def record(name="w", **changes):
    facts = BaselineFacts(X, Y, 0.5, 100, 500, 0.02, NOW)
    made = WatchRecord(WatchSpec(name, "x", "y"), f"uid-{name}", NOW, facts, result(), 0, alarm=False, check_time=NOW)
    return replace(made, **changes)


def baseline(ids=IDS):
    return Baseline(ids, np.array([0, 2]), LISTS, replace(LISTS, ordered=np.array([True, True])))


@pytest.fixture
def watches(tmp_path):
    opened = SqliteWatches(tmp_path / "deep" / "watches.sqlite")
    yield opened
    opened.close()


def make(watches, name="w", request_id="", limit=10):
    return watches.create(record(name), baseline(), request_id, limit)


def test_a_watch_comes_back_equal_to_the_bit_after_a_restart(watches, tmp_path):
    make(watches)
    watches.save(record(failure=("SPACE_NOT_FOUND", "gone"), failures=3, alarm=True, checks=7))
    watches.close()
    again = SqliteWatches(tmp_path / "deep" / "watches.sqlite")
    assert again.get("w") == record(failure=("SPACE_NOT_FOUND", "gone"), failures=3, alarm=True, checks=7)
    assert again.list("", 10) == [again.get("w")]
    assert again.results("uid-w", None, 10) == [result()]
    found = again.baseline("uid-w")
    assert found.gallery_ids.tolist() == IDS.tolist()
    for side in ("x", "y"):
        for part in ("indptr", "items", "scores", "ordered"):
            kept, given = getattr(getattr(found, side), part), getattr(getattr(baseline(), side), part)
            assert kept.dtype == given.dtype
            assert np.array_equal(kept, given)
    again.close()


def test_history_goes_back_from_a_number_and_is_bounded(watches, monkeypatch):
    monkeypatch.setattr(watch_store, "KEPT_RESULTS", 3)
    make(watches)
    for number in range(1, 6):
        watches.save(record(last=result(number)))
    watches.save(record(last=result(5), alarm=True))
    assert [found.number for found in watches.results("uid-w", None, 10)] == [5, 4, 3]
    assert [found.number for found in watches.results("uid-w", 5, 1)] == [4]
    assert watches.get("w").alarm


def test_a_new_baseline_replaces_the_old(watches):
    make(watches)
    other = np.array(["a", "b", "c"], dtype=object)
    watches.save(record(last=result(1)), baseline(other), "r")
    assert watches.baseline("uid-w").gallery_ids.tolist() == ["a", "b", "c"]
    assert watches.repeated("r", "rebaseline", record().spec)


def test_listing_goes_by_name(watches):
    for name in ("c", "a", "b"):
        make(watches, name)
    assert [found.spec.name for found in watches.list("", 10)] == ["a", "b", "c"]
    assert [found.spec.name for found in watches.list("a", 1)] == ["b"]


def test_names_are_taken_once_and_only_so_many(watches):
    make(watches, limit=1)
    with pytest.raises(WatchExists, match="'w'"):
        make(watches, limit=1)
    with pytest.raises(TooManyWatches, match="1 watches"):
        make(watches, "v", limit=1)


def test_a_request_is_served_once(watches):
    assert not watches.repeated("", "create", record().spec)
    make(watches, request_id="r")
    assert watches.create(replace(record(), uid="other"), baseline(), "r", 10).uid == "uid-w"
    for action, spec in (("create", WatchSpec("w", "x", "z")), ("delete", record().spec), ("create", WatchSpec("v", "x", "y"))):
        with pytest.raises(UploadConflict, match="'r' was used before, to create watch 'w'"):
            watches.repeated("r", action, spec)


def test_deleting_takes_everything(watches):
    make(watches)
    watches.delete(record().spec, "gone")
    assert watches.repeated("gone", "delete", WatchSpec("w", "", ""))
    assert watches.results("uid-w", None, 10) == []
    for call in (lambda: watches.get("w"), lambda: watches.baseline("uid-w"), lambda: watches.delete(record().spec, "")):
        with pytest.raises(WatchNotFound):
            call()
    with pytest.raises(WatchNotFound, match="deleted meanwhile"):
        watches.save(record(last=result(1)))
    assert watches.results("uid-w", None, 10) == []


def test_a_reader_waits_for_no_file_and_writes_nothing(tmp_path):
    path = tmp_path / "watches.sqlite"
    reader = SqliteWatches(path, read_only=True)
    assert reader.list("", 10) == []
    assert reader.results("u", None, 10) == []
    assert not reader.repeated("r", "create", record().spec)
    with pytest.raises(WatchNotFound):
        reader.get("w")
    writer = SqliteWatches(path)
    make(writer)
    assert reader.get("w") == record()
    for call in (lambda: make(reader, "v"), lambda: reader.save(record()), lambda: reader.delete(record().spec, "")):
        with pytest.raises(StoreReadOnly):
            call()
    reader.close()
    writer.close()


@pytest.mark.parametrize("column", ["record", "result", "arrays"])
def test_damage_is_told(watches, tmp_path, column):
    make(watches)
    table = {"record": "watches", "result": "results", "arrays": "baselines"}[column]
    with sqlite3.connect(tmp_path / "deep" / "watches.sqlite") as connection:
        connection.execute(f"UPDATE {table} SET {column} = ?", [b"PK\x03\x04 nonsense" if column == "arrays" else '{"spec": 1}'])
    connection.close()
    read = {
        "record": lambda: watches.get("w"),
        "result": lambda: watches.results("uid-w", None, 1),
        "arrays": lambda: watches.baseline("uid-w"),
    }
    with pytest.raises(CorruptData, match=r"watches\.sqlite"):
        read[column]()
