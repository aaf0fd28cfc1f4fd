from consilience.v1 import bridge_pb2 as _bridge_pb2
from consilience.v1 import space_pb2 as _space_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EstimateBridgeRequest(_message.Message):
    __slots__ = ("source", "target", "pairs", "method", "recall", "k", "seed")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    RECALL_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    source: _space_pb2.SpaceRef
    target: _space_pb2.SpaceRef
    pairs: _bridge_pb2.PairSelection
    method: _bridge_pb2.BridgeMethod
    recall: float
    k: int
    seed: int
    def __init__(self, source: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., target: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., pairs: _Optional[_Union[_bridge_pb2.PairSelection, _Mapping]] = ..., method: _Optional[_Union[_bridge_pb2.BridgeMethod, str]] = ..., recall: _Optional[float] = ..., k: _Optional[int] = ..., seed: _Optional[int] = ...) -> None: ...

class PairAlignment(_message.Message):
    __slots__ = ("mutual_knn", "chance", "p_value", "cka", "items")
    MUTUAL_KNN_FIELD_NUMBER: _ClassVar[int]
    CHANCE_FIELD_NUMBER: _ClassVar[int]
    P_VALUE_FIELD_NUMBER: _ClassVar[int]
    CKA_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    mutual_knn: float
    chance: float
    p_value: float
    cka: float
    items: int
    def __init__(self, mutual_knn: _Optional[float] = ..., chance: _Optional[float] = ..., p_value: _Optional[float] = ..., cka: _Optional[float] = ..., items: _Optional[int] = ...) -> None: ...

class MethodSupport(_message.Message):
    __slots__ = ("method", "needed_pairs", "supported")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    NEEDED_PAIRS_FIELD_NUMBER: _ClassVar[int]
    SUPPORTED_FIELD_NUMBER: _ClassVar[int]
    method: _bridge_pb2.BridgeMethod
    needed_pairs: int
    supported: bool
    def __init__(self, method: _Optional[_Union[_bridge_pb2.BridgeMethod, str]] = ..., needed_pairs: _Optional[int] = ..., supported: bool = ...) -> None: ...

class EstimateBridgeResponse(_message.Message):
    __slots__ = ("source", "target", "pairs", "alignment", "methods", "method", "measured", "foreseen", "plateaus", "needed_pairs", "needed_pairs_low", "needed_pairs_high", "queries", "gallery", "seconds", "peak_bytes", "notes")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    ALIGNMENT_FIELD_NUMBER: _ClassVar[int]
    METHODS_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    MEASURED_FIELD_NUMBER: _ClassVar[int]
    FORESEEN_FIELD_NUMBER: _ClassVar[int]
    PLATEAUS_FIELD_NUMBER: _ClassVar[int]
    NEEDED_PAIRS_FIELD_NUMBER: _ClassVar[int]
    NEEDED_PAIRS_LOW_FIELD_NUMBER: _ClassVar[int]
    NEEDED_PAIRS_HIGH_FIELD_NUMBER: _ClassVar[int]
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    PEAK_BYTES_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    source: _space_pb2.SpaceUse
    target: _space_pb2.SpaceUse
    pairs: int
    alignment: PairAlignment
    methods: _containers.RepeatedCompositeFieldContainer[MethodSupport]
    method: _bridge_pb2.BridgeMethod
    measured: _containers.RepeatedCompositeFieldContainer[_bridge_pb2.LearningPoint]
    foreseen: _containers.RepeatedCompositeFieldContainer[_bridge_pb2.LearningPoint]
    plateaus: _containers.RepeatedCompositeFieldContainer[_bridge_pb2.RecallAtK]
    needed_pairs: int
    needed_pairs_low: int
    needed_pairs_high: int
    queries: int
    gallery: int
    seconds: float
    peak_bytes: int
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, source: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., target: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., pairs: _Optional[int] = ..., alignment: _Optional[_Union[PairAlignment, _Mapping]] = ..., methods: _Optional[_Iterable[_Union[MethodSupport, _Mapping]]] = ..., method: _Optional[_Union[_bridge_pb2.BridgeMethod, str]] = ..., measured: _Optional[_Iterable[_Union[_bridge_pb2.LearningPoint, _Mapping]]] = ..., foreseen: _Optional[_Iterable[_Union[_bridge_pb2.LearningPoint, _Mapping]]] = ..., plateaus: _Optional[_Iterable[_Union[_bridge_pb2.RecallAtK, _Mapping]]] = ..., needed_pairs: _Optional[int] = ..., needed_pairs_low: _Optional[int] = ..., needed_pairs_high: _Optional[int] = ..., queries: _Optional[int] = ..., gallery: _Optional[int] = ..., seconds: _Optional[float] = ..., peak_bytes: _Optional[int] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...
