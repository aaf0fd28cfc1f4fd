"""All use cases wired: what is kept on disk, how memory is divided, and who works with whom."""

import os
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from consilience_server.adapters.bridge_files import BridgeFiles
from consilience_server.adapters.operation_store import SqliteOperations
from consilience_server.adapters.watch_store import SqliteWatches
from consilience_server.app.alignment import Alignment
from consilience_server.app.alignment_spec import AlignmentLimits
from consilience_server.app.application import Application, ServerInfo
from consilience_server.app.bridge_derivation import BridgeDerivations
from consilience_server.app.bridge_estimates import BridgeEstimates
from consilience_server.app.bridge_evaluation import BridgeEvaluations
from consilience_server.app.bridge_export import BridgeExports
from consilience_server.app.bridging import Bridging, FitLimits
from consilience_server.app.caller_head import CallerHeads
from consilience_server.app.classifying import Classifying
from consilience_server.app.comparing import Comparing
from consilience_server.app.compute import ComputePool
from consilience_server.app.consensus import Consensus
from consilience_server.app.derived_space import DerivedSpaces
from consilience_server.app.derived_vectors import DerivedVectors
from consilience_server.app.estimates import Estimates, UseCases
from consilience_server.app.gallery_curves import GalleryCurves
from consilience_server.app.geometry import Geometry
from consilience_server.app.items import Items
from consilience_server.app.match_query import MatchLimits
from consilience_server.app.matching import Matching
from consilience_server.app.memory_budget import Account
from consilience_server.app.memory_cache import MemoryCache
from consilience_server.app.noise_ceiling import NoiseCeilings
from consilience_server.app.operations import Operations
from consilience_server.app.pmi import PmiSpaces
from consilience_server.app.ports import BridgeStore, Metrics, OperationStore, SpaceStore
from consilience_server.app.probe_measurement import ProbeMeasurement
from consilience_server.app.query_batching import QueryBatches
from consilience_server.app.reliability import Reliabilities
from consilience_server.app.result_cache import ResultCache
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.spaces import SpaceLimits, Spaces
from consilience_server.app.tables import Tables
from consilience_server.app.translation import Translation
from consilience_server.app.trend import Trends
from consilience_server.app.upgrading import Upgrades
from consilience_server.app.watch_records import WatchGauges, WatchStore
from consilience_server.app.watching import Watching, WatchLimits
from consilience_server.engine.choose_index import ApproximateIndexes
from consilience_server.engine.protocol import ENGINE_VERSION
from consilience_server.optional_bridge_parts import bridge_exports, bridge_runtime, head_loader, training_host
from consilience_server.settings import Settings
from consilience_server.warm_engine import WarmEngine

_ANSWER_BYTES = 32
"""A fair least of what one match takes in a message: id, similarity, score."""


@dataclass(frozen=True)
class Stores:
    """What is kept on disk."""

    spaces: SpaceStore
    bridges: BridgeStore
    operations: OperationStore
    watches: WatchStore


@dataclass(frozen=True)
class Budget:
    """How the memory budget is divided, in bytes: kept scan forms, the first cache tier, everything that is accounted call by call."""

    kept: int
    cache: int
    account: int

    @classmethod
    def divide(cls, settings: Settings) -> "Budget":
        """A sixth for scan forms, the cache as set but a quarter at most, the rest for snapshots, tables and requests."""
        total = settings.effective_memory_budget_bytes
        kept, held = total // 6, min(settings.memory_cache_bytes, total // 4)
        return cls(kept, held, total - kept - held)


def open_stores(settings: Settings) -> Stores:
    """Open the folder: the writer's lease, unless read-only. StoreLocked, StoreTooNew, CorruptData, StorageFull."""
    # Lance sizes its pools when it is imported; what an operator set stands. With a single thread its commits can wait for themselves.
    for name in ("LANCE_CPU_THREADS", "LANCE_IO_THREADS"):
        os.environ.setdefault(name, str(max(2, settings.effective_threads)))
    # It brings half a second of imports, which arrays that are never stored need not wait for.
    from consilience_server.adapters.lance_store import LanceStore

    root, read_only = settings.data_dir, settings.read_only
    spaces = LanceStore(root, read_only=read_only, holder="consilience-server")
    try:
        return Stores(
            spaces,
            BridgeFiles(root / "bridges", read_only=read_only),
            SqliteOperations(root / "operations.sqlite", read_only=read_only),
            SqliteWatches(root / "watches.sqlite", read_only=read_only),
        )
    except BaseException:
        spaces.close()
        raise


def use_cases(
    settings: Settings,
    stores: Stores,
    warm: WarmEngine,
    account: Account,
    metrics: Metrics,
    gauges: WatchGauges,
    budget: Budget,
    metrics_url: str,
    resources: AsyncExitStack,
) -> Application:
    """All use cases over the same pool, snapshots, tables and cache; `resources` closes them."""
    pool = compute_pool(settings.effective_threads, settings.queue_limit, account, metrics)
    resources.callback(pool.close)
    snapshots = Snapshots(stores.spaces, pool, account)
    resources.callback(snapshots.close)
    remote = None
    if settings.redis is not None:
        from consilience_server.adapters.redis_cache import RedisCache, RedisOptions

        remote = RedisCache(settings.redis.get_secret_value(), metrics, RedisOptions(get_seconds=settings.redis_timeout_seconds))
    results = ResultCache(MemoryCache(budget.cache), remote, metrics)
    resources.push_async_callback(results.close)
    operations = Operations(stores.operations, metrics)
    resources.push_async_callback(operations.close)
    tables = Tables(warm.engine, pool, account, metrics)
    indexes = ApproximateIndexes(settings.effective_threads, settings.device)
    resources.callback(indexes.close)
    flops = warm.flops_per_second
    limits = AlignmentLimits(
        max_k=settings.max_k, max_permutations=settings.max_permutations, threads=settings.effective_threads, flops_per_second=flops
    )
    spaces = Spaces(
        stores.spaces,
        stores.bridges,
        snapshots,
        account,
        SpaceLimits(settings.max_dim, settings.max_id_bytes, settings.max_items_per_message, settings.max_message_bytes // 2),
    )
    alignment = Alignment(snapshots, tables, results, pool, limits)
    runtime = bridge_runtime(settings)
    derived = DerivedVectors(stores.bridges, pool, account, runtime)
    comparing = Comparing(alignment, snapshots, results, pool)
    curves = GalleryCurves(alignment, snapshots, results, pool)
    trends = Trends(alignment, snapshots, tables, results, pool)
    consensus = Consensus(alignment, snapshots, tables, results, pool, DerivedSpaces(spaces))
    info = _server_info(settings, warm, indexes, account, remote is not None, stores.spaces.read_only, metrics_url, runtime.name)
    bridging = Bridging(
        store=stores.spaces,
        bridges=stores.bridges,
        snapshots=snapshots,
        engine=warm.engine,
        pool=pool,
        limits=FitLimits(info.version, flops),
        training=training_host(settings, warm.engine.device),
    )
    return Application(
        spaces=spaces,
        alignment=alignment,
        comparing=comparing,
        estimates=Estimates(snapshots, tables, account, UseCases(alignment, trends, consensus, curves, comparing)),
        items=Items(snapshots, tables, pool, limits),
        geometry=Geometry(snapshots, tables, results, pool, limits),
        curves=curves,
        ceilings=NoiseCeilings(snapshots, results, pool, limits),
        reliabilities=Reliabilities(snapshots, results, pool),
        trends=trends,
        consensus=consensus,
        pmi=PmiSpaces(DerivedSpaces(spaces), pool, settings.max_dim, settings.max_id_bytes),
        bridging=bridging,
        bridge_estimates=BridgeEstimates(bridging=bridging, snapshots=snapshots, pool=pool, engine=warm.engine),
        evaluations=BridgeEvaluations(
            bridges=stores.bridges,
            snapshots=snapshots,
            pool=pool,
            engine=warm.engine,
            heads=CallerHeads(head_loader(settings), settings.max_head_bytes),
            flops_per_second=flops,
        ),
        derivations=BridgeDerivations(
            store=stores.spaces,
            bridges=stores.bridges,
            snapshots=snapshots,
            pool=pool,
            engine=warm.engine,
            code_version=info.version,
            flops_per_second=flops,
        ),
        exports=BridgeExports(derived, bridge_exports(), settings.max_message_bytes // 2),
        classifying=Classifying(bridges=stores.bridges, snapshots=snapshots, pool=pool, engine=warm.engine, flops_per_second=flops),
        upgrades=Upgrades(
            bridges=stores.bridges, snapshots=snapshots, pool=pool, engine=warm.engine, limits=FitLimits(info.version, flops)
        ),
        matching=Matching(
            snapshots=snapshots,
            tables=tables,
            derived=derived,
            pool=pool,
            engine=warm.engine,
            indexes=indexes,
            results=results,
            metrics=metrics,
            limits=MatchLimits(settings.max_k, settings.max_message_bytes // _ANSWER_BYTES, flops),
            batches=QueryBatches(pool, warm.engine, metrics, limit=settings.batch_queries, pause_seconds=settings.batch_pause_ms / 1000),
        ),
        translation=Translation(derived, pool),
        operations=operations,
        watching=Watching(
            stores.watches,
            snapshots,
            ProbeMeasurement(warm.engine, pool),
            gauges,
            WatchLimits(settings.max_watches, settings.max_k, flops),
        ),
        info=info,
    )


def compute_pool(threads: int, queue_limit: int, account: Account, metrics: Metrics) -> ComputePool:
    """Pieces of work at a time: each may use all threads of the libraries, so a few are enough to keep them busy."""
    return ComputePool(max(2, min(8, threads // 2)), queue_limit, account, metrics)


def _server_info(
    settings: Settings,
    warm: WarmEngine,
    indexes: ApproximateIndexes,
    account: Account,
    has_redis: bool,  # noqa: FBT001 - named by its one caller
    read_only: bool,  # noqa: FBT001 - as above
    metrics_url: str,
    bridge_runtime: str,
) -> ServerInfo:
    return ServerInfo(
        version=version("consilience"),
        start_time=datetime.now(UTC),
        engine_version=ENGINE_VERSION,
        backend=warm.engine.backend,
        device=warm.engine.device,
        indexes=("exact", *indexes.names),
        blas_kernel=warm.blas,
        kernels=warm.kernels,
        threads=settings.effective_threads,
        cache_tiers=("memory", "redis") if has_redis else ("memory",),
        read_only=read_only,
        metrics_url=metrics_url,
        max_message_bytes=settings.max_message_bytes,
        upload_batch_bytes=settings.upload_batch_bytes,
        max_dim=settings.max_dim,
        max_k=settings.max_k,
        max_id_bytes=settings.max_id_bytes,
        max_items_per_message=settings.max_items_per_message,
        memory_budget_bytes=account.budget,
        max_permutations=settings.max_permutations,
        batch_queries=settings.batch_queries,
        bridge_runtime=bridge_runtime,
    )
