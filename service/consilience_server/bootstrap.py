"""Settings in, a server out; `use_cases.py` joins what it serves."""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, cast

import grpc
import numpy as np
from numpy.typing import NDArray

from consilience.v1 import alignment_pb2
from consilience_server.adapters.http_endpoints import HttpEndpoints
from consilience_server.adapters.prometheus_metrics import PrometheusMetrics
from consilience_server.adapters.prometheus_rpc_metrics import PrometheusRpcMetrics
from consilience_server.adapters.prometheus_watch_gauges import PrometheusWatchGauges
from consilience_server.app.alignment import Alignment
from consilience_server.app.alignment_spec import AlignmentLimits
from consilience_server.app.call import Call
from consilience_server.app.memory_budget import Account
from consilience_server.app.memory_cache import MemoryCache
from consilience_server.app.result_cache import ResultCache
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.tables import Tables
from consilience_server.app.watch_runner import WatchRunner
from consilience_server.core.errors import DomainError
from consilience_server.embedded import EmbeddedServer
from consilience_server.rpc.api_keys import ApiKeys
from consilience_server.rpc.convert.alignment import read_spec, write_report
from consilience_server.rpc.convert.alignment_arrays import (
    read_array_similarity,
    read_beside,
    read_fold_groups,
    read_groups,
    read_kernels,
    read_layers,
)
from consilience_server.rpc.errors import StatusError
from consilience_server.rpc.interceptors import EdgeInterceptor
from consilience_server.rpc.server_metrics import ServerMetricsInterceptor
from consilience_server.rpc.services import enable_reflection, register_services
from consilience_server.server import BackgroundTask, Readiness, Server
from consilience_server.settings import Settings, load_settings
from consilience_server.use_cases import Budget, Stores, compute_pool, open_stores, use_cases
from consilience_server.warm_engine import WarmEngine, warm_engine

if TYPE_CHECKING:
    from consilience_server.app.ports import SpaceStore

_LOG = logging.getLogger(__name__)
_GAUGE_SECONDS = 15.0
_WATCH_SECONDS = 1.0
"""Between two looks for new versions of watched spaces."""
_CHANNEL = (
    # Without this two servers could share a port and get half of the calls each.
    ("grpc.so_reuseport", 0),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
)


async def build(settings: Settings, target: str | None = None) -> Server:
    """Everything wired: the store opened, HTTP bound, the engine warmed up, the gRPC port bound; not yet taking requests.

    Args:
        settings: the one value.
        target: a unix socket instead of host and port, without TLS, keys and HTTP.

    Raises:
        StoreLocked, StoreTooNew, CorruptData, StorageFull, ExtraMissing: the store or the engine does not open.
        OSError: a port is taken.
        ValueError: a file of keys is malformed.
    """
    resources = AsyncExitStack()
    try:
        return await _build(settings, target, resources)
    except BaseException:
        await resources.aclose()
        raise


async def _build(settings: Settings, target: str | None, resources: AsyncExitStack) -> Server:
    metrics = PrometheusMetrics(version("consilience"))
    readiness = Readiness()
    metrics.ready_when(lambda: readiness.is_ready)
    # First, so that a second opener hears of the first one rather than of a taken port.
    stores = await asyncio.to_thread(open_stores, settings)
    for store in (stores.spaces, stores.operations, stores.watches):
        resources.callback(store.close)
    readiness.conditions["store"] = True
    url = ""
    if target is None and settings.metrics_port is not None:
        http = HttpEndpoints(metrics.exposition, readiness.ready, readiness.started)
        resources.push_async_callback(http.close)
        port = await http.start(settings.metrics_host, settings.metrics_port)
        url = f"http://{settings.metrics_host}:{port}/metrics"
        _LOG.info("metrics and health at %s", url)
    keys = None if target is not None or settings.api_keys is None else ApiKeys.read(settings.api_keys)
    budget = Budget.divide(settings)
    warm = await asyncio.to_thread(warm_engine, settings.engine, settings.device, settings.effective_threads, budget.kept)
    metrics.engine(warm.engine.backend, warm.blas, warm.kernels, warm.engine.device)
    _LOG.info("engine %s on %s, native kernels %s, BLAS %s", warm.engine.backend, warm.engine.device, warm.kernels, warm.blas)
    readiness.conditions["engine"] = True
    account = Account(budget.account, metrics)
    gauges = PrometheusWatchGauges(metrics.registry)
    application = use_cases(settings, stores, warm, account, metrics, gauges, budget, url, resources)
    if not stores.spaces.read_only:
        aborted = await application.operations.resume()
        if aborted:
            _LOG.warning("%d operations were cut off when the server last ended; they are aborted now", aborted)
    edge = EdgeInterceptor(keys, settings.max_concurrent_calls, settings.max_message_bytes, metrics)
    counted = ServerMetricsInterceptor(PrometheusRpcMetrics(metrics.registry))
    options = (*_CHANNEL, ("grpc.max_receive_message_length", settings.max_message_bytes), ("grpc.max_send_message_length", -1))
    rpc = grpc.aio.server(interceptors=(counted, edge), options=options)
    health = register_services(rpc, application, account, settings.inline_seconds)
    if settings.reflection:
        enable_reflection(rpc)
    bound = _bind(rpc, settings, target)
    background = _background(settings, stores, metrics)
    if not stores.watches.read_only:
        runner = WatchRunner(application.watching)
        resources.push_async_callback(runner.close)
        background.append(BackgroundTask("watches", _WATCH_SECONDS, runner.round))
    return Server(rpc, bound, health, edge, readiness, background, resources)


def _bind(rpc: grpc.aio.Server, settings: Settings, target: str | None) -> str:
    """Listen on the target, or on host and port; where that is. OSError where it is taken."""
    host = f"[{settings.host}]" if ":" in settings.host and not settings.host.startswith("[") else settings.host
    address = target or f"{host}:{settings.port}"
    try:
        if target is None and settings.tls_cert is not None and settings.tls_key is not None:
            pair = (settings.tls_key.read_bytes(), settings.tls_cert.read_bytes())
            port = rpc.add_secure_port(address, grpc.ssl_server_credentials([pair]))
        else:
            port = rpc.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(f"cannot listen on {address}: is another server running there?") from error
    return target or f"{host}:{port}"


def _background(settings: Settings, stores: Stores, metrics: PrometheusMetrics) -> list[BackgroundTask]:
    async def gauge() -> None:
        sizes = await asyncio.to_thread(stores.spaces.sizes)
        metrics.store(sizes["spaces"], sizes["versions"], sizes["bytes"])

    async def maintain() -> None:
        report = await asyncio.to_thread(stores.spaces.maintain, settings.keep_version_seconds, settings.upload_ttl_seconds)
        _LOG.info("maintenance: %s", report)

    tasks = [BackgroundTask("measuring the store", _GAUGE_SECONDS, gauge)]
    if not stores.spaces.read_only:
        tasks.append(BackgroundTask("maintenance", settings.maintenance_interval_seconds, maintain))
    return tasks


def open_embedded(path: str) -> EmbeddedServer:
    """The entry point of `Client.local`: the same server in this process, on a private unix socket, without HTTP and signal handlers.

    Raises:
        StatusError: a refusal (say, the folder is in use), in the shape of a failed call.
    """
    # The environment may hold the settings of a server that strangers can reach; this one is private.
    settings = load_settings(
        {
            "data_dir": path,
            "host": "127.0.0.1",
            "metrics_port": None,
            "tls_cert": None,
            "tls_key": None,
            "api_keys": None,
            "reflection": False,
        }
    )
    return EmbeddedServer(lambda target: build(settings, target))


@cache
def _engine_of_arrays() -> WarmEngine:
    settings = load_settings({"host": "127.0.0.1"})
    return warm_engine(settings.engine, settings.device, settings.effective_threads, 0)


def align_arrays(
    header: alignment_pb2.AlignArraysHeader, x: NDArray[np.float32], y: NDArray[np.float32], beside: Sequence[NDArray[np.float32]] = ()
) -> alignment_pb2.AlignArraysResponse:
    """The entry point of the SDK's `align_arrays`: a first number without a store and without a server.

    Args:
        header: spec and similarity; its shapes are not read.
        x: (n, d) float32.
        y: (n, d') float32; row i is the same item as row i of x.
        beside: the arrays of the header's controls, then the given one, row i likewise.

    Raises:
        StatusError: a refusal, in the shape of a failed call.
    """
    call = Call("align_arrays")

    async def align() -> alignment_pb2.AlignArraysResponse:
        settings = load_settings({"host": "127.0.0.1"})
        warm, metrics = _engine_of_arrays(), PrometheusMetrics(version("consilience"))
        account = Account(settings.effective_memory_budget_bytes, metrics)
        pool = compute_pool(settings.effective_threads, settings.queue_limit, account, metrics)
        try:
            # Arrays are never stored: nothing asks the store.
            snapshots = Snapshots(cast("SpaceStore", None), pool, account)
            alignment = Alignment(
                snapshots,
                Tables(warm.engine, pool, account, metrics),
                ResultCache(MemoryCache(0), None, metrics),
                pool,
                AlignmentLimits(
                    max_k=settings.max_k,
                    max_permutations=settings.max_permutations,
                    threads=settings.effective_threads,
                    flops_per_second=warm.flops_per_second,
                ),
            )
            similarity, spec = read_array_similarity(header), read_spec(header.spec)
            groups, kernels, layers = read_groups(header), read_kernels(header), read_layers(header)
            report = await alignment.align_arrays(
                call, x, y, similarity, spec, groups, kernels, layers, read_fold_groups(header), read_beside(header, beside)
            )
            return alignment_pb2.AlignArraysResponse(report=write_report(report))
        finally:
            pool.close()

    # A thread of its own: the caller may be inside a running loop.
    with ThreadPoolExecutor(1, thread_name_prefix="align-arrays") as thread:
        try:
            return thread.submit(asyncio.run, align()).result()
        except DomainError as error:
            raise StatusError(error) from None
        except KeyboardInterrupt:
            call.control.cancel()
            raise
