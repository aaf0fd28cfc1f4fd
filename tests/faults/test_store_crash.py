"""kill -9 of a real writer, at random moments and at every step at which it hands something to the disk."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support.persistence_points import install
from support.store_workload import SCRIPT, Model, ensure_space, step, stored

from consilience_server.adapters.lance_store import LanceStore

SEED = 20260101
TESTS = Path(__file__).parents[1]


class Forker:
    """Starts writers and tells how they ended."""

    def __init__(self):
        environment = os.environ | {"PYTHONPATH": str(TESTS), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, str(TESTS / "support" / "store_forker.py")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

    def start(self, **order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def wait(self):
        return int(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(30)


@pytest.fixture(scope="module")
def forker():
    started = Forker()
    yield started
    started.close()


def read_ledger(path):
    """Steps acknowledged, and rows acknowledged of the upload after them."""
    done, rows = None, {}
    for line in path.read_text().splitlines() if path.exists() else []:
        kind, number, count = line.split()
        if kind == "done":
            done = int(number)
        else:
            rows[int(number)] = int(count)
    return done, rows


def assert_whole(store, model, interrupted, acknowledged_rows):
    """The store holds the model, or the model with the interrupted step; nothing acknowledged is lost, older versions read whole."""
    ensure_space(store)
    found = stored(store)
    assert found in (model, model.after(interrupted))
    if acknowledged_rows:
        state = store.upload_state("a", str(interrupted.number))
        assert state.staged_rows >= acknowledged_rows
        assert state.committed is not None or found == model
    record = store.get("a")
    for layout in store._catalog.layouts(record.uid):
        store.load("a", layout.version)


def test_random_kills_lose_nothing_acknowledged(forker, tmp_path):
    rng = np.random.default_rng(SEED)
    root, ledger = tmp_path / "store", tmp_path / "ledger"
    model, first, killed = Model(), 0, 0
    deadline = time.monotonic() + 7
    for _ in range(20):
        pid = forker.start(root=str(root), ledger=str(ledger), seed=SEED, first=first, steps=10_000, die_at=0)
        time.sleep(rng.uniform(0.03, 0.4))
        os.kill(pid, signal.SIGKILL)
        assert forker.wait() == signal.SIGKILL
        killed += 1
        done, rows = read_ledger(ledger)
        while done is not None and first <= done:
            model = model.after(step(SEED, first))
            first += 1
        # An interrupted step that is visible all the same is repeated: its request id makes that safe.
        store = LanceStore(root)
        assert_whole(store, model, step(SEED, first), rows.get(first, 0))
        store.close()
        if time.monotonic() > deadline:
            break
    assert killed >= 5
    assert first >= 5
    store = LanceStore(root)
    interrupted = step(SEED, first)
    interrupted.run(store)
    assert stored(store) == model.after(interrupted)
    store.close()


FIRST = 2
"""The first step of the script that a fault may hit; those before are history."""


def prepared(folder):
    """A store with the history of the script; returns its model."""
    store = LanceStore(folder)
    ensure_space(store)
    model = Model()
    for number in range(FIRST):
        model = model.after(step(None, number))
        step(None, number).run(store)
    assert stored(store) == model
    store.close()
    return model


def test_a_kill_at_every_persistence_step(forker, tmp_path):
    model = prepared(tmp_path / "base")
    points = 0
    for point in itertools.count(1):
        root, ledger = tmp_path / "store", tmp_path / "ledger"
        shutil.copytree(tmp_path / "base", root)
        forker.start(root=str(root), ledger=str(ledger), seed=None, first=FIRST, steps=len(SCRIPT) - FIRST, die_at=point)
        status = forker.wait()
        done, rows = read_ledger(ledger)
        before = model
        for number in range(FIRST, (FIRST - 1 if done is None else done) + 1):
            before = before.after(step(None, number))
        if status == 0:
            assert done == len(SCRIPT) - 1
            break
        assert status == signal.SIGKILL
        points += 1
        number = FIRST if done is None else done + 1
        store = LanceStore(root)
        assert_whole(store, before, step(None, number), rows.get(number, 0))
        for rest in range(number, len(SCRIPT)):
            step(None, rest).run(store)
            before = before.after(step(None, rest))
        assert stored(store) == before
        store.close()
        shutil.rmtree(root)
        ledger.unlink(missing_ok=True)
    assert points >= 25


def test_the_points_are_all_reached(tmp_path, monkeypatch):
    """The list of persistence steps is alive: the scenario and what precedes it pass through each of them."""
    seen = set()
    install(seen.add, monkeypatch.setattr)
    prepared(tmp_path / "store")
    store = LanceStore(tmp_path / "store")
    for one in SCRIPT[FIRST:]:
        one.run(store)
    store.close()
    assert seen >= {
        "write",
        "fsync",
        "replace",
        "COMMIT",
        "unlink",
        "rmtree",
        "write_dataset",
        "write_fragments",
        "commit",
        "execute",
        "compact_files",
    }


def test_every_file_of_a_version_is_durable_before_the_version_is_visible(tmp_path, monkeypatch):
    """What kill -9 can't show, for the kernel keeps what it was given: each file and its folder are fsynced before the catalog's commit."""
    synced, at_commit = set(), set()
    fsync = os.fsync

    def record(handle):
        synced.add(Path(f"/proc/self/fd/{handle}").readlink())
        fsync(handle)

    def hook(name):
        if name == "COMMIT":
            at_commit.clear()
            at_commit.update(synced)

    install(hook, monkeypatch.setattr)
    monkeypatch.setattr(os, "fsync", record)
    store = LanceStore(tmp_path / "store")
    ensure_space(store)
    compacted = False
    for one in SCRIPT:
        before = store.get("a")
        one.run(store)
        record_now = store.get("a")
        layouts = store._catalog.layouts(record_now.uid)
        compacted |= one.maintain and layouts[-1].version == before.version
        if record_now.version != before.version:
            directory = store._commits.directory(record_now.uid)
            files = [directory / file.path for file in store._catalog.files(layouts[-1])]
            assert set(files) <= at_commit
            assert {path.parent for path in files} | {directory} <= at_commit
    assert compacted
    store.close()
