from consilience.v1 import alignment_pb2 as _alignment_pb2
from consilience.v1 import bridge_pb2 as _bridge_pb2
from google.longrunning import operations_pb2 as _operations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ComposeBridgesRequest(_message.Message):
    __slots__ = ("bridge_id", "bridges", "pairs", "mode", "request_id")
    BRIDGE_ID_FIELD_NUMBER: _ClassVar[int]
    BRIDGES_FIELD_NUMBER: _ClassVar[int]
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    bridge_id: str
    bridges: _containers.RepeatedScalarFieldContainer[str]
    pairs: _bridge_pb2.PairSelection
    mode: _alignment_pb2.ExecutionMode
    request_id: str
    def __init__(self, bridge_id: _Optional[str] = ..., bridges: _Optional[_Iterable[str]] = ..., pairs: _Optional[_Union[_bridge_pb2.PairSelection, _Mapping]] = ..., mode: _Optional[_Union[_alignment_pb2.ExecutionMode, str]] = ..., request_id: _Optional[str] = ...) -> None: ...

class ComposeBridgesResponse(_message.Message):
    __slots__ = ("bridge", "operation")
    BRIDGE_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    bridge: _bridge_pb2.Bridge
    operation: _operations_pb2.Operation
    def __init__(self, bridge: _Optional[_Union[_bridge_pb2.Bridge, _Mapping]] = ..., operation: _Optional[_Union[_operations_pb2.Operation, _Mapping]] = ...) -> None: ...

class InvertBridgeRequest(_message.Message):
    __slots__ = ("bridge_id", "bridge", "pairs", "mode", "request_id")
    BRIDGE_ID_FIELD_NUMBER: _ClassVar[int]
    BRIDGE_FIELD_NUMBER: _ClassVar[int]
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    bridge_id: str
    bridge: str
    pairs: _bridge_pb2.PairSelection
    mode: _alignment_pb2.ExecutionMode
    request_id: str
    def __init__(self, bridge_id: _Optional[str] = ..., bridge: _Optional[str] = ..., pairs: _Optional[_Union[_bridge_pb2.PairSelection, _Mapping]] = ..., mode: _Optional[_Union[_alignment_pb2.ExecutionMode, str]] = ..., request_id: _Optional[str] = ...) -> None: ...

class InvertBridgeResponse(_message.Message):
    __slots__ = ("bridge", "operation")
    BRIDGE_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    bridge: _bridge_pb2.Bridge
    operation: _operations_pb2.Operation
    def __init__(self, bridge: _Optional[_Union[_bridge_pb2.Bridge, _Mapping]] = ..., operation: _Optional[_Union[_operations_pb2.Operation, _Mapping]] = ...) -> None: ...
