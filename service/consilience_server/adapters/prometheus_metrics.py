"""What the server tells Prometheus about itself. Names and labels are a contract: dashboards and alert rules stand on them."""

from collections.abc import Callable, Container, Iterator
from typing import Literal, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    Metric,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import choose_encoder

from consilience_server.adapters.bounded_label import OTHER, BoundedLabel
from consilience_server.app.ports import CacheOutcome, MemoryKind, OperationState, Stage

SECONDS_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""0.5 ms to 60 s: a cached answer and a self-join of a large space both fall inside."""

_QUERY_BUCKETS = tuple(float(1 << power) for power in range(0, 17, 2))
_STAGES = frozenset(get_args(Stage))
_OUTCOMES = frozenset(get_args(CacheOutcome))
_KINDS = frozenset(get_args(MemoryKind))
_STATES = frozenset(get_args(OperationState))
_TIERS = {"memory": ("hit", "miss", "joined"), "redis": ("hit", "miss", "error", "open")}


class PrometheusMetrics:
    """Implements the port Metrics on a registry of its own, so that several servers in one process do not mix.

    | name | type | labels |
    |---|---|---|
    | `consilience_stage_seconds` | histogram | `stage`, `operation` |
    | `consilience_cache_requests_total` | counter | `tier`, `outcome` |
    | `consilience_batch_queries` | histogram | `backend` |
    | `consilience_certified_rows_total`, `consilience_refined_rows_total` | counter | `backend` |
    | `consilience_spaces`, `consilience_store_versions`, `consilience_store_bytes` | gauge | `kind` (of space: `vectors`) |
    | `consilience_memory_bytes` | gauge | `kind` |
    | `consilience_operations` | gauge | `operation`, `state` |
    | `consilience_rejected_total` | counter | `reason` |
    | `consilience_ready` | gauge, 1 or 0 | |
    | `consilience_build_info` | info | `version` |
    | `consilience_engine_info` | info | `backend`, `blas_kernel`, `kernels`, `device` |
    | `consilience_kernels_built` | gauge, 1 or 0 | |

    Beside these: `process_*`, `python_*`. Thread-safe. A value outside a closed set becomes `other`; no method raises.

    Args:
        version: of the server.
    """

    def __init__(self, version: str) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        self._operation = BoundedLabel(64)
        self._backend = BoundedLabel(16)
        self._reason = BoundedLabel(48)
        self._stages = Histogram(
            "consilience_stage_seconds",
            "Time spent in a stage of the work.",
            ("stage", "operation"),
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self._cache = Counter(
            "consilience_cache_requests", "Requests to a tier of the result cache.", ("tier", "outcome"), registry=registry
        )
        # Counters that alert rules take the increase of must be there before their first event.
        for tier, outcomes in _TIERS.items():
            for outcome in outcomes:
                self._cache.labels(tier, outcome)
        self._batches = Histogram(
            "consilience_batch_queries", "Queries searched together.", ("backend",), buckets=_QUERY_BUCKETS, registry=registry
        )
        self._certified = Counter(
            "consilience_certified_rows",
            "Rows of neighbour tables that the error bound proved exact at once.",
            ("backend",),
            registry=registry,
        )
        self._refined = Counter(
            "consilience_refined_rows",
            "Rows of neighbour tables done again exactly, because the bound did not prove them.",
            ("backend",),
            registry=registry,
        )
        self._spaces = Gauge("consilience_spaces", "Spaces in the store.", ("kind",), registry=registry)
        self._versions = Gauge("consilience_store_versions", "Versions of spaces that the store keeps.", ("kind",), registry=registry)
        self._store_bytes = Gauge("consilience_store_bytes", "Size of the store on disk.", ("kind",), registry=registry)
        self._memory = Gauge(
            "consilience_memory_bytes",
            "Memory promised to snapshots, tables and requests out of the budget; the cache's first tier; the budget itself.",
            ("kind",),
            registry=registry,
        )
        self._operations = Gauge(
            "consilience_operations",
            "Long-running operations of this process by the state they are in.",
            ("operation", "state"),
            registry=registry,
        )
        self._rejected = Counter("consilience_rejected", "Work refused before it began.", ("reason",), registry=registry)
        for reason in ("overloaded", "memory_budget", "concurrency"):
            self._rejected.labels(self._reason(reason))
        self._ready = Gauge("consilience_ready", "Whether /readyz answers 200.", registry=registry)
        self._kernels_built = Gauge("consilience_kernels_built", "Whether the native kernels are installed.", registry=registry)
        build = Info("consilience_build", "The running server.", registry=registry)
        build.info({"version": version})
        self._engine = Info("consilience_engine", "What searches neighbours.", registry=registry)

    def stage(self, stage: Stage, operation: str, seconds: float) -> None:
        """`consilience_stage_seconds`."""
        self._stages.labels(_one_of(_STAGES, stage), self._operation(operation)).observe(max(0.0, seconds))

    def cache(self, tier: Literal["memory", "redis"], outcome: CacheOutcome) -> None:
        """`consilience_cache_requests_total`."""
        self._cache.labels(_one_of(_TIERS, tier), _one_of(_OUTCOMES, outcome)).inc()

    def rows(self, backend: str, certified: int, refined: int) -> None:
        """`consilience_certified_rows_total`, `consilience_refined_rows_total`."""
        backend = self._backend(backend)
        self._certified.labels(backend).inc(max(0, certified))
        self._refined.labels(backend).inc(max(0, refined))

    def batch(self, backend: str, queries: int) -> None:
        """`consilience_batch_queries`."""
        self._batches.labels(self._backend(backend)).observe(queries)

    def rejected(self, reason: str) -> None:
        """`consilience_rejected_total`."""
        self._rejected.labels(self._reason(reason)).inc()

    def memory(self, kind: MemoryKind, value: int) -> None:
        """`consilience_memory_bytes`."""
        self._memory.labels(_one_of(_KINDS, kind)).set(value)

    def store(self, spaces: int, versions: int, size: int) -> None:
        """`consilience_spaces`, `consilience_store_versions`, `consilience_store_bytes`."""
        self._spaces.labels("vectors").set(spaces)
        self._versions.labels("vectors").set(versions)
        self._store_bytes.labels("vectors").set(size)

    def operations(self, operation: str, state: str, change: int) -> None:
        """`consilience_operations`, a gauge moved by `change`."""
        self._operations.labels(self._operation(operation), _one_of(_STATES, state)).inc(change)

    def engine(self, backend: str, blas_kernel: str, kernels: str, device: str) -> None:
        """`consilience_engine_info` and `consilience_kernels_built`: called once, when the engine has been chosen.

        Args:
            backend: what finds neighbours.
            blas_kernel: the kernels of FAISS's BLAS.
            kernels: instruction set of the native kernels, or `not built`.
            device: where it computes.
        """
        self._engine.info({"backend": backend, "blas_kernel": blas_kernel, "kernels": kernels, "device": device})
        self._kernels_built.set(kernels != "not built")

    def ready_when(self, is_ready: Callable[[], bool]) -> None:
        """`consilience_ready`: asked at every scrape."""
        self._ready.set_function(lambda: float(is_ready()))

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """What /metrics answers: (body, content type), in the format that the Accept header asks for."""
        encoder, content_type = choose_encoder(accept)
        return encoder(_WithoutCreated(self.registry)), content_type


class _WithoutCreated(CollectorRegistry):
    """A registry's samples, without the `_created` ones that would double the series of every counter and histogram for no panel's sake."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__()
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for family in self._registry.collect():
            family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
            yield family


def _one_of(allowed: Container[str], value: str) -> str:
    return value if value in allowed else OTHER
