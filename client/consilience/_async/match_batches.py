"""Matches that overlap in time, sent together. Written by hand; its twin `_sync/match_batches.py` sends each alone."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from consilience._numbers import FOR_EVER
from consilience._numbers import seconds as above_zero
from consilience._results.match_result import MatchResult
from consilience.errors import InvalidArgumentError, Timeout
from consilience.v1 import match_pb2

Lift = Callable[[], None]
Send = Callable[[match_pb2.MatchRequest, float | None, Lift], Coroutine[Any, Any, MatchResult]]
"""One request to its result; the last argument is called where the answer is an operation, which only a deadline that was named ends."""

_SMALL = 32
"""Queries up to which a call travels with others: more fill a scan by themselves."""

_ON_THE_WAY = 2
"""Batches of a lane at a time: one is searched while the answers of the other are read."""


@dataclass(eq=False)
class _Asked:
    """One call, and where its answer goes."""

    request: match_pb2.MatchRequest
    deadline: float
    limit: asyncio.Timeout
    answer: asyncio.Future[MatchResult] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def queries(self) -> int:
        return int(self.request.vectors.rows)


@dataclass(eq=False)
class _Lane:
    """Calls that differ in nothing but their vectors."""

    timeout: float | None
    most: int
    waiting: list[_Asked] = field(default_factory=list)
    under_way: set[asyncio.Task[None]] = field(default_factory=set)
    queries_under_way: int = 0


class AsyncMatchBatches:
    """Sends calls of `match` together: a request of fifty queries costs both sides little more than a request of one.

    A call goes at once while fewer than two requests of its kind are on the way; those that come meanwhile go together as soon as one
    returns. Only small calls by vectors that differ in nothing but these share a request, and each gets its own rows: no answer depends
    on it. A refusal that is one call's fault reaches that call alone, for those of a refused batch are sent again one by one; a batch
    whose callers have all left is cancelled. Must be used from one event loop.

    Args:
        send: one request to its result.
        seconds: the deadline of a call that names none.
    """

    def __init__(self, send: Send, seconds: float) -> None:
        self._send = send
        self._seconds = seconds
        self._lanes: dict[tuple[bytes, float | None], _Lane] = {}

    async def match(self, request: match_pb2.MatchRequest, timeout: float | None, most: int) -> MatchResult:
        """The result of this request, in a batch of at most `most` queries.

        Raises:
            ConsilienceError: as the call alone.
        """
        timeout = None if timeout is None else min(above_zero(timeout), FOR_EVER)
        if not 0 < request.vectors.rows <= min(_SMALL, most - 1):
            return await self._send(request, timeout, _nothing)
        key = (_kind(request), timeout)
        lane = self._lanes.setdefault(key, _Lane(timeout, most))
        seconds = min(self._seconds, FOR_EVER) if timeout is None else timeout
        deadline = time.monotonic() + seconds
        try:
            async with asyncio.timeout(seconds) as limit:
                own = _Asked(request, deadline, limit)
                lane.waiting.append(own)
                if len(lane.under_way) < _ON_THE_WAY:
                    self._go(key, lane)
                return await own.answer
        except TimeoutError:
            raise Timeout("the deadline passed before the server answered; give the call more time", reason="DEADLINE_EXCEEDED") from None
        except _AskAgainError:
            return await self._send(request, None if timeout is None else max(deadline - time.monotonic(), 0.001), _nothing)

    def _go(self, key: tuple[bytes, float | None], lane: _Lane) -> None:
        """Send the next batch: half of those who wait and are on the way, so that two batches in turn keep both sides busy."""
        lane.waiting = [one for one in lane.waiting if not one.answer.done()]
        if not lane.waiting:
            if not lane.under_way:
                self._lanes.pop(key, None)
            return
        queries = sum(one.queries for one in lane.waiting)
        share = min(lane.most, -(-(queries + lane.queries_under_way) // _ON_THE_WAY))
        batch, taken = [lane.waiting[0]], lane.waiting[0].queries
        for one in lane.waiting[1:]:
            if taken + one.queries > share:
                break
            batch.append(one)
            taken += one.queries
        del lane.waiting[: len(batch)]
        lane.queries_under_way += taken
        task = asyncio.get_running_loop().create_task(self._answer(lane, batch), name="matches sent together")
        lane.under_way.add(task)

        def ended(_: object) -> None:
            lane.under_way.discard(task)
            lane.queries_under_way -= taken
            self._go(key, lane)

        def left(_: object) -> None:
            if all(one.answer.done() for one in batch):
                task.cancel()

        task.add_done_callback(ended)
        for one in batch:
            one.answer.add_done_callback(left)

    async def _answer(self, lane: _Lane, batch: list[_Asked]) -> None:
        """One request for all of the batch; its failure reaches all of it."""

        def lift() -> None:
            for one in batch if lane.timeout is None else ():
                # One whose time is over in this very moment keeps its end.
                with contextlib.suppress(RuntimeError):
                    one.limit.reschedule(None)

        remaining = None if lane.timeout is None else max(max(one.deadline for one in batch) - time.monotonic(), 0.001)
        try:
            found = await self._send(_joined(batch), remaining, lift)
        except InvalidArgumentError as error:
            for one in batch:
                _fail(one, error if len(batch) == 1 else _AskAgainError())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer to all of them
            for one in batch:
                _fail(one, error)
        else:
            start = 0
            for one in batch:
                if not one.answer.done():
                    one.answer.set_result(found if len(batch) == 1 else found.rows(start, start + one.queries))
                start += one.queries


class _AskAgainError(Exception):
    """The batch was refused for what one of its calls asked."""


def _nothing() -> None:
    """No deadline to lift."""


def _kind(request: match_pb2.MatchRequest) -> bytes:
    """What is asked, without the vectors: equal for calls that may share a request."""
    kind = match_pb2.MatchRequest()
    kind.CopyFrom(request)
    kind.vectors.data = b""
    kind.vectors.rows = 0
    return kind.SerializeToString(deterministic=True)


def _joined(batch: list[_Asked]) -> match_pb2.MatchRequest:
    """The batch as one request: vectors are row-major, so bytes after bytes are rows after rows."""
    if len(batch) == 1:
        return batch[0].request
    whole = match_pb2.MatchRequest()
    whole.CopyFrom(batch[0].request)
    whole.vectors.data = b"".join(one.request.vectors.data for one in batch)
    whole.vectors.rows = sum(one.queries for one in batch)
    return whole


def _fail(one: _Asked, error: Exception) -> None:
    if not one.answer.done():
        one.answer.set_exception(error)
        # Marks it as seen: its caller may leave in this very moment.
        one.answer.exception()
