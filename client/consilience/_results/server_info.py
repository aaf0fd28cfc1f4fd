"""What a server says of itself."""

from dataclasses import dataclass
from datetime import datetime

from consilience._results.base import Result


@dataclass(frozen=True)
class Limits:
    """What the server takes; the SDK cuts its work accordingly. 0 is unlimited or unknown.

    Attributes:
        max_message_bytes: a request or an answer.
        upload_batch_bytes: a batch of an upload.
        max_dim, max_k, max_id_bytes, max_permutations: of requests.
        max_items_per_message: rows of a batch, and queries times k of a match.
        memory_budget_bytes: snapshots, tables and requests together.
        batch_queries: queries of different calls that are searched together; 1: each call alone.
    """

    max_message_bytes: int = 0
    upload_batch_bytes: int = 0
    max_dim: int = 0
    max_k: int = 0
    max_id_bytes: int = 0
    max_items_per_message: int = 0
    memory_budget_bytes: int = 0
    max_permutations: int = 0
    batch_queries: int = 0


@dataclass(frozen=True)
class EngineInfo:
    """What computes: its version, backend, device, the BLAS kernel that runs, threads, and the instruction set of the native kernels."""

    version: str
    backend: str
    device: str
    blas_kernel: str
    threads: int
    kernels: str


@dataclass(frozen=True, eq=False, repr=False)
class ServerInfo(Result):
    """What a server is and serves.

    Attributes:
        version: of the server.
        start_time: UTC.
        limits: what it takes.
        engine: what computes.
        metrics, bridge_methods, corrections, indexes: the names that it serves.
        cache_tiers: in the order they are asked.
        read_only: it takes no writes.
        metrics_url: where Prometheus finds its metrics; empty where off.
        bridge_runtime: what applies bridges: `numpy`, `onnxruntime-cpu` or `onnxruntime-cuda`; matches are exact relative to the vectors
            that it yields. Empty where the server is too old to say.
    """

    version: str
    start_time: datetime | None
    limits: Limits
    engine: EngineInfo
    metrics: tuple[str, ...]
    bridge_methods: tuple[str, ...]
    corrections: tuple[str, ...]
    indexes: tuple[str, ...]
    cache_tiers: tuple[str, ...]
    read_only: bool
    metrics_url: str
    bridge_runtime: str = ""
