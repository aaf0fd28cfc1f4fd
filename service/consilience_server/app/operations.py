"""Work that outlasts its call: started, watched, cancelled, and never lost with the process."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from consilience_server.app.call import Call
from consilience_server.app.pages import decode_token, encode_token, page_size
from consilience_server.app.ports import Metrics, OperationRecord, OperationState, OperationStore
from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled, DomainError, InvalidArgument, ServerRestarted

_LOG = logging.getLogger(__name__)
_PROGRESS_SECONDS = 1.0
"""Progress is written to the store at most this often."""


@dataclass
class _Running:
    control: Control
    task: asyncio.Task[None]
    progress: float = 0.0
    is_ending: bool = False


class Operations:
    """Runs coroutines as operations. At start-up what ran when the process died becomes ABORTED. Must be used from one event loop."""

    def __init__(self, store: OperationStore, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        self._running: dict[str, _Running] = {}
        self._closing = False
        # Ends that the store did not take: told from here while the process lives.
        self._unwritten: dict[str, OperationRecord] = {}
        self._starting = asyncio.Lock()

    async def resume(self) -> int:
        """Called once at start-up: what ran when the process died ends `aborted` (SERVER_RESTARTED); returns how many."""
        return await asyncio.to_thread(self._store.abort_running)

    async def start(self, kind: str, request_id: str, request: bytes, run: Callable[[Call], Awaitable[bytes]]) -> OperationRecord:
        """Begin work and return at once.

        Args:
            kind: the use case, from a closed set; becomes part of the name and a label.
            request_id: the same id again answers the operation that it started; empty never matches.
            request: the encoded request, kept beside the answer.
            run: gives the encoded response; its Call has no deadline and carries the operation's cancellation.
        """
        starting = asyncio.ensure_future(self._start_alone(kind, request_id, request, run))
        try:
            # Shielded: a record without its work would stay "running" for ever.
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            starting.add_done_callback(self._left if not request_id else _seen)
            raise

    def _left(self, starting: "asyncio.Task[OperationRecord]") -> None:
        """Nobody knows of what was started: stop it."""
        if _seen(starting) and (running := self._running.get(starting.result().name)) is not None:
            self._stop(running)

    async def _start_alone(self, kind: str, request_id: str, request: bytes, run: Callable[[Call], Awaitable[bytes]]) -> OperationRecord:
        # One at a time: a retry may come before the first call has left its trace.
        async with self._starting:
            return await self._start(kind, request_id, request, run)

    async def _start(self, kind: str, request_id: str, request: bytes, run: Callable[[Call], Awaitable[bytes]]) -> OperationRecord:
        if request_id:
            earlier = await asyncio.to_thread(self._store.find_request, kind, request_id)
            if earlier is not None:
                record = await self.get(earlier)
                if record.request != request:
                    raise InvalidArgument(f"request_id {request_id!r} was used for another request; choose a new one", field="request_id")
                return record
        now = datetime.now(UTC)
        record = OperationRecord(f"operations/{kind}-{secrets.token_hex(8)}", kind, "running", 0.0, now, now, request=request)
        await asyncio.to_thread(self._store.put, record)
        if request_id:
            await asyncio.to_thread(self._store.bind_request, kind, request_id, record.name)
        control = Control(lambda fraction: self._progressed(record.name, fraction))
        call = Call(operation=kind, request_id=request_id, control=control)
        self._metrics.operations(kind, "running", 1)
        task = asyncio.create_task(self._run(record, call, run), name=record.name)
        self._running[record.name] = _Running(control, task)
        # A task cancelled before its first step would never record its end.
        await asyncio.sleep(0)
        return record

    def _progressed(self, name: str, fraction: float) -> None:
        running = self._running.get(name)
        if running is not None:
            running.progress = max(running.progress, min(fraction, 1.0))

    async def _run(self, record: OperationRecord, call: Call, run: Callable[[Call], Awaitable[bytes]]) -> None:
        ended = asyncio.Event()
        writer = asyncio.create_task(self._write_progress(record, ended))
        state: OperationState = "done"
        response, error = b"", None
        try:
            response = await run(call)
        except (Cancelled, asyncio.CancelledError):
            if self._closing:
                state, error = "aborted", (ServerRestarted.reason, "the server stopped while the operation ran; ask again")
            else:
                state, error = "cancelled", (Cancelled.reason, "the operation was cancelled")
        except DomainError as refusal:
            state, error = "failed", (refusal.reason, refusal.message)
        except Exception:  # noqa: BLE001 - whatever it was, the operation must end in a state that its caller can read
            error_id = secrets.token_hex(6)
            _LOG.exception("operation %s failed, error id %s", record.name, error_id)
            state, error = "failed", ("INTERNAL", f"unexpected failure; the server's log has it under error id {error_id}")
        finally:
            self._running[record.name].is_ending = True
            # Not cancelled: a write under way in its thread would go on, and might land after that of the end.
            ended.set()
            await writer
        progress = 1.0 if state == "done" else self._running[record.name].progress
        outcome = replace(record, state=state, progress=progress, update_time=datetime.now(UTC), response=response, error=error)
        try:
            await asyncio.to_thread(self._store.put, outcome)
        except Exception:  # noqa: BLE001 - whoever waits must hear of the end all the same
            _LOG.exception("the end of operation %s could not be kept; after a restart it will be aborted", record.name)
            self._unwritten[record.name] = outcome
        self._metrics.operations(record.kind, "running", -1)
        self._metrics.operations(record.kind, state, 1)
        del self._running[record.name]

    async def _write_progress(self, record: OperationRecord, ended: asyncio.Event) -> None:
        written = 0.0
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PROGRESS_SECONDS):
                    await ended.wait()
            progress = self._running[record.name].progress
            if progress != written and not ended.is_set():
                try:
                    await asyncio.to_thread(self._store.put, replace(record, progress=progress, update_time=datetime.now(UTC)))
                except Exception:  # noqa: BLE001 - progress is a convenience: what it tells of must not die with it
                    _LOG.warning("the progress of operation %s could not be kept", record.name, exc_info=True)
                written = progress

    async def get(self, name: str) -> OperationRecord:
        """One operation, its progress of this moment; OperationNotFound."""
        record = self._unwritten[name] if name in self._unwritten else await asyncio.to_thread(self._store.get, name)
        running = self._running.get(name)
        return replace(record, progress=running.progress) if running is not None and record.state == "running" else record

    async def list(self, size: int, token: str) -> tuple[Sequence[OperationRecord], str]:
        """A page of operations by name, and the next token (empty at the end)."""
        count = page_size(size, 100, 1000)
        after = decode_token("operations", "", token)
        records = await asyncio.to_thread(self._store.list, after, count + 1)
        more = len(records) > count
        return records[:count], encode_token("operations", "", records[count - 1].name) if more else ""

    async def wait(self, name: str, seconds: float) -> OperationRecord:
        """The operation once it has ended, or as it stands after `seconds`."""
        running = self._running.get(name)
        if running is not None:
            await asyncio.wait([running.task], timeout=seconds)
        return await self.get(name)

    async def cancel(self, name: str) -> None:
        """Ask it to stop; no effect on one that has ended. OperationNotFound."""
        running = self._running.get(name)
        if running is None:
            await self.get(name)
        else:
            self._stop(running)

    @staticmethod
    def _stop(running: _Running) -> None:
        # Only once, and not at its end: a cancellation could interrupt the recording of it.
        if not running.control.is_cancelled and not running.is_ending:
            running.control.cancel()
            running.task.cancel()

    async def delete(self, name: str) -> None:
        """Cancel it where it runs, wait for its end, forget it. OperationNotFound."""
        await self.cancel(name)
        await self.wait(name, 60.0)
        await asyncio.to_thread(self._store.delete, name)
        self._unwritten.pop(name, None)

    async def close(self) -> None:
        """Stop what runs; it ends `aborted`, as what a crash cuts off does."""
        self._closing = True
        tasks = [running.task for running in self._running.values()]
        for running in self._running.values():
            self._stop(running)
        if tasks:
            await asyncio.wait(tasks)


def _seen(starting: "asyncio.Task[OperationRecord]") -> bool:
    """Whether an operation was started and still runs; its failure, if any, is marked as seen."""
    return not starting.cancelled() and starting.exception() is None and starting.result().state == "running"
