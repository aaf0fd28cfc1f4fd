"""Work that was begun for a call and may go on as an operation."""

import asyncio
from collections.abc import Awaitable, Callable

from consilience_server.app.call import Call
from consilience_server.core.control import Control

_POLL_SECONDS = 0.25
"""How often the operation looks at its Control, which threads may cancel and which wakes nobody."""


class BegunWork:
    """One piece of work in a task of its own, with a Call of its own that has no deadline. Must be used from one event loop.

    Its progress goes to whoever waits for it: first the caller, then the operation.

    Args:
        caller: for whom it is begun.
        work: computes the encoded response for the Call it is given.
    """

    def __init__(self, caller: Call, work: Callable[[Call], Awaitable[bytes]]) -> None:
        self._caller = caller
        self._waiting = caller
        self.is_followed = False
        self._own = Call(caller.operation, caller.request_id, control=Control(self._progress))
        self._task = asyncio.ensure_future(work(self._own))

    def _progress(self, fraction: float) -> None:
        self._waiting.control.progress(fraction)

    async def within(self, seconds: float) -> bytes | None:
        """The response where it is there within `seconds`, else None; a caller that leaves takes the work with it."""
        try:
            done = await self._until(self._caller, seconds)
        except BaseException:
            self.stop()
            raise
        if not done:
            return None
        for stage, spent in self._own.timings.items():
            self._caller.spent(stage, spent)
        self._caller.cache_tier = self._own.cache_tier
        return self._task.result()

    async def follow(self, call: Call) -> bytes:
        """The response, whenever it is there: the work of the operation that took over. Its cancellation is the work's."""
        self._waiting = call
        self.is_followed = True
        try:
            await self._until(call, None)
        except BaseException:
            self.stop()
            raise
        return self._task.result()

    async def _until(self, call: Call, seconds: float | None) -> bool:
        """Whether the work ended within `seconds`; Cancelled where the call's Control was cancelled meanwhile."""
        loop = asyncio.get_running_loop()
        end = None if seconds is None else loop.time() + seconds
        while not self._task.done():
            call.control.check()
            left = _POLL_SECONDS if end is None else min(_POLL_SECONDS, end - loop.time())
            if left <= 0:
                return False
            await asyncio.wait([self._task], timeout=left)
        return True

    def stop(self) -> None:
        """Cancel it: nobody waits for it."""
        self._own.control.cancel()
        self._task.cancel()
        # Marks its end as seen.
        self._task.add_done_callback(lambda task: task.cancelled() or task.exception())
