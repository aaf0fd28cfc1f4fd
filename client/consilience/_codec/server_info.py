"""Server info: answers as results."""

from consilience import _names
from consilience._codec.times import to_datetime
from consilience._results.base import NO_DETAILS, CallDetails
from consilience._results.server_info import EngineInfo, Limits, ServerInfo
from consilience.v1 import server_pb2


def decode_server_info(message: server_pb2.GetServerInfoResponse, details: CallDetails = NO_DETAILS) -> ServerInfo:
    """A ServerInfo."""
    limits, engine = message.limits, message.engine
    return ServerInfo(
        version=message.version,
        start_time=to_datetime(message, "start_time"),
        limits=Limits(
            max_message_bytes=limits.max_message_bytes,
            upload_batch_bytes=limits.upload_batch_bytes,
            max_dim=limits.max_dim,
            max_k=limits.max_k,
            max_id_bytes=limits.max_id_bytes,
            max_items_per_message=limits.max_items_per_message,
            memory_budget_bytes=limits.memory_budget_bytes,
            max_permutations=limits.max_permutations,
            batch_queries=limits.batch_queries,
        ),
        engine=EngineInfo(
            version=engine.version,
            backend=engine.backend,
            device=engine.device,
            blas_kernel=engine.blas_kernel,
            kernels=engine.kernels,
            threads=engine.threads,
        ),
        metrics=tuple(_names.METRICS.to_name(entry) for entry in message.metrics),
        bridge_methods=tuple(_names.BRIDGE_METHODS.to_name(entry) for entry in message.bridge_methods),
        corrections=tuple(_names.CORRECTIONS.to_name(entry) for entry in message.corrections),
        indexes=tuple(_names.INDEXES.to_name(entry) for entry in message.indexes),
        cache_tiers=tuple(message.cache_tiers),
        read_only=message.read_only,
        metrics_url=message.metrics_url,
        bridge_runtime=message.bridge_runtime,
        details=details,
    )
