import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from redis import Redis
from support.free_port import free_port
from support.recorded_metrics import RecordedMetrics
from support.redis_server import RedisServer, running_redis
from support.tcp_proxy import running_proxy

from consilience_server.adapters.cache_value import seal
from consilience_server.adapters.redis_cache import RedisCache, RedisOptions, masked_address
from consilience_server.core.errors import InvalidArgument

# Roomy times: these tests are about answers, not about how loaded the machine is.
PATIENT = RedisOptions(get_seconds=2.0, put_seconds=2.0)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with running_redis() as started:
        yield started


@pytest.fixture
def direct(server: RedisServer) -> Iterator[Redis]:
    """A plain client, to look at and to tamper with what is stored."""
    with Redis(host="127.0.0.1", port=server.port) as client:
        client.flushall()
        yield client


@pytest.fixture
def metrics() -> RecordedMetrics:
    return RecordedMetrics()


@pytest.fixture
async def cache(server: RedisServer, direct: Redis, metrics: RecordedMetrics) -> AsyncIterator[RedisCache]:
    opened = RedisCache(server.url, metrics, PATIENT)
    yield opened
    await opened.close()


async def test_what_is_put_is_got(cache: RedisCache, metrics: RecordedMetrics) -> None:
    payload = bytes(range(256)) * 4000
    assert await cache.get("key") is None
    await cache.put("key", payload)
    assert await cache.get("key") == payload
    assert metrics.cached == {("redis", "miss"): 1, ("redis", "hit"): 1}


async def test_the_stored_entry_has_the_prefix_and_a_jittered_life(cache: RedisCache, direct: Redis) -> None:
    for index in range(20):
        await cache.put(str(index), b"value")
    lives = [direct.pttl(f"consilience:{index}") / 1000 for index in range(20)]
    assert all(0.89 * 86_400 < life < 1.11 * 86_400 for life in lives)
    assert max(lives) - min(lives) > 1000


async def test_too_large_a_value_is_not_written(server: RedisServer, direct: Redis, metrics: RecordedMetrics) -> None:
    cache = RedisCache(server.url, metrics, RedisOptions(max_value_bytes=1000, put_seconds=2.0))
    await cache.put("large", bytes(1000))
    await cache.put("small", bytes(900))
    assert direct.keys() == [b"consilience:small"]
    await cache.close()


@pytest.mark.parametrize("stored", [b"", b"foreign", seal("other", b"value"), seal("key", b"value")[:-1], b"\x80\x04N."])
async def test_a_value_that_does_not_prove_itself_is_an_error_and_no_answer(
    cache: RedisCache, direct: Redis, metrics: RecordedMetrics, stored: bytes
) -> None:
    direct.set("consilience:key", stored)
    assert await cache.get("key") is None
    assert metrics.cached == {("redis", "error"): 1}
    await cache.put("key", b"right")
    assert await cache.get("key") == b"right"


async def test_a_key_of_another_type_is_an_error_that_does_not_open_the_breaker(
    cache: RedisCache, direct: Redis, metrics: RecordedMetrics
) -> None:
    direct.lpush("consilience:key", "a list")
    for _ in range(10):
        assert await cache.get("key") is None
    assert metrics.cached == {("redis", "error"): 10}


async def test_a_cancelled_caller_does_not_give_its_reply_to_the_next(server: RedisServer, direct: Redis, metrics: RecordedMetrics) -> None:
    async with running_proxy(server.port) as proxy:
        cache = RedisCache(f"redis://127.0.0.1:{proxy.port}", metrics, RedisOptions(get_seconds=2.0, put_seconds=2.0, connections=1))
        await cache.put("mine", b"mine")
        await cache.put("yours", b"yours")
        proxy.delay = 0.1
        caller = asyncio.create_task(cache.get("mine"))
        await asyncio.sleep(0.05)
        caller.cancel()
        proxy.delay = 0.0
        assert await cache.get("yours") == b"yours"
        assert await cache.get("mine") == b"mine"
        assert caller.cancelled()
        # The cancelled one was answered in its own task and left its connection whole.
        assert metrics.cached == {("redis", "hit"): 3}
        assert proxy.connections == 1
        await cache.close()


async def test_an_event_loop_that_stood_still_is_not_held_against_redis(
    server: RedisServer, direct: Redis, metrics: RecordedMetrics
) -> None:
    cache = RedisCache(server.url, metrics, RedisOptions(get_seconds=0.2, put_seconds=2.0, failures_to_open=1))
    await cache.put("key", b"value")
    for _ in range(3):
        lookup = asyncio.create_task(cache.get("key"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        time.sleep(0.5)
        assert await lookup == b"value"
    assert metrics.cached == {("redis", "hit"): 3}
    await cache.close()


async def test_many_at_a_time_share_a_bounded_number_of_connections(server: RedisServer, direct: Redis, metrics: RecordedMetrics) -> None:
    async with running_proxy(server.port) as proxy:
        cache = RedisCache(f"redis://127.0.0.1:{proxy.port}", metrics, RedisOptions(get_seconds=5.0, put_seconds=5.0, connections=3))
        await asyncio.gather(*(cache.put(str(index), str(index).encode()) for index in range(50)))
        assert await asyncio.gather(*(cache.get(str(index)) for index in range(50))) == [str(index).encode() for index in range(50)]
        assert proxy.connections <= 3
        await cache.close()


async def test_credentials_appear_nowhere(caplog: pytest.LogCaptureFixture, metrics: RecordedMetrics) -> None:
    url = f"redis://user:s3cret@127.0.0.1:{free_port()}/2?password=s3cret"
    with caplog.at_level(logging.DEBUG):
        cache = RedisCache(url, metrics, RedisOptions(failures_to_open=1))
        assert await cache.get("key") is None
        await cache.put("key", b"value")
        await cache.close()
    assert "does not answer" in caplog.text
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("consilience")]
    assert not any("s3cret" in text for text in [repr(cache), *ours])
    assert "/2" in repr(cache)


async def test_a_password_that_redis_refuses_is_an_error_not_an_exception(metrics: RecordedMetrics) -> None:
    with running_redis("--requirepass", "right") as guarded:
        wrong = RedisCache(guarded.url.replace("://", "://:wrong@"), metrics, PATIENT)
        assert await wrong.get("key") is None
        await wrong.put("key", b"value")
        assert metrics.cached == {("redis", "error"): 2}
        await wrong.close()
        right = RedisCache(guarded.url.replace("://", "://:right@"), metrics, PATIENT)
        await right.put("key", b"value")
        assert await right.get("key") == b"value"
        await right.close()


@pytest.mark.parametrize(
    "url", ["", "localhost:6379", "http://host", "redis://", "redis://host:port", "redis://user:s3cret@host:99999x", "unix://"]
)
def test_a_malformed_url_is_refused_without_its_password(url: str, metrics: RecordedMetrics) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        RedisCache(url, metrics)
    assert "s3cret" not in str(refusal.value)
    assert refusal.value.field == "redis"


def test_addresses_are_masked() -> None:
    assert masked_address("rediss://me:s3cret@cache.example:6380/1?ssl_cert_reqs=none") == "rediss://cache.example:6380/1"
    assert masked_address("redis://cache") == "redis://cache:6379"
    assert masked_address("unix://:s3cret@/run/redis.sock?db=1") == "unix:///run/redis.sock"
