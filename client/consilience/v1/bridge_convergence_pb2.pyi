from consilience.v1 import alignment_pb2 as _alignment_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BridgeConvergence(_message.Message):
    __slots__ = ("converged", "agreement", "interval", "chance", "queries", "fits")
    CONVERGED_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    CHANCE_FIELD_NUMBER: _ClassVar[int]
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    FITS_FIELD_NUMBER: _ClassVar[int]
    converged: bool
    agreement: float
    interval: _alignment_pb2.Interval
    chance: float
    queries: int
    fits: int
    def __init__(self, converged: bool = ..., agreement: _Optional[float] = ..., interval: _Optional[_Union[_alignment_pb2.Interval, _Mapping]] = ..., chance: _Optional[float] = ..., queries: _Optional[int] = ..., fits: _Optional[int] = ...) -> None: ...
