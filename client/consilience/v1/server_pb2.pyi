import datetime

from consilience.v1 import alignment_pb2 as _alignment_pb2
from consilience.v1 import bridge_pb2 as _bridge_pb2
from consilience.v1 import match_pb2 as _match_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetServerInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ("version", "start_time", "limits", "engine", "metrics", "bridge_methods", "corrections", "indexes", "cache_tiers", "read_only", "metrics_url", "bridge_runtime")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    BRIDGE_METHODS_FIELD_NUMBER: _ClassVar[int]
    CORRECTIONS_FIELD_NUMBER: _ClassVar[int]
    INDEXES_FIELD_NUMBER: _ClassVar[int]
    CACHE_TIERS_FIELD_NUMBER: _ClassVar[int]
    READ_ONLY_FIELD_NUMBER: _ClassVar[int]
    METRICS_URL_FIELD_NUMBER: _ClassVar[int]
    BRIDGE_RUNTIME_FIELD_NUMBER: _ClassVar[int]
    version: str
    start_time: _timestamp_pb2.Timestamp
    limits: Limits
    engine: EngineInfo
    metrics: _containers.RepeatedScalarFieldContainer[_alignment_pb2.Metric]
    bridge_methods: _containers.RepeatedScalarFieldContainer[_bridge_pb2.BridgeMethod]
    corrections: _containers.RepeatedScalarFieldContainer[_match_pb2.Correction]
    indexes: _containers.RepeatedScalarFieldContainer[_match_pb2.IndexKind]
    cache_tiers: _containers.RepeatedScalarFieldContainer[str]
    read_only: bool
    metrics_url: str
    bridge_runtime: str
    def __init__(self, version: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., engine: _Optional[_Union[EngineInfo, _Mapping]] = ..., metrics: _Optional[_Iterable[_Union[_alignment_pb2.Metric, str]]] = ..., bridge_methods: _Optional[_Iterable[_Union[_bridge_pb2.BridgeMethod, str]]] = ..., corrections: _Optional[_Iterable[_Union[_match_pb2.Correction, str]]] = ..., indexes: _Optional[_Iterable[_Union[_match_pb2.IndexKind, str]]] = ..., cache_tiers: _Optional[_Iterable[str]] = ..., read_only: bool = ..., metrics_url: _Optional[str] = ..., bridge_runtime: _Optional[str] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("max_message_bytes", "upload_batch_bytes", "max_dim", "max_k", "max_id_bytes", "max_items_per_message", "memory_budget_bytes", "max_permutations", "batch_queries")
    MAX_MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_BATCH_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_DIM_FIELD_NUMBER: _ClassVar[int]
    MAX_K_FIELD_NUMBER: _ClassVar[int]
    MAX_ID_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_ITEMS_PER_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BUDGET_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_PERMUTATIONS_FIELD_NUMBER: _ClassVar[int]
    BATCH_QUERIES_FIELD_NUMBER: _ClassVar[int]
    max_message_bytes: int
    upload_batch_bytes: int
    max_dim: int
    max_k: int
    max_id_bytes: int
    max_items_per_message: int
    memory_budget_bytes: int
    max_permutations: int
    batch_queries: int
    def __init__(self, max_message_bytes: _Optional[int] = ..., upload_batch_bytes: _Optional[int] = ..., max_dim: _Optional[int] = ..., max_k: _Optional[int] = ..., max_id_bytes: _Optional[int] = ..., max_items_per_message: _Optional[int] = ..., memory_budget_bytes: _Optional[int] = ..., max_permutations: _Optional[int] = ..., batch_queries: _Optional[int] = ...) -> None: ...

class EngineInfo(_message.Message):
    __slots__ = ("version", "backend", "device", "blas_kernel", "threads", "kernels")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    BACKEND_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    BLAS_KERNEL_FIELD_NUMBER: _ClassVar[int]
    THREADS_FIELD_NUMBER: _ClassVar[int]
    KERNELS_FIELD_NUMBER: _ClassVar[int]
    version: str
    backend: str
    device: str
    blas_kernel: str
    threads: int
    kernels: str
    def __init__(self, version: _Optional[str] = ..., backend: _Optional[str] = ..., device: _Optional[str] = ..., blas_kernel: _Optional[str] = ..., threads: _Optional[int] = ..., kernels: _Optional[str] = ...) -> None: ...
