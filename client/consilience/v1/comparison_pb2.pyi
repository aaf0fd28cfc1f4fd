from consilience.v1 import alignment_pb2 as _alignment_pb2
from consilience.v1 import space_pb2 as _space_pb2
from google.longrunning import operations_pb2 as _operations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SpacePair(_message.Message):
    __slots__ = ("x", "y")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    x: _space_pb2.SpaceRef
    y: _space_pb2.SpaceRef
    def __init__(self, x: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., y: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ...) -> None: ...

class CompareAlignmentsRequest(_message.Message):
    __slots__ = ("first", "second", "spec", "mode", "request_id")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    SECOND_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    first: SpacePair
    second: SpacePair
    spec: _alignment_pb2.AlignmentSpec
    mode: _alignment_pb2.ExecutionMode
    request_id: str
    def __init__(self, first: _Optional[_Union[SpacePair, _Mapping]] = ..., second: _Optional[_Union[SpacePair, _Mapping]] = ..., spec: _Optional[_Union[_alignment_pb2.AlignmentSpec, _Mapping]] = ..., mode: _Optional[_Union[_alignment_pb2.ExecutionMode, str]] = ..., request_id: _Optional[str] = ...) -> None: ...

class CompareAlignmentsResponse(_message.Message):
    __slots__ = ("comparison", "operation")
    COMPARISON_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    comparison: AlignmentComparison
    operation: _operations_pb2.Operation
    def __init__(self, comparison: _Optional[_Union[AlignmentComparison, _Mapping]] = ..., operation: _Optional[_Union[_operations_pb2.Operation, _Mapping]] = ...) -> None: ...

class AlignmentComparison(_message.Message):
    __slots__ = ("first", "second", "differences")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    SECOND_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    first: _alignment_pb2.AlignmentReport
    second: _alignment_pb2.AlignmentReport
    differences: _containers.RepeatedCompositeFieldContainer[_alignment_pb2.Difference]
    def __init__(self, first: _Optional[_Union[_alignment_pb2.AlignmentReport, _Mapping]] = ..., second: _Optional[_Union[_alignment_pb2.AlignmentReport, _Mapping]] = ..., differences: _Optional[_Iterable[_Union[_alignment_pb2.Difference, _Mapping]]] = ...) -> None: ...
