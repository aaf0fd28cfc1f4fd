"""Equal work asked for at the same time is done once."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from consilience_server.app.call import Call
from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled, DeadlineExceeded

T = TypeVar("T")

_POLL_SECONDS = 0.25
"""How often a waiting caller looks at its own Control, which threads may cancel and which wakes nobody."""


@dataclass(eq=False)
class _Flight(Generic[T]):
    """One piece of work and the calls that wait for it."""

    call: Call
    task: asyncio.Task[T] = field(init=False)
    waiting: list[Call] = field(default_factory=list)

    def progress(self, fraction: float) -> None:
        # Called from worker threads: a copy, since callers come and go meanwhile.
        for waiter in tuple(self.waiting):
            waiter.control.progress(fraction)


class SingleFlight(Generic[T]):
    """Runs work once for all callers that ask for the same key at the same time. Must be used from one event loop.

    The work runs in a task of its own with a Call of its own: no deadline, a fresh Control, progress passed on to everybody who waits.
    Each caller waits within its own deadline and cancellation; one that leaves fails nobody else. When the last one leaves, the work's
    Control is cancelled and its task with it, and the next caller of that key begins anew. A failure reaches every caller that waits and
    is not remembered.
    """

    def __init__(self) -> None:
        self._flights: dict[str, _Flight[T]] = {}

    async def run(self, call: Call, key: str, work: Callable[[Call], Awaitable[T]]) -> T:
        """The result of `work`, whoever began it.

        Args:
            call: of this caller. The one that begins the work gets its timings and cache tier; one that joins gets the tier `joined` and
                its waiting time under `cache`.
            key: equal keys mean equal results.
            work: begun with the flight's own Call, unless work of this key is under way.

        Raises:
            DeadlineExceeded: this call's deadline passed.
            Cancelled: this call's Control was cancelled, or the work was stopped from outside.
        """
        call.control.check()
        call.remaining()
        flight = self._flights.get(key)
        joined = flight is not None
        if flight is None:
            flight = self._begin(call, key, work)
        else:
            call.cache_tier = "joined"
        flight.waiting.append(call)
        started = time.perf_counter()
        try:
            await _wait(call, flight.task)
            return _result(flight.task)
        finally:
            flight.waiting.remove(call)
            if joined:
                call.spent("cache", time.perf_counter() - started)
            else:
                _adopt(call, flight.call)
            if not flight.waiting and not flight.task.done():
                self._abandon(key, flight)

    def is_running(self, key: str) -> bool:
        """Whether a caller of this key would join."""
        return key in self._flights

    def _begin(self, call: Call, key: str, work: Callable[[Call], Awaitable[T]]) -> _Flight[T]:
        flight: _Flight[T] = _Flight(Call(operation=call.operation, request_id=call.request_id))
        flight.call.control = Control(flight.progress)

        async def fly() -> T:
            return await work(flight.call)

        def landed(task: asyncio.Task[T]) -> None:
            self._forget(key, flight)
            if not task.cancelled():
                # Marks the exception as seen: all callers may be gone.
                task.exception()

        flight.task = asyncio.create_task(fly(), name=f"{call.operation} for its callers")
        flight.task.add_done_callback(landed)
        self._flights[key] = flight
        return flight

    def _abandon(self, key: str, flight: _Flight[T]) -> None:
        self._forget(key, flight)
        flight.call.control.cancel()
        flight.task.cancel()

    def _forget(self, key: str, flight: _Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


async def _wait(call: Call, task: asyncio.Task[T]) -> None:
    """Until the task is done, or this caller's deadline or Control ends the wait. The task itself is never touched."""
    while not task.done():
        call.control.check()
        left = None if call.deadline is None else call.deadline - time.monotonic()
        if left is not None and left <= 0:
            raise DeadlineExceeded(f"the deadline of this {call.operation} passed while it was computed; give it more time")
        await asyncio.wait([task], timeout=_POLL_SECONDS if left is None else min(left, _POLL_SECONDS))


def _result(task: asyncio.Task[T]) -> T:
    # A cancelled task's result() would raise CancelledError, which here would pass for the cancellation of the caller.
    if task.cancelled():
        raise Cancelled("the work was stopped before it ended")
    return task.result()


def _adopt(call: Call, work: Call) -> None:
    """What the work spent was spent for the caller that began it."""
    for stage, seconds in work.timings.items():
        call.spent(stage, seconds)
    call.cache_tier = work.cache_tier
