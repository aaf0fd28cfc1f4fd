"""The second tier of the result cache: Redis. Down, slow, full or lying, it costs a little time and never an answer."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from consilience_server.adapters.cache_value import HEADER_BYTES, seal, unseal
from consilience_server.adapters.circuit_breaker import CircuitBreaker
from consilience_server.app.ports import Metrics
from consilience_server.core.errors import InvalidArgument

T = TypeVar("T")

_LOG = logging.getLogger(__name__)
_RANDOM = random.Random()  # noqa: S311 - spreads expiry, hides nothing
_STALL = 1.5
"""A timer that fires later than this multiple of its time was held up by the event loop."""
_SCHEMES = ("redis", "rediss", "unix")


@dataclass(frozen=True)
class RedisOptions:
    """How much of its time and memory the server lends to Redis.

    Attributes:
        get_seconds: a read, connecting included; a request waits no longer.
        put_seconds: a write, connecting included; nobody waits for it.
        connections: open at a time; more commands wait for one, within their own time.
        max_value_bytes: larger answers are not written.
        ttl_seconds: how long Redis keeps an answer. Answers never go stale, so this bounds memory only.
        ttl_jitter: each life is drawn from ttl_seconds * (1 +- ttl_jitter), so that what was written together does not expire together.
        key_prefix: before every key; separates deployments that share a Redis.
        failures_to_open: unanswered commands in a row after which Redis is left alone,
        open_seconds: for this long; then one command tries again.
    """

    get_seconds: float = 0.02
    put_seconds: float = 0.25
    connections: int = 8
    max_value_bytes: int = 4 << 20
    ttl_seconds: float = 86_400.0
    ttl_jitter: float = 0.1
    key_prefix: str = "consilience:"
    failures_to_open: int = 5
    open_seconds: float = 5.0


class RedisCache:
    """Implements the port RemoteCache over redis.asyncio. Must be used from one event loop; nothing connects before the first command.

    Outcomes counted under the tier `redis`: a read is `hit`, `miss`, `error` (no answer in time, or a value that fails its check) or
    `open` (not asked, because the breaker is open); a write is counted only when it fails, as `error`, so a full Redis shows too.

    Every command runs in a task of its own: a caller that is cancelled leaves the command to end or time out by itself, so no half-read
    reply stays on a connection for the next command to take as its own. The check of every value is the second line of that defence.

    Args:
        url: `redis://[user:password@]host[:port][/db]`, `rediss://...` (TLS) or `unix://path`. Credentials appear in no repr, log or error.
        metrics: hears the outcomes.
        options: times and sizes.

    Raises:
        InvalidArgument: the URL is none of these.
    """

    def __init__(self, url: str, metrics: Metrics, options: RedisOptions | None = None) -> None:
        self._address = masked_address(url)
        self._metrics = metrics
        self._options = options = options or RedisOptions()
        self._breaker = CircuitBreaker(options.failures_to_open, options.open_seconds)
        self._commands: set[asyncio.Task[Any]] = set()
        try:
            pool = BlockingConnectionPool.from_url(
                url,
                max_connections=options.connections,
                timeout=options.put_seconds,
                socket_timeout=options.put_seconds,
                socket_connect_timeout=options.put_seconds,
                # A retry would double the wait, and the breaker counts first failures.
                retry=Retry(NoBackoff(), 0),
                protocol=2,
                decode_responses=False,
            )
        except ValueError:
            # The original message may quote the URL, and with it the password.
            raise InvalidArgument(f"the Redis URL of {self._address} is malformed; write redis://host:6379/0", field="redis") from None
        self._redis = Redis(connection_pool=pool)

    def __repr__(self) -> str:
        return f"RedisCache({self._address}, breaker {self._breaker.state})"

    async def get(self, key: str) -> bytes | None:
        """The value whose digest checks out, or None, within `get_seconds`."""
        if not self._breaker.allow():
            self._metrics.cache("redis", "open")
            return None
        return await self._in_own_task(self._get(key))

    async def put(self, key: str, value: bytes) -> None:
        """Keep a value, best effort, within `put_seconds`."""
        if len(value) + HEADER_BYTES <= self._options.max_value_bytes and self._breaker.allow():
            await self._in_own_task(self._put(key, value))

    async def close(self) -> None:
        """Wait for commands under way (they are short) and close the connections."""
        if self._commands:
            await asyncio.wait(self._commands)
        try:
            async with asyncio.timeout(self._options.put_seconds):
                await self._redis.aclose()
                await self._redis.connection_pool.disconnect()
        except (RedisError, OSError, TimeoutError):
            _LOG.debug("closing the connections to %s failed; the process drops them", self)

    async def _in_own_task(self, command: Coroutine[Any, Any, T]) -> T:
        task = asyncio.create_task(command, name="redis")
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)
        return await asyncio.shield(task)

    async def _get(self, key: str) -> bytes | None:
        try:
            sealed = await _within(self._options.get_seconds, self._redis.get(self._options.key_prefix + key))
        except Exception as error:  # noqa: BLE001 - whatever Redis or its client does, the request goes on without
            self._failed(error)
            return None
        self._succeeded()
        if sealed is None:
            self._metrics.cache("redis", "miss")
            return None
        value = unseal(key, sealed) if isinstance(sealed, bytes) else None
        self._metrics.cache("redis", "error" if value is None else "hit")
        if value is None:
            _LOG.debug("%s holds a value that fails its check; it is ignored and will be written anew", self)
        return value

    async def _put(self, key: str, value: bytes) -> None:
        options = self._options
        life = options.ttl_seconds * (1 + options.ttl_jitter * _RANDOM.uniform(-1, 1))
        try:
            command = self._redis.set(options.key_prefix + key, seal(key, value), px=max(1, int(life * 1000)))
            await _within(options.put_seconds, command)
        except Exception as error:  # noqa: BLE001 - as above
            self._failed(error)
        else:
            self._succeeded()

    def _succeeded(self) -> None:
        before = self._breaker.state
        self._breaker.succeeded()
        if before != self._breaker.state:
            _LOG.info("%s answers again", self)

    def _failed(self, error: Exception) -> None:
        self._metrics.cache("redis", "error")
        if isinstance(error, ResponseError):
            # It answered, in time: full (OOM), read-only, wrong password. What it holds may still be read, and asking is cheap.
            self._breaker.succeeded()
            _LOG.debug("%s refused a command: %s", self, type(error).__name__)
            return
        before = self._breaker.state
        self._breaker.failed()
        if before != self._breaker.state and self._breaker.state == "open":
            # Only the type: messages of the client may carry the URL.
            _LOG.warning("%s does not answer (%s); left alone for %g s", self, type(error).__name__, self._options.open_seconds)


async def _within(seconds: float, command: Awaitable[T]) -> T:
    """The result of a command, or TimeoutError after `seconds` in which the event loop turned.

    An event loop that stood still (a large message being encoded) comes back to an expired timer and an answer that lies unread in the
    socket. That says nothing about Redis, so the answer gets the time once more.
    """
    task = asyncio.ensure_future(command)
    started = time.monotonic()
    done, _ = await asyncio.wait([task], timeout=seconds)
    if not done and time.monotonic() - started > _STALL * seconds:
        done, _ = await asyncio.wait([task], timeout=seconds)
    if not done:
        # The client closes the connection on which the answer would still arrive.
        task.cancel()
        await asyncio.wait([task])
        raise TimeoutError
    return await task


def masked_address(url: str) -> str:
    """Scheme, host, port and database of a Redis URL: what may be logged.

    Raises:
        InvalidArgument: another scheme, or no host or path.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InvalidArgument("the Redis URL is malformed; write redis://host:6379/0", field="redis") from None
    if parts.scheme not in _SCHEMES or not (parts.path if parts.scheme == "unix" else host):
        raise InvalidArgument(f"a Redis URL begins with one of {', '.join(s + '://' for s in _SCHEMES)} and names a host", field="redis")
    return f"unix://{parts.path}" if parts.scheme == "unix" else f"{parts.scheme}://{host}:{port or 6379}{parts.path}"
