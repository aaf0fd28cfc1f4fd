"""Waiting, locks and background work over asyncio. Written by hand; `_sync/concurrency.py` is its twin over threads."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable, Iterator
from typing import Any, TypeVar

Answer = TypeVar("Answer")
Item = TypeVar("Item")

AsyncLock = asyncio.Lock

_UNFINISHED: set[asyncio.Task[None]] = set()

AsyncAttempt = Callable[[float, str], Coroutine[Any, Any, Answer]]
"""One try of a call: (seconds, request id) to its answer."""

AsyncStream = AsyncGenerator[Answer, None]
"""Answers one after the other; closing it ends what makes them."""


async def sleep(seconds: float) -> None:
    """Wait."""
    await asyncio.sleep(seconds)


async def finished(function: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run it to its end, even where the caller is cancelled meanwhile."""
    task = asyncio.get_running_loop().create_task(function())
    # The loop itself keeps no reference to its tasks.
    _UNFINISHED.add(task)
    task.add_done_callback(_UNFINISHED.discard)
    await asyncio.shield(task)


async def run_blocking(function: Callable[[], Answer]) -> Answer:
    """Run what reads files or computes, off the event loop."""
    return await asyncio.to_thread(function)


def blocking(items: AsyncIterator[Item] | Iterable[Item]) -> Iterator[Item]:
    """The items for another thread, one at a time; those of an asynchronous iterator are made in the loop that runs now."""
    if not isinstance(items, AsyncIterator):
        return iter(items)
    loop = asyncio.get_running_loop()

    async def following() -> list[Item]:
        # Not anext's own StopAsyncIteration: a future cannot carry it.
        async for item in items:
            return [item]
        return []

    def pulled() -> Iterator[Item]:
        while found := asyncio.run_coroutine_threadsafe(following(), loop).result():
            yield from found

    return pulled()


class AsyncSignal:
    """Set once; can be waited for with a limit."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """Wake all who wait."""
        self._event.set()

    async def wait(self, seconds: float) -> bool:
        """Whether it was set within `seconds`."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return False
        return True


class AsyncBackground:
    """A function that runs beside its caller; it must not raise."""

    def __init__(self, function: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        self._task = asyncio.get_running_loop().create_task(function(), name=name)

    async def join(self) -> None:
        """Wait for its end."""
        await self._task
