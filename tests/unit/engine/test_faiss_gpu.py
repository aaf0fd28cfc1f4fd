"""The thread that owns a device, and the scan through it, with a CPU index in the device's place."""

import gc
import threading
import time

import faiss
import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled, FailedPrecondition
from consilience_server.core.neighbours import self_scores
from consilience_server.core.similarity import Similarity
from consilience_server.engine.exact_neighbours import ExactNeighbours
from consilience_server.engine.faiss_gpu import DeviceOwner, FaissGpuScan


@pytest.fixture
def owner():
    made = DeviceOwner("test-device")
    yield made
    made.close()


def test_all_work_runs_in_one_thread_in_order(owner):
    seen = []
    futures = [owner.submit(lambda number=number: seen.append((number, threading.current_thread().name))) for number in range(20)]
    for future in futures:
        future.result(timeout=10)
    assert seen == [(number, "test-device") for number in range(20)]


def test_an_error_reaches_the_caller_and_the_thread_goes_on(owner, control):
    with pytest.raises(ZeroDivisionError):
        owner.run(lambda: 1 / 0, control)
    assert owner.run(lambda: 7, control) == 7


def test_a_timeout_error_of_the_work_is_not_taken_for_waiting(owner, control):
    def fail():
        raise TimeoutError("the work's own")

    with pytest.raises(TimeoutError, match="the work's own"):
        owner.run(fail, control)


def test_a_cancelled_caller_leaves_at_once_and_its_queued_work_is_skipped(owner):
    gate, ran = threading.Event(), []
    owner.submit(gate.wait)
    control = Control()
    threading.Timer(0.1, control.cancel).start()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        owner.run(lambda: ran.append(True), control)
    assert time.monotonic() - begun < 2
    gate.set()
    assert owner.submit(lambda: "next").result(timeout=10) == "next"
    assert not ran


def test_the_thread_ends_when_nobody_holds_the_owner():
    owner = DeviceOwner("test-forgotten")
    thread = owner._thread
    del owner
    gc.collect()
    thread.join(timeout=10)
    assert not thread.is_alive()


@pytest.fixture
def scan():
    made = FaissGpuScan(0, make_index=faiss.IndexFlatIP, name="stand-in")
    yield made
    made.close()


@pytest.mark.parametrize("similarity", list(Similarity))
def test_tables_are_the_oracles(scan, control, assert_oracle, similarity):
    x = np.random.default_rng(0).standard_normal((300, 20)).astype(np.float32)
    x[:80] = x[0]
    engine = ExactNeighbours(scan, threads=1)
    assert (engine.backend, engine.device) == ("faiss-gpu", "stand-in")
    table = engine.self_join(x, similarity, 10, tie_keys=np.arange(300, dtype=np.uint64), control=control)
    assert table.certificate.backend == "faiss-gpu"
    assert_oracle(table, self_scores(x, similarity))


def test_a_large_gallery_is_searched_in_halves_within_the_selection_limit(control, assert_oracle, monkeypatch):
    asked = []

    class Limited(faiss.IndexFlatIP):
        def search(self, queries, k):
            asked.append(k)
            return super().search(queries, k)

    from consilience_server.engine import faiss_gpu

    scan = FaissGpuScan(0, make_index=Limited)
    monkeypatch.setattr(faiss_gpu, "_SELECTION_LIMIT", 40)
    asked.clear()
    x = np.random.default_rng(1).standard_normal((200, 6)).astype(np.float32)
    engine = ExactNeighbours(scan, threads=1)
    # 61 places from halves of at most 40: rows that need more than 40 from one half are refined.
    table = engine.self_join(x, Similarity.INNER_PRODUCT, 60, tie_keys=np.arange(200, dtype=np.uint64), control=control)
    assert max(asked) == 40
    assert_oracle(table, self_scores(x, Similarity.INNER_PRODUCT))
    scan.close()


def test_what_was_loaded_is_freed_by_the_owners_thread(scan):
    freed = []

    class Index(faiss.IndexFlatIP):
        def __del__(self):
            freed.append(threading.current_thread().name)

    scan._make_index = Index
    loaded = scan.load(np.ones((5, 3), dtype=np.float32))
    del loaded
    gc.collect()
    scan._owner.submit(lambda: None).result(timeout=10)
    assert freed == ["consilience-device-0"]


@pytest.mark.parametrize("bits", [10, 14])
def test_a_device_below_float32_is_refused(bits):
    class Coarse(faiss.IndexFlatIP):
        """Rounds its inputs to this many bits of mantissa, 10 in TF32."""

        def add(self, rows):
            super().add(cut(rows))

        def search(self, queries, k):
            return super().search(cut(queries), k)

    def cut(rows):
        words, dropped = np.ascontiguousarray(rows).view(np.uint32), 23 - bits
        return ((words + np.uint32(1 << (dropped - 1))) & np.uint32(0x100000000 - (1 << dropped))).view(np.float32)

    with pytest.raises(FailedPrecondition, match="keeps within"):
        FaissGpuScan(0, make_index=Coarse)
