from consilience.v1 import alignment_pb2 as _alignment_pb2
from consilience.v1 import space_pb2 as _space_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DescribeSpaceRequest(_message.Message):
    __slots__ = ("space", "k", "preprocess")
    SPACE_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    PREPROCESS_FIELD_NUMBER: _ClassVar[int]
    space: _space_pb2.SpaceRef
    k: int
    preprocess: _alignment_pb2.Preprocess
    def __init__(self, space: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., k: _Optional[int] = ..., preprocess: _Optional[_Union[_alignment_pb2.Preprocess, str]] = ...) -> None: ...

class DescribeSpaceResponse(_message.Message):
    __slots__ = ("geometry", "space", "n", "dim", "preprocess", "certificate", "engine")
    GEOMETRY_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    DIM_FIELD_NUMBER: _ClassVar[int]
    PREPROCESS_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    geometry: _space_pb2.SpaceGeometry
    space: _space_pb2.SpaceUse
    n: int
    dim: int
    preprocess: _alignment_pb2.Preprocess
    certificate: _alignment_pb2.Certificate
    engine: str
    def __init__(self, geometry: _Optional[_Union[_space_pb2.SpaceGeometry, _Mapping]] = ..., space: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., n: _Optional[int] = ..., dim: _Optional[int] = ..., preprocess: _Optional[_Union[_alignment_pb2.Preprocess, str]] = ..., certificate: _Optional[_Union[_alignment_pb2.Certificate, _Mapping]] = ..., engine: _Optional[str] = ...) -> None: ...
