"""Redis killed, paused, full, slow and lying while requests run: answers stay right, and latency stays bounded."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from redis import Redis
from redis.exceptions import OutOfMemoryError
from support.recorded_metrics import RecordedMetrics
from support.redis_server import RedisServer, running_redis
from support.tcp_proxy import running_proxy

from consilience_server.adapters.redis_cache import RedisCache, RedisOptions
from consilience_server.app.call import Call
from consilience_server.app.memory_cache import MemoryCache
from consilience_server.app.result_cache import ResultCache

GET_SECONDS = 0.1
OPEN_SECONDS = 0.3
FAILURES = 3
# What the event loop of a loaded machine may add to a wait.
SLACK_SECONDS = 0.5


class Service:
    """A result cache without a first tier, so that every request asks Redis; the answer to a key is known."""

    def __init__(self, url: str) -> None:
        self.metrics = RecordedMetrics()
        options = RedisOptions(
            get_seconds=GET_SECONDS, put_seconds=0.5, failures_to_open=FAILURES, open_seconds=OPEN_SECONDS, connections=4
        )
        self.remote = RedisCache(url, self.metrics, options)
        self.cache = ResultCache(MemoryCache(0), self.remote, self.metrics)
        self.computed = 0

    @staticmethod
    def answer(key: str) -> bytes:
        return random.Random(key).randbytes(5000)

    async def ask(self, key: str) -> str:
        """One request: right, and soon; returns the tier that served it."""

        async def compute(call: Call) -> bytes:
            self.computed += 1
            return self.answer(key)

        call = Call("align")
        started = time.monotonic()
        value = await self.cache.serve(call, key, compute)
        assert value == self.answer(key)
        assert time.monotonic() - started < GET_SECONDS + SLACK_SECONDS
        return call.cache_tier

    async def ask_all(self, count: int = 10) -> set[str]:
        return {await self.ask(str(index)) for index in range(count)}

    async def fill(self, count: int = 10) -> None:
        """Until Redis serves all `count` answers."""
        await self.until_served(count)
        self.metrics.cached.clear()
        self.computed = 0

    async def until_served(self, count: int = 10) -> None:
        end = time.monotonic() + 20
        while await self.ask_all(count) != {"redis"}:
            await self.cache.flush()
            await asyncio.sleep(OPEN_SECONDS / 3)
            assert time.monotonic() < end, f"Redis serves no answers: {self.metrics.cached}"

    def outcomes(self, outcome: str) -> int:
        return self.metrics.cached["redis", outcome]


@asynccontextmanager
async def service_on(url: str) -> AsyncIterator[Service]:
    service = Service(url)
    try:
        yield service
    finally:
        await service.cache.close()


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


async def test_redis_killed_and_started_again(redis: RedisServer) -> None:
    async with service_on(redis.url) as service:
        await service.fill()
        redis.kill()
        assert await service.ask_all() == {""}
        assert service.computed == 10
        assert service.outcomes("error") >= FAILURES
        assert service.outcomes("open") > 0
        redis.start()
        await service.until_served()
        assert service.remote._breaker.state == "closed"


async def test_redis_paused_costs_a_bounded_time_and_then_nothing(redis: RedisServer) -> None:
    async with service_on(redis.url) as service:
        await service.fill()
        redis.pause()
        started = time.monotonic()
        assert await service.ask_all(100) == {""}
        # FAILURES waits open the breaker, then one probe each OPEN_SECONDS: never a wait for each request.
        assert time.monotonic() - started < (FAILURES + 1) * GET_SECONDS + 4 * SLACK_SECONDS
        assert service.outcomes("open") > 90
        redis.resume()
        await service.until_served()


async def test_redis_absent_from_the_start(redis: RedisServer) -> None:
    redis.kill()
    async with service_on(redis.url) as service:
        assert await service.ask_all(20) == {""}
        redis.start()
        await service.until_served()


async def test_redis_full_serves_what_it_has_and_the_rest_is_computed() -> None:
    with running_redis("--maxmemory-policy", "noeviction") as redis:
        async with service_on(redis.url) as service:
            await service.fill(5)
            with Redis(host="127.0.0.1", port=redis.port) as direct:
                # Less than it holds already: every write is refused from here on.
                direct.config_set("maxmemory", "1000")
                with pytest.raises(OutOfMemoryError):
                    direct.set("anything", "at all")
            assert await service.ask_all(5) == {"redis"}
            for index in range(100, 110):
                assert await service.ask(str(index)) == ""
            await service.cache.flush()
            assert service.outcomes("error") == 10
            # Full is not down: the reads go on.
            assert service.outcomes("open") == 0
            assert await service.ask_all(5) == {"redis"}


async def test_redis_lying_with_flipped_bytes(redis: RedisServer) -> None:
    async with service_on(redis.url) as service:
        await service.fill()
        draw = random.Random(0)
        with Redis(host="127.0.0.1", port=redis.port) as direct:
            for name in list(direct.scan_iter()):
                value = bytearray(direct.get(name))
                value[draw.randrange(len(value))] ^= 1 << draw.randrange(8)
                direct.set(name, bytes(value))
        assert await service.ask_all() == {""}
        assert service.outcomes("error") == 10
        # The lies were overwritten with the truth.
        await service.until_served()


async def test_redis_lying_with_swapped_and_truncated_values(redis: RedisServer) -> None:
    async with service_on(redis.url) as service:
        await service.fill()
        with Redis(host="127.0.0.1", port=redis.port) as direct:
            names = sorted(direct.keys())
            values = [direct.get(name) for name in names]
            for name, value in zip(names[:5], values[1:6], strict=True):
                direct.set(name, value)
            for name, value in zip(names[5:], values[5:], strict=True):
                direct.set(name, value[: len(value) // 2])
        assert await service.ask_all() == {""}
        assert service.outcomes("error") == 10


async def test_a_wire_that_corrupts_every_answer(redis: RedisServer) -> None:
    async with running_proxy(redis.port) as proxy, service_on(f"redis://127.0.0.1:{proxy.port}/0") as service:
        await service.fill()
        draw = random.Random(1)

        def flip(chunk: bytes) -> bytes:
            altered = bytearray(chunk)
            altered[draw.randrange(len(altered))] ^= 1 << draw.randrange(8)
            return bytes(altered)

        proxy.alter = flip
        for _ in range(5):
            await service.ask_all()
        assert service.outcomes("hit") == 0
        proxy.alter = bytes
        await service.until_served()


async def test_redis_slower_than_its_time(redis: RedisServer) -> None:
    async with running_proxy(redis.port) as proxy, service_on(f"redis://127.0.0.1:{proxy.port}/0") as service:
        await service.fill()
        proxy.delay = 3 * GET_SECONDS
        assert await service.ask_all(30) == {""}
        assert service.outcomes("open") > 20
        proxy.delay = 0.0
        await service.until_served()


async def test_concurrent_requests_while_redis_comes_and_goes(redis: RedisServer) -> None:
    async with service_on(redis.url) as service:
        stop = asyncio.Event()

        async def load(seed: int) -> int:
            draw, asked = random.Random(seed), 0
            while not stop.is_set():
                await service.ask(str(draw.randrange(40)))
                asked += 1
                await asyncio.sleep(0.002)
            return asked

        workers = [asyncio.create_task(load(seed)) for seed in range(8)]
        for fault, repair in ((redis.pause, redis.resume), (redis.kill, redis.start)):
            await asyncio.sleep(0.3)
            fault()
            await asyncio.sleep(0.6)
            await asyncio.to_thread(repair)
        await asyncio.sleep(0.3)
        stop.set()
        assert sum(await asyncio.gather(*workers)) > 100
        await service.until_served()
