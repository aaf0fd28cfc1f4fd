import asyncio

import pytest
from support.recorded_metrics import RecordedMetrics

from consilience_server.app.call import Call
from consilience_server.app.memory_cache import MemoryCache
from consilience_server.app.result_cache import _PENDING_WRITES, ResultCache
from consilience_server.core.errors import Overloaded


class DictionaryCache:
    """A remote tier that works, in this process."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.gets = 0
        self.puts = 0
        self.closed = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def get(self, key: str) -> bytes | None:
        self.gets += 1
        return self.values.get(key)

    async def put(self, key: str, value: bytes) -> None:
        self.puts += 1
        await self.gate.wait()
        self.values[key] = value

    async def close(self) -> None:
        self.closed = True


class Computation:
    def __init__(self, answer: bytes = b"answer") -> None:
        self.answer = answer
        self.runs = 0

    async def __call__(self, call: Call) -> bytes:
        self.runs += 1
        call.spent("scan", 2.0)
        await asyncio.sleep(0.01)
        return self.answer


def tiers(capacity: int = 1 << 20) -> tuple[ResultCache, DictionaryCache, RecordedMetrics]:
    remote, metrics = DictionaryCache(), RecordedMetrics()
    return ResultCache(MemoryCache(capacity), remote, metrics), remote, metrics


async def test_computed_once_then_served_from_memory() -> None:
    cache, remote, metrics = tiers()
    compute, first, second = Computation(), Call("align"), Call("align")
    assert await cache.serve(first, "key", compute) == b"answer"
    assert await cache.serve(second, "key", compute) == b"answer"
    assert compute.runs == 1
    assert remote.gets == 1
    assert (first.cache_tier, second.cache_tier) == ("", "memory")
    assert first.timings["scan"] == 2.0
    assert "cache" in first.timings
    assert set(second.timings) == {"cache"}
    assert metrics.cached == {("memory", "miss"): 1, ("memory", "hit"): 1}
    assert metrics.memory_bytes["cache"] > len(b"answer")
    assert {(stage, operation) for stage, operation, _ in metrics.stages} == {("cache", "align")}


async def test_what_another_server_computed_comes_from_redis_and_then_from_memory() -> None:
    cache, remote, _ = tiers()
    remote.values["key"] = b"shared"
    compute = Computation()
    calls = [Call("align"), Call("align")]
    assert [await cache.serve(call, "key", compute) for call in calls] == [b"shared"] * 2
    assert compute.runs == 0
    assert [call.cache_tier for call in calls] == ["redis", "memory"]
    await cache.flush()
    assert remote.puts == 0


async def test_what_was_computed_is_offered_to_redis_without_the_caller_waiting() -> None:
    cache, remote, _ = tiers()
    remote.gate.clear()
    assert await asyncio.wait_for(cache.serve(Call("align"), "key", Computation()), 1) == b"answer"
    remote.gate.set()
    await cache.close()
    assert remote.values == {"key": b"answer"}
    assert remote.closed


async def test_equal_requests_at_a_time_are_one_computation_and_one_lookup() -> None:
    cache, remote, metrics = tiers()
    compute = Computation()
    calls = [Call("align") for _ in range(10)]
    answers = await asyncio.gather(*(cache.serve(call, "key", compute) for call in calls))
    assert answers == [b"answer"] * 10
    assert (compute.runs, remote.gets) == (1, 1)
    assert sorted(call.cache_tier for call in calls) == [""] + ["joined"] * 9
    assert metrics.cached == {("memory", "miss"): 1, ("memory", "joined"): 9}


async def test_failures_are_not_kept() -> None:
    cache, remote, _ = tiers()

    async def fail(call: Call) -> bytes:
        raise Overloaded("too much")

    for _ in range(2):
        with pytest.raises(Overloaded):
            await cache.serve(Call("align"), "key", fail)
    assert await cache.serve(Call("align"), "key", Computation()) == b"answer"
    await cache.flush()
    assert remote.values == {"key": b"answer"}


async def test_a_slow_remote_tier_does_not_pile_up_writes() -> None:
    cache, remote, _ = tiers(capacity=0)
    remote.gate.clear()
    for index in range(_PENDING_WRITES + 10):
        await cache.serve(Call("align"), str(index), Computation())
    assert remote.puts == _PENDING_WRITES
    remote.gate.set()
    await cache.flush()
    await cache.serve(Call("align"), "later", Computation())
    await cache.flush()
    assert "later" in remote.values


async def test_memory_alone_serves_where_no_redis_is_configured() -> None:
    cache = ResultCache(MemoryCache(1 << 20), None, RecordedMetrics())
    compute = Computation()
    assert [await cache.serve(Call("align"), "key", compute) for _ in range(3)] == [b"answer"] * 3
    assert compute.runs == 1
    await cache.close()


async def test_a_caller_that_leaves_during_the_lookup_loses_nothing_for_the_next() -> None:
    cache, _, _ = tiers()
    compute = Computation()
    leaving = asyncio.create_task(cache.serve(Call("align"), "key", compute))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await cache.serve(Call("align"), "key", compute) == b"answer"
