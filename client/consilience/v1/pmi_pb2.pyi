from consilience.v1 import alignment_pb2 as _alignment_pb2
from consilience.v1 import space_pb2 as _space_pb2
from google.longrunning import operations_pb2 as _operations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PmiForm(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PMI_FORM_UNSPECIFIED: _ClassVar[PmiForm]
    PMI_FORM_EMBEDDING: _ClassVar[PmiForm]
    PMI_FORM_KERNEL: _ClassVar[PmiForm]
PMI_FORM_UNSPECIFIED: PmiForm
PMI_FORM_EMBEDDING: PmiForm
PMI_FORM_KERNEL: PmiForm

class CreatePmiSpaceRequest(_message.Message):
    __slots__ = ("header", "counts")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    header: PmiHeader
    counts: PmiCounts
    def __init__(self, header: _Optional[_Union[PmiHeader, _Mapping]] = ..., counts: _Optional[_Union[PmiCounts, _Mapping]] = ...) -> None: ...

class PmiHeader(_message.Message):
    __slots__ = ("space_id", "ids", "contexts", "form", "rank", "keep_negative", "context_smoothing", "shift", "smoothing", "similarity", "modality", "model", "cells", "mode", "request_id")
    SPACE_ID_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    CONTEXTS_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    KEEP_NEGATIVE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_SMOOTHING_FIELD_NUMBER: _ClassVar[int]
    SHIFT_FIELD_NUMBER: _ClassVar[int]
    SMOOTHING_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    MODALITY_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    CELLS_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    space_id: str
    ids: _containers.RepeatedScalarFieldContainer[str]
    contexts: int
    form: PmiForm
    rank: int
    keep_negative: bool
    context_smoothing: float
    shift: float
    smoothing: float
    similarity: _space_pb2.Similarity
    modality: str
    model: str
    cells: int
    mode: _alignment_pb2.ExecutionMode
    request_id: str
    def __init__(self, space_id: _Optional[str] = ..., ids: _Optional[_Iterable[str]] = ..., contexts: _Optional[int] = ..., form: _Optional[_Union[PmiForm, str]] = ..., rank: _Optional[int] = ..., keep_negative: bool = ..., context_smoothing: _Optional[float] = ..., shift: _Optional[float] = ..., smoothing: _Optional[float] = ..., similarity: _Optional[_Union[_space_pb2.Similarity, str]] = ..., modality: _Optional[str] = ..., model: _Optional[str] = ..., cells: _Optional[int] = ..., mode: _Optional[_Union[_alignment_pb2.ExecutionMode, str]] = ..., request_id: _Optional[str] = ...) -> None: ...

class PmiCounts(_message.Message):
    __slots__ = ("rows", "columns", "counts")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    rows: bytes
    columns: bytes
    counts: bytes
    def __init__(self, rows: _Optional[bytes] = ..., columns: _Optional[bytes] = ..., counts: _Optional[bytes] = ...) -> None: ...

class CreatePmiSpaceResponse(_message.Message):
    __slots__ = ("report", "operation")
    REPORT_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    report: PmiReport
    operation: _operations_pb2.Operation
    def __init__(self, report: _Optional[_Union[PmiReport, _Mapping]] = ..., operation: _Optional[_Union[_operations_pb2.Operation, _Mapping]] = ...) -> None: ...

class PmiReport(_message.Message):
    __slots__ = ("space", "form", "items", "contexts", "cells", "total", "singular_values", "kept", "dropped", "dropped_ids", "keep_negative", "context_smoothing", "shift", "smoothing")
    SPACE_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    CONTEXTS_FIELD_NUMBER: _ClassVar[int]
    CELLS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    SINGULAR_VALUES_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    DROPPED_IDS_FIELD_NUMBER: _ClassVar[int]
    KEEP_NEGATIVE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_SMOOTHING_FIELD_NUMBER: _ClassVar[int]
    SHIFT_FIELD_NUMBER: _ClassVar[int]
    SMOOTHING_FIELD_NUMBER: _ClassVar[int]
    space: _space_pb2.Space
    form: PmiForm
    items: int
    contexts: int
    cells: int
    total: float
    singular_values: _containers.RepeatedScalarFieldContainer[float]
    kept: float
    dropped: int
    dropped_ids: _containers.RepeatedScalarFieldContainer[str]
    keep_negative: bool
    context_smoothing: float
    shift: float
    smoothing: float
    def __init__(self, space: _Optional[_Union[_space_pb2.Space, _Mapping]] = ..., form: _Optional[_Union[PmiForm, str]] = ..., items: _Optional[int] = ..., contexts: _Optional[int] = ..., cells: _Optional[int] = ..., total: _Optional[float] = ..., singular_values: _Optional[_Iterable[float]] = ..., kept: _Optional[float] = ..., dropped: _Optional[int] = ..., dropped_ids: _Optional[_Iterable[str]] = ..., keep_negative: bool = ..., context_smoothing: _Optional[float] = ..., shift: _Optional[float] = ..., smoothing: _Optional[float] = ...) -> None: ...
