"""A server as it runs: its readiness, its background work, its orderly end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import grpc

from consilience_server.rpc.health import Health
from consilience_server.rpc.interceptors import EdgeInterceptor

_LOG = logging.getLogger(__name__)


@dataclass
class Readiness:
    """What must hold before requests are taken. Redis is never part of it: without it answers only cost more."""

    conditions: dict[str, bool] = field(default_factory=lambda: {"store": False, "engine": False, "grpc": False})
    draining: bool = False

    def started(self) -> Mapping[str, bool]:
        """The conditions of having started."""
        return dict(self.conditions)

    def ready(self) -> Mapping[str, bool]:
        """The conditions of taking requests."""
        return {**self.conditions, "not draining": not self.draining}

    @property
    def is_ready(self) -> bool:
        """Whether all hold."""
        return all(self.ready().values())


@dataclass(frozen=True)
class BackgroundTask:
    """Work repeated while the server runs; a failure is logged and the next round tried all the same."""

    name: str
    interval_seconds: float
    work: Callable[[], Awaitable[None]]

    async def run(self) -> None:
        """For ever; the first round at once, so that gauges stand as soon as the server is ready."""
        while True:
            try:
                await self.work()
            except Exception:  # noqa: BLE001 - background work must survive whatever one round met
                _LOG.exception("%s failed; the next round is in %s s", self.name, self.interval_seconds)
            await asyncio.sleep(self.interval_seconds)


class Server:
    """Everything wired; made by `bootstrap.build`.

    Args:
        rpc: the gRPC server, bound, not yet started.
        target: where it listens.
        health: follows readiness.
        edge: refuses new calls while draining.
        readiness: shared with the HTTP endpoints.
        background: started with the server.
        resources: closes everything else, in the reverse order of its opening.
    """

    def __init__(
        self,
        rpc: grpc.aio.Server,
        target: str,
        health: Health,
        edge: EdgeInterceptor,
        readiness: Readiness,
        background: Sequence[BackgroundTask],
        resources: AsyncExitStack,
    ) -> None:
        self._rpc = rpc
        self.target = target
        self._health = health
        self._edge = edge
        self._readiness = readiness
        self._background = background
        self._resources = resources
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Take requests."""
        await self._rpc.start()
        self._readiness.conditions["grpc"] = True
        watch = BackgroundTask("following readiness", 1.0, self._follow)
        self._tasks = [asyncio.create_task(task.run(), name=task.name) for task in (*self._background, watch)]
        await self._follow()

    async def _follow(self) -> None:
        await self._health.follow(ready=self._readiness.is_ready)

    async def stop(self, drain_seconds: float) -> None:
        """Not ready; refuse new calls; give running ones `drain_seconds`; then close everything. Safe to repeat."""
        if self._readiness.draining:
            return
        self._readiness.draining = True
        await self._health.leave()
        self._edge.drain()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._edge.calls:
            _LOG.info("waiting for %d calls in progress, %.0f s at most", self._edge.calls, drain_seconds)
        await self._rpc.stop(drain_seconds)
        await self._resources.aclose()
