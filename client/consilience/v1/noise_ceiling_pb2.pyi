from consilience.v1 import alignment_pb2 as _alignment_pb2
from consilience.v1 import matrix_pb2 as _matrix_pb2
from consilience.v1 import space_pb2 as _space_pb2
from google.longrunning import operations_pb2 as _operations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MeasureReliabilityRequest(_message.Message):
    __slots__ = ("spaces",)
    SPACES_FIELD_NUMBER: _ClassVar[int]
    spaces: _containers.RepeatedCompositeFieldContainer[_space_pb2.SpaceRef]
    def __init__(self, spaces: _Optional[_Iterable[_Union[_space_pb2.SpaceRef, _Mapping]]] = ...) -> None: ...

class MeasureReliabilityResponse(_message.Message):
    __slots__ = ("spaces", "n", "reliability", "engine")
    SPACES_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    RELIABILITY_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    spaces: _containers.RepeatedCompositeFieldContainer[_space_pb2.SpaceUse]
    n: int
    reliability: _matrix_pb2.Matrix
    engine: str
    def __init__(self, spaces: _Optional[_Iterable[_Union[_space_pb2.SpaceUse, _Mapping]]] = ..., n: _Optional[int] = ..., reliability: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., engine: _Optional[str] = ...) -> None: ...

class MeasureNoiseCeilingRequest(_message.Message):
    __slots__ = ("space", "against", "comparison", "rdm_distance", "draws", "skip_bootstrap", "seed", "confidence", "mode", "request_id")
    SPACE_FIELD_NUMBER: _ClassVar[int]
    AGAINST_FIELD_NUMBER: _ClassVar[int]
    COMPARISON_FIELD_NUMBER: _ClassVar[int]
    RDM_DISTANCE_FIELD_NUMBER: _ClassVar[int]
    DRAWS_FIELD_NUMBER: _ClassVar[int]
    SKIP_BOOTSTRAP_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    space: _space_pb2.SpaceRef
    against: _containers.RepeatedCompositeFieldContainer[_space_pb2.SpaceRef]
    comparison: _alignment_pb2.RdmComparison
    rdm_distance: _alignment_pb2.RdmDistance
    draws: int
    skip_bootstrap: bool
    seed: int
    confidence: float
    mode: _alignment_pb2.ExecutionMode
    request_id: str
    def __init__(self, space: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., against: _Optional[_Iterable[_Union[_space_pb2.SpaceRef, _Mapping]]] = ..., comparison: _Optional[_Union[_alignment_pb2.RdmComparison, str]] = ..., rdm_distance: _Optional[_Union[_alignment_pb2.RdmDistance, str]] = ..., draws: _Optional[int] = ..., skip_bootstrap: bool = ..., seed: _Optional[int] = ..., confidence: _Optional[float] = ..., mode: _Optional[_Union[_alignment_pb2.ExecutionMode, str]] = ..., request_id: _Optional[str] = ...) -> None: ...

class MeasureNoiseCeilingResponse(_message.Message):
    __slots__ = ("report", "operation")
    REPORT_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    report: NoiseCeilingReport
    operation: _operations_pb2.Operation
    def __init__(self, report: _Optional[_Union[NoiseCeilingReport, _Mapping]] = ..., operation: _Optional[_Union[_operations_pb2.Operation, _Mapping]] = ...) -> None: ...

class NoiseCeilingReport(_message.Message):
    __slots__ = ("space", "repeats", "n", "dropped", "pairs", "lower", "upper", "lower_by_repeat", "upper_by_repeat", "scores", "comparison", "rdm_distance", "draws", "seed", "confidence", "engine")
    SPACE_FIELD_NUMBER: _ClassVar[int]
    REPEATS_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    LOWER_FIELD_NUMBER: _ClassVar[int]
    UPPER_FIELD_NUMBER: _ClassVar[int]
    LOWER_BY_REPEAT_FIELD_NUMBER: _ClassVar[int]
    UPPER_BY_REPEAT_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    COMPARISON_FIELD_NUMBER: _ClassVar[int]
    RDM_DISTANCE_FIELD_NUMBER: _ClassVar[int]
    DRAWS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    space: _space_pb2.SpaceUse
    repeats: _containers.RepeatedScalarFieldContainer[str]
    n: int
    dropped: int
    pairs: _containers.RepeatedScalarFieldContainer[int]
    lower: float
    upper: float
    lower_by_repeat: _containers.RepeatedScalarFieldContainer[float]
    upper_by_repeat: _containers.RepeatedScalarFieldContainer[float]
    scores: _containers.RepeatedCompositeFieldContainer[CeilingScore]
    comparison: _alignment_pb2.RdmComparison
    rdm_distance: _alignment_pb2.RdmDistance
    draws: int
    seed: int
    confidence: float
    engine: str
    def __init__(self, space: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., repeats: _Optional[_Iterable[str]] = ..., n: _Optional[int] = ..., dropped: _Optional[int] = ..., pairs: _Optional[_Iterable[int]] = ..., lower: _Optional[float] = ..., upper: _Optional[float] = ..., lower_by_repeat: _Optional[_Iterable[float]] = ..., upper_by_repeat: _Optional[_Iterable[float]] = ..., scores: _Optional[_Iterable[_Union[CeilingScore, _Mapping]]] = ..., comparison: _Optional[_Union[_alignment_pb2.RdmComparison, str]] = ..., rdm_distance: _Optional[_Union[_alignment_pb2.RdmDistance, str]] = ..., draws: _Optional[int] = ..., seed: _Optional[int] = ..., confidence: _Optional[float] = ..., engine: _Optional[str] = ...) -> None: ...

class CeilingScore(_message.Message):
    __slots__ = ("space", "score", "by_repeat", "low", "high", "undefined_draws", "rule")
    SPACE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    BY_REPEAT_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    UNDEFINED_DRAWS_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    space: _space_pb2.SpaceUse
    score: float
    by_repeat: _containers.RepeatedScalarFieldContainer[float]
    low: float
    high: float
    undefined_draws: int
    rule: str
    def __init__(self, space: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., score: _Optional[float] = ..., by_repeat: _Optional[_Iterable[float]] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., undefined_draws: _Optional[int] = ..., rule: _Optional[str] = ...) -> None: ...
