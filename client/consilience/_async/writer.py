"""A stream of small batches, published every few seconds."""

import time
from types import TracebackType
from typing import Any, Protocol, Self

from consilience._async.concurrency import AsyncBackground, AsyncLock, AsyncSignal
from consilience._batches import ArraySource, Block, RowSource, to_block
from consilience._names import new_request_id
from consilience._progress import Progress
from consilience._results.space import UpsertResult
from consilience._write_buffer import WriteBuffer
from consilience.errors import ConsilienceError, FailedPreconditionError


class AsyncSend(Protocol):
    """Sends one upload."""

    async def __call__(
        self, space: str, source: RowSource, request_id: str | None, timeout: float | None, progress: Progress
    ) -> UpsertResult:
        """As `AsyncUploadCalls` has it."""
        ...


class AsyncWriter:
    """Collects batches and publishes them as versions; made by `client.writer(space)`, used in a `with` block.

    What was appended is visible at most `publish_seconds` and one upload later, and when the block ends; `append` waits while an upload
    runs. An item appended again before it is published replaces itself. A publication that fails is retried as every upload is; if it
    fails for good, its rows stay in the writer and the error is raised by the next `append`, `flush` or the end of the block.

    Args:
        send: sends one upload.
        space: `spaces/{space}`.
        publish_seconds: how long rows wait at most before they are published.
        publish_rows: rows that are published at once, without waiting.
    """

    def __init__(self, send: AsyncSend, space: str, publish_seconds: float, publish_rows: int) -> None:
        self._send = send
        self._space = space
        self._publish_seconds = publish_seconds
        self._publish_rows = publish_rows
        self._buffer = WriteBuffer()
        self._sending: tuple[Block, str] | None = None
        self._lock = AsyncLock()
        self._closing = AsyncSignal()
        self._background: AsyncBackground | None = None
        self._error: ConsilienceError | None = None
        self._published: list[UpsertResult] = []
        self._is_closed = False

    @property
    def published(self) -> tuple[UpsertResult, ...]:
        """One result a version published so far."""
        return tuple(self._published)

    @property
    def pending(self) -> int:
        """Rows appended and not published yet."""
        return len(self._buffer) + (len(self._sending[0]) if self._sending else 0)

    async def append(self, ids: Any, vectors: Any, attributes: Any = None) -> None:
        """Take a batch, as `upsert` does; it is copied, so that its arrays can be used again.

        Raises:
            InvalidArgumentError: the batch is malformed, or of another width than the ones before.
            ConsilienceError: an earlier publication failed; this batch was not taken.
            FailedPreconditionError: outside the `with` block.
        """
        if self._background is None or self._is_closed:
            raise FailedPreconditionError("this writer is not open: use it in `with client.writer(space) as writer:`")
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        block = to_block(ids, vectors, attributes)
        async with self._lock:
            self._buffer.add(block, time.monotonic())
            if len(self._buffer) >= self._publish_rows:
                await self._publish()

    async def flush(self) -> None:
        """Publish what is pending now; what an earlier publication failed with is tried again."""
        async with self._lock:
            self._error = None
            await self._publish()

    async def discard(self) -> list[str]:
        """Give up what is pending, say after the server refused it; returns the ids."""
        async with self._lock:
            waiting = [] if self._buffer.is_empty else [self._buffer.take()]
            given_up = [self._sending[0], *waiting] if self._sending else waiting
            self._sending, self._error = None, None
            return [item for block in given_up for item in block.ids]

    async def __aenter__(self) -> Self:
        if self._background is not None:
            raise FailedPreconditionError("a writer is used once; make another with client.writer(space)")
        self._background = AsyncBackground(self._publish_regularly, "consilience-writer")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._closing.set()
        if self._background is not None:
            await self._background.join()
        self._is_closed = True
        if kind is None or issubclass(kind, Exception):
            await self.flush()

    async def _publish_regularly(self) -> None:
        while not await self._closing.wait(self._next_wait()):
            if self._error is None and self._next_wait() <= 0:
                async with self._lock:
                    try:
                        await self._publish()
                    except ConsilienceError as error:
                        self._error = error

    def _next_wait(self) -> float:
        waited = self._buffer.age(time.monotonic())
        return self._publish_seconds if self._error is not None or waited is None else max(0.0, self._publish_seconds - waited)

    async def _publish(self) -> None:
        """Upload what is pending. One that failed keeps its rows and its request id, so that nothing is published twice."""
        while self._sending is not None or not self._buffer.is_empty:
            if self._sending is None:
                self._sending = (self._buffer.take(), new_request_id())
            block, request_id = self._sending
            self._published.append(await self._send(self._space, ArraySource(block), request_id, None, progress=False))
            self._sending = None
