"""Answers that were computed before: memory first, then the remote tier, else computed once for all who ask."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from consilience_server.app.call import Call
from consilience_server.app.memory_cache import MemoryCache
from consilience_server.app.ports import Metrics, RemoteCache
from consilience_server.app.single_flight import SingleFlight

_PENDING_WRITES = 32
"""Writes to the remote tier under way at a time; beyond it values are not offered to it (it is slow: waiting would pile up their bytes)."""


class ResultCache:
    """The two tiers and the single flight before the computation. Must be used from one event loop.

    A cache that fails costs time, never an answer: the memory tier cannot fail, the remote tier answers None for whatever went wrong.
    Failures of the computation are not kept.

    Args:
        memory: the first tier.
        remote: the second tier, None where there is none.
        metrics: hears `hit`, `joined` or `miss` of the memory tier once a request (the remote tier counts itself), and the stage `cache`.
    """

    def __init__(self, memory: MemoryCache, remote: RemoteCache | None, metrics: Metrics) -> None:
        self._memory = memory
        self._remote = remote
        self._metrics = metrics
        self._flights: SingleFlight[bytes] = SingleFlight()
        self._writes: set[asyncio.Task[None]] = set()

    async def serve(self, call: Call, key: str, compute: Callable[[Call], Awaitable[bytes]]) -> bytes:
        """The answer to `key`, from the nearest place that has it.

        Args:
            call: of this caller; its `cache_tier` and `timings` are filled in.
            key: from `cache_key`.
            compute: makes the answer where no tier has it, with the Call it is given (not the caller's: it may outlast this caller for the
                sake of others).

        Raises:
            DeadlineExceeded, Cancelled: of this caller alone.
            Whatever `compute` raises: to every caller that waits for it.
        """
        started = time.perf_counter()
        value = self._memory.get(key)
        if value is not None:
            call.cache_tier = "memory"
            self._metrics.cache("memory", "hit")
            self._book(call, started)
            return value
        self._metrics.cache("memory", "joined" if self._flights.is_running(key) else "miss")

        async def work(work_call: Call) -> bytes:
            return await self._find_or_compute(work_call, key, compute)

        return await self._flights.run(call, key, work)

    async def find(self, key: str) -> bytes | None:
        """What either tier has under a key of part of an answer, or None; not counted as a request's hit or miss."""
        value = self._memory.get(key)
        if value is None and self._remote is not None:
            value = await self._remote.get(key)
            if value is not None:
                self._keep(key, value)
        return value

    def keep(self, key: str, value: bytes) -> None:
        """Keep part of an answer in both tiers, so that work that is cut off finds it again."""
        self._keep(key, value)
        self._offer(key, value)

    async def _find_or_compute(self, call: Call, key: str, compute: Callable[[Call], Awaitable[bytes]]) -> bytes:
        if self._remote is not None:
            started = time.perf_counter()
            found = await self._remote.get(key)
            self._book(call, started)
            if found is not None:
                call.cache_tier = "redis"
                self._keep(key, found)
                return found
        value = await compute(call)
        self._keep(key, value)
        self._offer(key, value)
        return value

    def _keep(self, key: str, value: bytes) -> None:
        self._memory.put(key, value)
        self._metrics.memory("cache", self._memory.nbytes)

    def _offer(self, key: str, value: bytes) -> None:
        """Write to the remote tier behind the answer's back."""
        if self._remote is None or len(self._writes) >= _PENDING_WRITES:
            return
        task = asyncio.create_task(self._remote.put(key, value), name="cache write")
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)

    def _book(self, call: Call, started: float) -> None:
        seconds = time.perf_counter() - started
        call.spent("cache", seconds)
        self._metrics.stage("cache", call.operation, seconds)

    async def flush(self) -> None:
        """Wait for the writes under way."""
        if self._writes:
            await asyncio.wait(self._writes)

    async def close(self) -> None:
        """Wait for the writes under way and close the remote tier."""
        await self.flush()
        if self._remote is not None:
            await self._remote.close()
