"""What the server tells about itself, as the contract has it."""

from consilience.v1 import server_pb2
from consilience_server.app.application import ServerInfo
from consilience_server.bridges.choose import TRAINED
from consilience_server.bridges.training_host import has_torch
from consilience_server.rpc.convert.alignment import METRICS
from consilience_server.rpc.convert.bridge import METHODS
from consilience_server.rpc.convert.match import CORRECTIONS, INDEXES
from consilience_server.rpc.convert.times import timestamp


def write_server_info(info: ServerInfo) -> server_pb2.GetServerInfoResponse:
    """Limits, engine, and what is served: exactly what the converters accept."""
    return server_pb2.GetServerInfoResponse(
        version=info.version,
        start_time=timestamp(info.start_time),
        limits=server_pb2.Limits(
            max_message_bytes=info.max_message_bytes,
            upload_batch_bytes=info.upload_batch_bytes,
            max_dim=info.max_dim,
            max_k=info.max_k,
            max_id_bytes=info.max_id_bytes,
            max_items_per_message=info.max_items_per_message,
            memory_budget_bytes=info.memory_budget_bytes,
            max_permutations=info.max_permutations,
            batch_queries=info.batch_queries,
        ),
        engine=server_pb2.EngineInfo(
            version=info.engine_version,
            backend=info.backend,
            device=info.device,
            blas_kernel=info.blas_kernel,
            kernels=info.kernels,
            threads=info.threads,
        ),
        metrics=list(METRICS),
        bridge_methods=[value for value, name in METHODS.items() if name not in TRAINED or has_torch()],
        corrections=[value for value in CORRECTIONS if value],
        indexes=[value for value, name in INDEXES.items() if value and name in info.indexes],
        cache_tiers=info.cache_tiers,
        read_only=info.read_only,
        metrics_url=info.metrics_url,
        bridge_runtime=info.bridge_runtime,
    )
