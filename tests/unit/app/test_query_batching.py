"""Queries of many callers in one search: who shares with whom, who waits for nobody, and that nobody's answer changes."""

import asyncio
import threading
import time

import numpy as np
import pytest
from support.silent_metrics import SilentMetrics

from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.correction import Correction
from consilience_server.app.gallery_search import Search, find
from consilience_server.app.item_terms import ItemTerms
from consilience_server.app.memory_budget import Account
from consilience_server.app.query_batching import QueryBatches
from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled, DeadlineExceeded, MemoryBudget
from consilience_server.core.similarity import Similarity
from consilience_server.engine.exact_neighbours import ExactNeighbours
from consilience_server.engine.faiss_cpu import FaissCpuScan


class GatedEngine(ExactNeighbours):
    """Exact, but each search waits for the gate; remembers how many queries came and how deep they asked."""

    def __init__(self):
        super().__init__(FaissCpuScan(1), 1)
        self.gate = threading.Event()
        self.searches = []
        self.failure = None

    def query(self, queries, gallery, similarity, k_max, *, control, **options):
        self.searches.append((len(queries), k_max))
        while not self.gate.wait(0.005):
            control.check()
        if self.failure is not None:
            raise self.failure
        return super().query(queries, gallery, similarity, k_max, control=control, **options)


class Bench:
    def __init__(self, **options):
        metrics = SilentMetrics()
        self.engine = GatedEngine()
        self.account = Account(1 << 30, metrics)
        self.pool = ComputePool(2, 64, self.account, metrics)
        self.metrics = metrics
        self.batches = QueryBatches(self.pool, self.engine, metrics, **options)
        random = np.random.default_rng(0)
        # Equal items among them, so that places are tied.
        self.gallery = random.integers(-2, 3, (300, 4)).astype(np.float32) + np.float32(0.5)
        self.gallery.flags.writeable = False
        self.terms = ItemTerms(Correction("csls", 7), random.standard_normal(300))
        self.random = random

    def search(self, count=1, *, exclude=False, corrected=False, gallery=None):
        rows = self.random.integers(0, 300, count)
        gallery = self.gallery if gallery is None else gallery
        own = rows.astype(np.int64) if exclude else None
        return Search(gallery[rows], gallery, Similarity.SQUARED_L2, own, self.terms if corrected else None)

    def start(self, search, k=5, call=None):
        return asyncio.create_task(self.batches.find(call or Call("match"), search, k))

    def alone(self, search, k):
        self.engine.gate.set()
        return find(search, k, self.engine, self.metrics, Control())


@pytest.fixture
def bench():
    made = Bench()
    yield made
    made.engine.gate.set()
    made.pool.close()


async def until(condition):
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < 10
        await asyncio.sleep(0.002)


async def test_an_idle_lane_starts_at_once_and_what_comes_meanwhile_is_searched_together(bench):
    first = bench.start(bench.search())
    await until(lambda: bench.engine.searches)
    others = [bench.start(bench.search(), k) for k in (1, 5, 16)] + [bench.start(bench.search(4), 3)]
    await asyncio.sleep(0.02)
    assert bench.engine.searches == [(1, 16)]
    bench.engine.gate.set()
    await asyncio.gather(first, *others)
    assert bench.engine.searches == [(1, 16), (7, 16)]


async def test_nobodys_answer_changes(bench):
    blocker = bench.start(bench.search())
    await until(lambda: bench.engine.searches)
    asked = []
    for number in range(60):
        search = bench.search(1 + number % 3, exclude=number % 2 == 0, corrected=number % 5 == 0)
        k = (1, 5, 16, 17, 70, 299)[number % 6]
        asked.append((search, k, bench.start(search, k)))
    await asyncio.sleep(0.02)
    bench.engine.gate.set()
    await blocker
    answers = [await task for _, _, task in asked]
    assert len(bench.engine.searches) < 60
    for (search, k, _), found in zip(asked, answers, strict=True):
        expected = bench.alone(search, k)
        for name in ("rows", "similarities", "scores"):
            assert getattr(found, name).tobytes() == getattr(expected, name).tobytes()
            assert getattr(found, name).shape == (len(search.queries), k)
        assert found.certificate.certified_rows + found.certificate.refined_rows == len(search.queries)


async def test_other_galleries_depths_and_terms_go_apart(bench):
    other = bench.gallery.copy()
    tasks = [
        bench.start(bench.search()),
        bench.start(bench.search(), 17),
        bench.start(bench.search(exclude=True)),
        bench.start(bench.search(gallery=other)),
        bench.start(bench.search(corrected=True)),
    ]
    bench.engine.gate.set()
    await asyncio.gather(*tasks)
    # The corrected one searches twice.
    assert sorted(bench.engine.searches) == sorted([(1, 16), (1, 64), (1, 16), (1, 16), (1, 7), (1, 16)])


async def test_a_batch_has_a_limit():
    bench = Bench(limit=4)
    first = bench.start(bench.search())
    await until(lambda: bench.engine.searches)
    others = [bench.start(bench.search()) for _ in range(10)]
    await asyncio.sleep(0.01)
    bench.engine.gate.set()
    await asyncio.gather(first, *others)
    assert [queries for queries, _ in bench.engine.searches] == [1, 4, 4, 2]


@pytest.mark.parametrize(("limit", "count"), [(1, 1), (256, 33), (8, 9)])
async def test_large_requests_and_a_limit_of_one_go_alone(limit, count):
    bench = Bench(limit=limit)
    bench.engine.gate.set()
    await asyncio.gather(bench.start(bench.search(count)), bench.start(bench.search(count)))
    assert bench.engine.searches == [(count, 5), (count, 5)]


async def test_who_leaves_takes_nobody_along(bench):
    first = bench.start(bench.search())
    await until(lambda: bench.engine.searches)
    cancelled, staying = bench.start(bench.search()), bench.start(bench.search())
    late = bench.start(bench.search(), call=Call("match", deadline=time.monotonic() + 0.05))
    await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(DeadlineExceeded):
        await late
    bench.engine.gate.set()
    await asyncio.gather(first, staying)
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    # Neither was searched for.
    assert [queries for queries, _ in bench.engine.searches] == [1, 1]


async def test_a_search_that_nobody_waits_for_is_stopped(bench):
    tasks = [bench.start(bench.search()) for _ in range(3)]
    await until(lambda: bench.engine.searches)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await until(lambda: not bench.batches._lanes)
    # The gate never opened: the search ended because it heard of it.
    assert not bench.engine.gate.is_set()
    again = bench.start(bench.search())
    bench.engine.gate.set()
    assert (await again).rows.shape == (1, 5)


async def test_a_failure_reaches_its_own_batch_and_no_other(bench):
    bench.engine.failure = Cancelled("broken")
    bench.engine.gate.set()
    results = await asyncio.gather(bench.start(bench.search()), bench.start(bench.search()), return_exceptions=True)
    assert [str(result) for result in results] == ["broken", "broken"]
    bench.engine.failure = None
    assert (await bench.start(bench.search())).rows.shape == (1, 5)


async def test_a_batch_beyond_the_budget_is_refused(bench, monkeypatch):
    monkeypatch.setattr(bench.engine, "query_bytes", lambda *_: 1 << 31)
    with pytest.raises(MemoryBudget):
        await bench.start(bench.search())


async def test_waiting_and_searching_are_told_apart(bench):
    bench.engine.gate.set()
    call = Call("match")
    await bench.batches.find(call, bench.search(), 5)
    assert set(call.timings) == {"queue", "scan"}
