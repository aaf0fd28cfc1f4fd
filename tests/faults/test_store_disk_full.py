"""A full disk: the write is refused, nothing half visible, reads go on, and once there is room the same call succeeds."""

import contextlib
import errno
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.persistence_points import REMOVALS, install
from support.store_content import batch, content, spec, upload
from support.store_workload import SCRIPT, Model, ensure_space, stored

from consilience_server.adapters.lance_store import LanceStore
from consilience_server.core.errors import StorageFull

TESTS = Path(__file__).parents[1]
DIM = 256


def no_room(name):
    """What each library raises."""
    if name == "COMMIT":
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        return error
    if name in {"write", "fsync", "replace", "rename"}:
        return OSError(errno.ENOSPC, "No space left on device")
    return OSError("LanceError(IO): Generic LocalFileSystem error: No space left on device (os error 28)")


def test_no_room_at_any_persistence_step(tmp_path, monkeypatch):
    """Every step of the script is refused at each of its points in turn, then repeated with success."""
    armed, passed, fail_at = False, [], 0

    def hook(name):
        if armed and name not in REMOVALS:
            passed.append(name)
            if len(passed) == fail_at:
                raise no_room(name)

    install(hook, monkeypatch.setattr)
    store = LanceStore(tmp_path / "store")
    ensure_space(store)
    model, refused = Model(), 0
    for one in SCRIPT:
        fail_at, done = 0, False
        while not done:
            fail_at += 1
            passed.clear()
            armed = True
            try:
                one.run(store)
                done = True
            except StorageFull:
                refused += 1
            armed = False
            if not done:
                # A removal of versions may have gone before; what is visible is the model all the same.
                assert stored(store) == model
        model = model.after(one)
        assert stored(store) == model
        debris = {path.name for path in (tmp_path / "store").rglob("*.tmp")}
        assert not debris
    store.close()
    assert refused > 40
    again = LanceStore(tmp_path / "store")
    assert stored(again) == model
    again.close()


def rows(start, count):
    ids = [f"{number:06d}" for number in range(start, start + count)]
    return batch(ids, np.random.default_rng(start).standard_normal((count, DIM)))


def fill_until_refused(store, where):
    """Uploads until one is refused, in staging or in its commit; returns how many are visible."""
    for number in range(1000):
        before = content(store, "a")
        try:
            upload(store, "a", f"{where}-{number}", rows(1000 * number, 200))
        except StorageFull:
            assert content(store, "a") == before
            assert store.get("a").version == number
            return number
    raise AssertionError("the disk never filled up")


@contextlib.contextmanager
def small_disk(folder, size):
    """A file system of its own where the system lets us mount one; otherwise None."""
    folder.mkdir()
    mounted = (
        shutil.which("mount")
        and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, check=False
        ).returncode
        == 0
    )
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("ballast", [0, 150_000])
def test_a_small_disk_fills_up_and_is_freed(tmp_path, ballast):
    """`ballast` moves the moment of the failure between staging and commit."""
    with small_disk(tmp_path / "disk", "3m") as disk:
        if disk is None:
            pytest.skip("no right to mount a file system")
        (disk / "ballast").write_bytes(bytes(ballast))
        store = LanceStore(disk / "store")
        store.create(spec(dim=DIM))
        visible = fill_until_refused(store, "r")
        assert visible >= 2
        uid = store.get("a").uid
        with store.pin(uid, 1):
            assert len(store.load("a", 1).ids) == 200
        reader = LanceStore(disk / "store", read_only=True)
        assert content(reader, "a") == content(store, "a")
        reader.close()
        filler = disk / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        with pytest.raises(StorageFull):
            store.delete_items("a", ["000000"])
        with pytest.raises(StorageFull):
            store.create(spec("b"))
        assert "000000" in content(store, "a")
        filler.unlink()
        (disk / "ballast").unlink()
        store.discard_upload("a", f"r-{visible}")
        assert store.delete_items("a", ["000000"]).deleted == 1
        store.close()
        again = LanceStore(disk / "store")
        assert len(content(again, "a")) == 200 * visible - 1
        again.close()


def limited(root, limit):
    """In a process of its own: fill a store while no file may exceed `limit` bytes; print what is visible."""
    import resource

    store = LanceStore(Path(root))
    store.create(spec(dim=DIM))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    upload(store, "a", "small", rows(0, 50))
    refusals = []
    store.open_upload("a", "large")
    for part in range(8):
        store.stage("a", "large", 100 * part, rows(1000 + 100 * part, 100))
    try:
        store.commit("a", "large")
    except StorageFull as error:
        refusals.append(error.reason)
    store.open_upload("a", "huge")
    try:
        store.stage("a", "huge", 0, rows(10_000, 800))
    except StorageFull as error:
        refusals.append(error.reason)
    print(json.dumps({"refusals": refusals, "version": store.get("a").version, "items": len(content(store, "a"))}))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(json.dumps({"inserted": store.commit("a", "large").inserted, "items": len(content(store, "a"))}))
    store.close()


def test_a_limit_on_file_sizes_is_a_full_disk_too(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    command = [sys.executable, __file__, str(tmp_path / "store"), "400000"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"refusals": ["STORAGE_FULL", "STORAGE_FULL"], "version": 1, "items": 50},
        {"inserted": 800, "items": 850},
    ]


if __name__ == "__main__":
    limited(sys.argv[1], int(sys.argv[2]))
