"""Small queries that arrive together are searched together: a scan of a gallery costs little more for fifty queries than for one.

A lane holds what may share a scan: the same gallery and term, the same depth. An idle lane starts at once. While it scans, what arrives
waits; the next batch takes all of it, up to a limit, after a pause of a millisecond or so if the last one was shared (its callers are about
to ask again). Answers are those of each query alone, to the bit: a table's first columns do not depend on its depth, nor a row on others.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.correction import NO_CORRECTION, Correction
from consilience_server.app.gallery_search import Found, Search, find, find_bytes
from consilience_server.app.ports import Metrics
from consilience_server.core.errors import DeadlineExceeded
from consilience_server.core.similarity import Similarity
from consilience_server.engine.protocol import NeighbourEngine

_DEPTHS = (16, 64, 256, 1024, 2048)
"""A query asks to the next of these depths, so that different k share a scan, and a small k never waits for a huge one."""

_SMALL = 32
"""Queries of one request up to which it joins a batch: more fill a scan by themselves."""

_Key = tuple[int, int, Correction, Similarity, bool, int]


@dataclass(eq=False)
class _Waiting:
    """One request of a batch, and where its answer goes."""

    call: Call
    search: Search
    k: int
    answer: asyncio.Future[Found]
    queued: float = field(default_factory=time.perf_counter)


@dataclass(eq=False)
class _Lane:
    """Requests that may share a scan. Holds the arrays whose identities name it."""

    key: _Key
    search: Search
    depth: int
    waiting: list[_Waiting] = field(default_factory=list)
    full: asyncio.Event = field(default_factory=asyncio.Event)
    runner: asyncio.Task[None] | None = None

    @property
    def queries(self) -> int:
        return sum(len(one.search.queries) for one in self.waiting)


class QueryBatches:
    """Searches for many callers at a time. Must be used from one event loop.

    Args:
        pool: where the scans run.
        engine: finds neighbours.
        metrics: hears the size of each batch.
        limit: queries of a batch at most; 1 switches batching off.
        pause_seconds: how long a lane gathers between batches.
    """

    def __init__(
        self, pool: ComputePool, engine: NeighbourEngine, metrics: Metrics, *, limit: int = 256, pause_seconds: float = 0.001
    ) -> None:
        self._pool = pool
        self._engine = engine
        self._metrics = metrics
        self._limit = limit
        self._pause = pause_seconds
        self._lanes: dict[_Key, _Lane] = {}

    async def find(self, call: Call, search: Search, k: int) -> Found:
        """As `gallery_search.find`.

        The certificate of a batch is shared out: rows that it had to refine count for each request that may have had them, exact scores go
        by the share of queries.

        Raises:
            DeadlineExceeded, Cancelled: of this caller; the others of its batch go on, and a batch that nobody waits for is stopped.
            MemoryBudget, Overloaded: the batch is refused.
        """
        if self._limit <= 1 or len(search.queries) > min(_SMALL, self._limit):
            return await self._scan(call, search, k)
        call.control.check()
        lane = self._lane(search, k)
        own = _Waiting(call, search, k, asyncio.get_running_loop().create_future())
        lane.waiting.append(own)
        if lane.queries >= self._limit:
            lane.full.set()
        if lane.runner is None:
            lane.runner = asyncio.create_task(self._run(lane), name="batches of match")
        try:
            async with asyncio.timeout(call.remaining()):
                return await own.answer
        except TimeoutError:
            raise DeadlineExceeded(f"the deadline of this {call.operation} passed while it was computed; give it more time") from None

    def _lane(self, search: Search, k: int) -> _Lane:
        depth = min(next((depth for depth in _DEPTHS if depth >= k), k), search.candidates)
        bias, correction = (None, NO_CORRECTION) if search.terms is None else (search.terms.bias, search.terms.correction)
        key = (id(search.gallery), id(bias), correction, search.similarity, search.exclude is None, depth)
        if key not in self._lanes:
            self._lanes[key] = _Lane(key, search, depth)
        return self._lanes[key]

    async def _run(self, lane: _Lane) -> None:
        """Batch after batch, until nobody waits."""
        try:
            while batch := self._take(lane):
                await self._answer(lane, batch)
                if len(batch) > 1 and lane.queries < self._limit:
                    lane.full.clear()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(self._pause):
                            await lane.full.wait()
        finally:
            lane.runner = None
            del self._lanes[lane.key]
            for left in lane.waiting:
                left.answer.cancel()

    def _take(self, lane: _Lane) -> list[_Waiting]:
        """The next batch: first come, first served."""
        lane.waiting = [one for one in lane.waiting if not one.answer.done()]
        batch: list[_Waiting] = []
        queries = 0
        for one in lane.waiting:
            queries += len(one.search.queries)
            if batch and queries > self._limit:
                break
            batch.append(one)
        del lane.waiting[: len(batch)]
        return batch

    async def _answer(self, lane: _Lane, batch: Sequence[_Waiting]) -> None:
        """Search for all of the batch; a failure reaches all of it."""
        call = Call(operation="match", request_id="")

        def left(_: asyncio.Future[Found]) -> None:
            if all(one.answer.done() for one in batch):
                call.control.cancel()

        begun = time.perf_counter()
        for one in batch:
            one.answer.add_done_callback(left)
            one.call.spent("queue", begun - one.queued)
            self._metrics.stage("queue", call.operation, begun - one.queued)
        try:
            found = await self._scan(call, _joined(lane.search, batch), lane.depth)
            start = 0
            for one in batch:
                stop = start + len(one.search.queries)
                one.call.spent("scan", time.perf_counter() - begun)
                if not one.answer.done():
                    one.answer.set_result(_share(found, slice(start, stop), one.k))
                start = stop
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer to all of them
            for one in batch:
                if not one.answer.done():
                    one.answer.set_exception(error)
                    # Marks it as seen: its caller may leave in this very moment.
                    one.answer.exception()
        finally:
            for one in batch:
                one.answer.cancel()

    async def _scan(self, call: Call, search: Search, k: int) -> Found:
        return await self._pool.run(
            call,
            "scan",
            lambda: find(search, k, self._engine, self._metrics, call.control),
            nbytes=find_bytes(search, k, self._engine),
        )


def _joined(lane: Search, batch: Sequence[_Waiting]) -> Search:
    if len(batch) == 1:
        return batch[0].search
    queries = np.concatenate([one.search.queries for one in batch])
    excludes = [one.search.exclude for one in batch if one.search.exclude is not None]
    return replace(lane, queries=queries, exclude=np.concatenate(excludes) if excludes else None)


def _share(found: Found, rows: slice, k: int) -> Found:
    """What one request gets: its rows, its k best."""
    certificate = found.certificate
    if certificate is not None:
        own, whole = rows.stop - rows.start, len(found.rows)
        refined = min(own, certificate.refined_rows)
        dots = certificate.exact_dots * own // whole
        certificate = replace(certificate, certified_rows=own - refined, refined_rows=refined, exact_dots=dots)
    best = (rows, slice(0, k))
    return Found(found.rows[best], found.similarities[best], found.scores[best], certificate)
