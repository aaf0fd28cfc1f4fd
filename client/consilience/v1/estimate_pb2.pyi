from consilience.v1 import alignment_pb2 as _alignment_pb2
from consilience.v1 import space_pb2 as _space_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EstimatedCall(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ESTIMATED_CALL_UNSPECIFIED: _ClassVar[EstimatedCall]
    ESTIMATED_CALL_ALIGN: _ClassVar[EstimatedCall]
    ESTIMATED_CALL_ALIGN_MATRIX: _ClassVar[EstimatedCall]
    ESTIMATED_CALL_TREND: _ClassVar[EstimatedCall]
    ESTIMATED_CALL_CONSENSUS: _ClassVar[EstimatedCall]
    ESTIMATED_CALL_GALLERY_CURVE: _ClassVar[EstimatedCall]
    ESTIMATED_CALL_COMPARE_ALIGNMENTS: _ClassVar[EstimatedCall]
ESTIMATED_CALL_UNSPECIFIED: EstimatedCall
ESTIMATED_CALL_ALIGN: EstimatedCall
ESTIMATED_CALL_ALIGN_MATRIX: EstimatedCall
ESTIMATED_CALL_TREND: EstimatedCall
ESTIMATED_CALL_CONSENSUS: EstimatedCall
ESTIMATED_CALL_GALLERY_CURVE: EstimatedCall
ESTIMATED_CALL_COMPARE_ALIGNMENTS: EstimatedCall

class EstimateAlignmentRequest(_message.Message):
    __slots__ = ("spaces", "spec", "items", "call", "controls", "given", "reference", "gallery_sizes", "method", "rank")
    SPACES_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    CONTROLS_FIELD_NUMBER: _ClassVar[int]
    GIVEN_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    GALLERY_SIZES_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    spaces: _containers.RepeatedCompositeFieldContainer[_space_pb2.SpaceRef]
    spec: _alignment_pb2.AlignmentSpec
    items: _alignment_pb2.ItemPolicy
    call: EstimatedCall
    controls: _containers.RepeatedCompositeFieldContainer[_alignment_pb2.Control]
    given: _space_pb2.SpaceRef
    reference: _space_pb2.SpaceRef
    gallery_sizes: _containers.RepeatedScalarFieldContainer[int]
    method: _alignment_pb2.ConsensusMethod
    rank: int
    def __init__(self, spaces: _Optional[_Iterable[_Union[_space_pb2.SpaceRef, _Mapping]]] = ..., spec: _Optional[_Union[_alignment_pb2.AlignmentSpec, _Mapping]] = ..., items: _Optional[_Union[_alignment_pb2.ItemPolicy, str]] = ..., call: _Optional[_Union[EstimatedCall, str]] = ..., controls: _Optional[_Iterable[_Union[_alignment_pb2.Control, _Mapping]]] = ..., given: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., reference: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., gallery_sizes: _Optional[_Iterable[int]] = ..., method: _Optional[_Union[_alignment_pb2.ConsensusMethod, str]] = ..., rank: _Optional[int] = ...) -> None: ...

class EstimateAlignmentResponse(_message.Message):
    __slots__ = ("items_at_most", "queries", "searches", "seconds", "mode", "peak_bytes", "vector_bytes", "table_bytes", "scratch_bytes", "free_bytes", "budget_bytes", "refusals")
    ITEMS_AT_MOST_FIELD_NUMBER: _ClassVar[int]
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    SEARCHES_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    PEAK_BYTES_FIELD_NUMBER: _ClassVar[int]
    VECTOR_BYTES_FIELD_NUMBER: _ClassVar[int]
    TABLE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SCRATCH_BYTES_FIELD_NUMBER: _ClassVar[int]
    FREE_BYTES_FIELD_NUMBER: _ClassVar[int]
    BUDGET_BYTES_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    items_at_most: int
    queries: int
    searches: int
    seconds: float
    mode: _alignment_pb2.ExecutionMode
    peak_bytes: int
    vector_bytes: int
    table_bytes: int
    scratch_bytes: int
    free_bytes: int
    budget_bytes: int
    refusals: _containers.RepeatedCompositeFieldContainer[Refusal]
    def __init__(self, items_at_most: _Optional[int] = ..., queries: _Optional[int] = ..., searches: _Optional[int] = ..., seconds: _Optional[float] = ..., mode: _Optional[_Union[_alignment_pb2.ExecutionMode, str]] = ..., peak_bytes: _Optional[int] = ..., vector_bytes: _Optional[int] = ..., table_bytes: _Optional[int] = ..., scratch_bytes: _Optional[int] = ..., free_bytes: _Optional[int] = ..., budget_bytes: _Optional[int] = ..., refusals: _Optional[_Iterable[_Union[Refusal, _Mapping]]] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("reason", "field", "message", "code")
    REASON_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    reason: str
    field: str
    message: str
    code: int
    def __init__(self, reason: _Optional[str] = ..., field: _Optional[str] = ..., message: _Optional[str] = ..., code: _Optional[int] = ...) -> None: ...
