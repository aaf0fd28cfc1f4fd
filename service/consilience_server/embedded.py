"""A server in a private thread of this process, with an event loop of its own, on a unix socket that only this user can reach."""

import asyncio
import logging
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Awaitable, Callable
from pathlib import Path

from consilience_server.core.errors import DomainError
from consilience_server.rpc.errors import StatusError
from consilience_server.server import Server

_LOG = logging.getLogger(__name__)
_DRAIN_SECONDS = 5.0
_JOIN_SECONDS = 30.0
_OPEN: "weakref.WeakSet[EmbeddedServer]" = weakref.WeakSet()
_EXITING = threading.Event()


class EmbeddedServer:
    """Started when made; `close` ends it, and so does the end of the process.

    Args:
        build: makes the server for a target; runs in the private loop.

    Attributes:
        target: the gRPC target, `unix:/...`.
        pid: the process it belongs to: a forked child has neither its thread nor its lease.

    Raises:
        StatusError: whatever kept it from starting, in the shape of a failed call.
    """

    def __init__(self, build: Callable[[str], Awaitable[Server]]) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="consilience-"))  # 0700 by definition
        self.target = f"unix:{self._folder / 's'}"
        self.pid = os.getpid()
        self._build = build
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="consilience-embedded", daemon=True)
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            self._thread.join()
            shutil.rmtree(self._folder, ignore_errors=True)
            if isinstance(self._failure, DomainError):
                raise StatusError(self._failure) from None
            raise self._failure
        _OPEN.add(self)

    def _run(self) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.get_loop().set_exception_handler(_ignore_shared_poller)
                runner.run(self._serve())
        except RuntimeError:
            # A process that ends has no threads to give any more: what is left undone, the next opener of the store does as after a crash.
            if not _EXITING.is_set():
                raise

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            server = await self._build(self.target)
            await server.start()
        except BaseException as failure:  # noqa: BLE001 - it is raised in the thread that asked
            self._failure = failure
            return
        finally:
            self._started.set()
        await self._stop.wait()
        await server.stop(_DRAIN_SECONDS)

    def close(self) -> None:
        """Finish running calls, give back the writer's lease, remove the socket. Safe to repeat; does nothing in a forked child."""
        if os.getpid() != self.pid:
            return
        _OPEN.discard(self)
        if self._thread.is_alive() and self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(_JOIN_SECONDS)
        shutil.rmtree(self._folder, ignore_errors=True)


def _close_all() -> None:
    """What nobody closed: cancels its work, which the end of the process would else wait for."""
    _EXITING.set()
    for server in tuple(_OPEN):
        server.close()


# Unlike atexit's, these callbacks run before the interpreter waits for the threads of executors, and the latest first.
threading._register_atexit(_close_all)  # type: ignore[attr-defined]  # noqa: SLF001 - it has no public name


def _ignore_shared_poller(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """All grpc.aio loops of a process share one wake-up pipe; a loop that comes second finds it empty, which is harmless."""
    if isinstance(context.get("exception"), BlockingIOError) and "PollerCompletionQueue" in str(context.get("handle")):
        return
    loop.default_exception_handler(context)
