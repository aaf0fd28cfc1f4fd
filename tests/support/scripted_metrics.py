"""A registry that reports what a busy server would, served over HTTP: for tests of dashboards and rules without a server."""

import asyncio
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from consilience_server.adapters.http_endpoints import HttpEndpoints
from consilience_server.adapters.prometheus_metrics import PrometheusMetrics
from consilience_server.adapters.prometheus_rpc_metrics import PrometheusRpcMetrics

TICK_SECONDS = 0.05


class ScriptedServer:
    """Reports one round of every kind of event a tick, from a thread with an event loop of its own."""

    def __init__(self) -> None:
        self.metrics = PrometheusMetrics("0.0.0")
        self.metrics.engine(backend="faiss-cpu", blas_kernel="SkylakeX", device="cpu")
        self.metrics.ready_when(lambda: True)
        self._rpc = PrometheusRpcMetrics(self.metrics.registry)
        self._draw = random.Random(0)
        self._stop = threading.Event()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.port = 0
        self._thread.start()
        assert self._listening.wait(10)

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def _run(self) -> None:
        endpoints = HttpEndpoints(self.metrics.exposition, dict, dict)
        self.port = await endpoints.start("127.0.0.1", 0)
        self._listening.set()
        while not self._stop.is_set():
            self._tick()
            await asyncio.sleep(TICK_SECONDS)
        await endpoints.close()

    def _tick(self) -> None:
        metrics, draw = self.metrics, self._draw
        for method, operation in (("Align", "align"), ("Match", "match"), ("GetSpace", "get_space")):
            labels = ("unary", "consilience.v1.AlignmentService", method)
            self._rpc.started(*labels)
            self._rpc.received(*labels)
            self._rpc.sent(*labels)
            self._rpc.handled(*labels, draw.choice(("OK", "OK", "InvalidArgument", "Internal")), draw.expovariate(50))
            for stage in ("queue", "load", "scan", "rerank", "statistics", "cache", "encode"):
                metrics.stage(stage, operation, draw.expovariate(100))
        for tier, outcome in (
            ("memory", "hit"),
            ("memory", "miss"),
            ("memory", "joined"),
            ("redis", "hit"),
            ("redis", "miss"),
            ("redis", "error"),
        ):
            metrics.cache(tier, outcome)
        metrics.batch("faiss-cpu", draw.randrange(1, 64))
        metrics.rows("faiss-cpu", 100, 3)
        metrics.rejected("overloaded")
        metrics.store(spaces=2, versions=9, size=123_456)
        for kind, value in (("snapshots", 10), ("tables", 20), ("requests", 5), ("cache", 7), ("budget", 100)):
            metrics.memory(kind, value << 20)
        metrics.operations("align", "running", 1)
        metrics.operations("align", "running", -1)
        metrics.operations("align", "done", 1)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(10)


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    """The scripted registry for the length of a block."""
    server = ScriptedServer()
    try:
        yield server
    finally:
        server.close()
