import asyncio
import threading
import time
from contextvars import ContextVar

import pytest
from support.silent_metrics import SilentMetrics

from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.memory_budget import Account
from consilience_server.core.errors import Cancelled, DeadlineExceeded, MemoryBudget, Overloaded


@pytest.fixture
def metrics():
    return SilentMetrics()


@pytest.fixture
def account(metrics):
    return Account(1000, metrics)


@pytest.fixture
def pool(metrics, account):
    pool = ComputePool(1, 1, account, metrics)
    yield pool
    pool.close()


async def settled(condition):
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail("did not settle")


async def test_runs_in_a_worker_thread_and_books_its_time(pool, metrics):
    call = Call("align")
    thread = await pool.run(call, "scan", threading.current_thread)
    assert thread.name.startswith("compute")
    assert set(call.timings) == {"queue", "scan"}
    assert ("scan", "align") in metrics.seconds


async def test_work_runs_in_the_context_of_its_caller(pool):
    name = ContextVar("name", default="nobody")
    name.set("caller")
    assert await pool.run(Call("align"), "scan", name.get) == "caller"
    name.set("another")
    assert await pool.run(Call("align"), "scan", name.get) == "another"


async def test_more_than_the_queue_holds_is_refused_at_once(pool, metrics):
    gate = threading.Event()
    running = asyncio.create_task(pool.run(Call("a"), "scan", gate.wait))
    await asyncio.sleep(0.05)
    waiting = asyncio.create_task(pool.run(Call("a"), "scan", gate.wait))
    await asyncio.sleep(0.05)
    with pytest.raises(Overloaded) as refusal:
        await pool.run(Call("a"), "scan", gate.wait)
    assert refusal.value.retry_after
    assert metrics.rejections["overloaded"] == 1
    gate.set()
    assert await asyncio.gather(running, waiting) == [True, True]


async def test_a_deadline_while_waiting_leaves_no_trace(pool):
    gate = threading.Event()
    running = asyncio.create_task(pool.run(Call("a"), "scan", gate.wait))
    await asyncio.sleep(0.05)
    with pytest.raises(DeadlineExceeded, match="waited for its turn"):
        await pool.run(Call("a", deadline=time.monotonic() + 0.05), "scan", lambda: None)
    gate.set()
    await running
    assert await pool.run(Call("a"), "scan", lambda: 7) == 7


async def test_a_deadline_while_computing_cancels_the_work_and_frees_slot_and_memory(pool, account):
    call = Call("a", deadline=time.monotonic() + 0.05)
    ended = threading.Event()

    def work():
        try:
            while True:
                call.control.check()
                time.sleep(0.005)
        except Cancelled:
            ended.set()
            raise

    with pytest.raises(DeadlineExceeded, match="while it was computed"):
        await pool.run(call, "scan", work, nbytes=900)
    await settled(ended.is_set)
    await settled(lambda: account.used == 0)
    assert await pool.run(Call("a"), "scan", lambda: 7, nbytes=900) == 7


async def test_a_cancelled_caller_cancels_its_work(pool, account):
    call = Call("a")

    def work():
        while True:
            call.control.check()
            time.sleep(0.005)

    task = asyncio.create_task(pool.run(call, "scan", work, nbytes=10))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await settled(lambda: account.used == 0)


async def test_an_estimate_beyond_the_budget_is_refused_and_gives_the_slot_back(pool, metrics):
    with pytest.raises(MemoryBudget):
        await pool.run(Call("a"), "scan", lambda: None, nbytes=2000)
    assert metrics.rejections["memory_budget"] == 1
    assert await pool.run(Call("a"), "scan", lambda: 7) == 7


async def test_errors_of_the_work_reach_the_caller(pool):
    with pytest.raises(ZeroDivisionError):
        await pool.run(Call("a"), "scan", lambda: 1 // 0)


async def test_a_deadline_already_passed_starts_nothing(pool):
    with pytest.raises(DeadlineExceeded):
        await pool.run(Call("a", deadline=time.monotonic() - 1), "scan", lambda: pytest.fail("ran"))


async def test_a_deadline_that_passes_on_the_way_into_the_thread_starts_nothing(pool, account, metrics):
    class Late(Call):
        asked = 0

        def remaining(self):
            self.asked += 1
            if self.asked > 1:
                raise DeadlineExceeded("passed")
            return 1.0

    with pytest.raises(DeadlineExceeded):
        await pool.run(Late("a"), "scan", lambda: pytest.fail("ran"), nbytes=10)
    assert account.used == 0
    assert "memory_budget" not in metrics.rejections
    assert await pool.run(Call("a"), "scan", lambda: 7) == 7
