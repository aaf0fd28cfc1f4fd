"""Where heavy work runs: a bounded set of threads with an admission desk in front."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from contextvars import copy_context
from typing import TypeVar

from consilience_server.app.call import Call
from consilience_server.app.memory_budget import Account
from consilience_server.app.ports import Metrics, Stage
from consilience_server.core.errors import DeadlineExceeded, MemoryBudget, Overloaded

T = TypeVar("T")


class ComputePool:
    """Runs functions in worker threads; more waiting than `queue_limit` is refused at once rather than queued for ever.

    Args:
        workers: pieces of work at a time; each may itself use all threads of the numeric libraries.
        queue_limit: pieces that may wait.
        account: the memory budget asked before a piece starts.
        metrics: hears of refusals and stage times.
    """

    def __init__(self, workers: int, queue_limit: int, account: Account, metrics: Metrics) -> None:
        self._executor = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="compute")
        self._slots = asyncio.Semaphore(workers)
        self._queue_limit = queue_limit
        self._waiting = 0
        self._account = account
        self._metrics = metrics

    async def run(self, call: Call, stage: Stage, function: Callable[[], T], *, nbytes: int = 0) -> T:
        """Run `function` in a worker thread, in the caller's context: what it logs carries the id of the request.

        Args:
            call: whose deadline and cancellation hold; its timings get `queue` and `stage`.
            stage: what the time is booked under.
            function: must call `call.control.check()` at least once a second where it can last.
            nbytes: its peak memory beyond what is held already.

        Raises:
            Overloaded: too much waits already.
            MemoryBudget: the estimate does not fit.
            DeadlineExceeded: the deadline passed while waiting or running (the work is then cancelled).
        """
        if self._waiting >= self._queue_limit:
            self._metrics.rejected("overloaded")
            raise Overloaded(f"{self._waiting} requests are waiting already; retry later", retry_after=1.0)
        queued = time.perf_counter()
        self._waiting += 1
        try:
            async with asyncio.timeout(call.remaining()):
                await self._slots.acquire()
        except TimeoutError:
            raise DeadlineExceeded(f"the deadline of this {call.operation} passed while it waited for its turn") from None
        finally:
            self._waiting -= 1
            self._book(call, "queue", time.perf_counter() - queued)
        return await self._run_admitted(call, stage, function, nbytes)

    async def _run_admitted(self, call: Call, stage: Stage, function: Callable[[], T], nbytes: int) -> T:
        """With a slot taken: the slot and the memory are given back when the thread ends, not when the caller leaves."""
        try:
            left = call.remaining()
            self._account.take("requests", nbytes, f"this {call.operation}")
        except MemoryBudget:
            self._slots.release()
            self._metrics.rejected("memory_budget")
            raise
        except BaseException:
            self._slots.release()
            raise
        started = time.perf_counter()
        future = asyncio.get_running_loop().run_in_executor(self._executor, copy_context().run, function)

        def ended(done: asyncio.Future[T]) -> None:
            self._account.give("requests", nbytes)
            self._slots.release()
            if not done.cancelled():
                # Marks the exception as seen: the caller may be gone.
                done.exception()

        future.add_done_callback(ended)
        try:
            async with asyncio.timeout(left):
                return await asyncio.shield(future)
        except TimeoutError:
            if future.done():
                return future.result()
            call.control.cancel()
            raise DeadlineExceeded(f"the deadline of this {call.operation} passed while it was computed") from None
        except asyncio.CancelledError:
            call.control.cancel()
            raise
        finally:
            self._book(call, stage, time.perf_counter() - started)

    def _book(self, call: Call, stage: Stage, seconds: float) -> None:
        call.spent(stage, seconds)
        self._metrics.stage(stage, call.operation, seconds)

    def holding(self, call: Call, nbytes: int) -> AbstractContextManager[None]:
        """Account for memory that lasts longer than one piece of work; MemoryBudget where it does not fit."""
        return self._account.borrowed(nbytes, f"this {call.operation}")

    def close(self) -> None:
        """Wait for running work and end the threads."""
        self._executor.shutdown(wait=True)
