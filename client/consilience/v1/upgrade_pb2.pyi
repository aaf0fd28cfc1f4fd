from consilience.v1 import alignment_pb2 as _alignment_pb2
from consilience.v1 import bridge_pb2 as _bridge_pb2
from consilience.v1 import space_pb2 as _space_pb2
from google.longrunning import operations_pb2 as _operations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UpgradeVerdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UPGRADE_VERDICT_UNSPECIFIED: _ClassVar[UpgradeVerdict]
    UPGRADE_VERDICT_DROP_IN: _ClassVar[UpgradeVerdict]
    UPGRADE_VERDICT_BRIDGE: _ClassVar[UpgradeVerdict]
    UPGRADE_VERDICT_REEMBED: _ClassVar[UpgradeVerdict]
    UPGRADE_VERDICT_KEEP: _ClassVar[UpgradeVerdict]
    UPGRADE_VERDICT_UNDECIDED: _ClassVar[UpgradeVerdict]

class UpgradeStrategy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UPGRADE_STRATEGY_UNSPECIFIED: _ClassVar[UpgradeStrategy]
    UPGRADE_STRATEGY_IDENTITY: _ClassVar[UpgradeStrategy]
    UPGRADE_STRATEGY_MEAN_SHIFT: _ClassVar[UpgradeStrategy]
    UPGRADE_STRATEGY_BRIDGE: _ClassVar[UpgradeStrategy]
    UPGRADE_STRATEGY_KEEP_OLD: _ClassVar[UpgradeStrategy]
    UPGRADE_STRATEGY_REEMBED: _ClassVar[UpgradeStrategy]

class UpgradeOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UPGRADE_OUTCOME_UNSPECIFIED: _ClassVar[UpgradeOutcome]
    UPGRADE_OUTCOME_PASSES: _ClassVar[UpgradeOutcome]
    UPGRADE_OUTCOME_FAILS: _ClassVar[UpgradeOutcome]
    UPGRADE_OUTCOME_UNDECIDED: _ClassVar[UpgradeOutcome]
UPGRADE_VERDICT_UNSPECIFIED: UpgradeVerdict
UPGRADE_VERDICT_DROP_IN: UpgradeVerdict
UPGRADE_VERDICT_BRIDGE: UpgradeVerdict
UPGRADE_VERDICT_REEMBED: UpgradeVerdict
UPGRADE_VERDICT_KEEP: UpgradeVerdict
UPGRADE_VERDICT_UNDECIDED: UpgradeVerdict
UPGRADE_STRATEGY_UNSPECIFIED: UpgradeStrategy
UPGRADE_STRATEGY_IDENTITY: UpgradeStrategy
UPGRADE_STRATEGY_MEAN_SHIFT: UpgradeStrategy
UPGRADE_STRATEGY_BRIDGE: UpgradeStrategy
UPGRADE_STRATEGY_KEEP_OLD: UpgradeStrategy
UPGRADE_STRATEGY_REEMBED: UpgradeStrategy
UPGRADE_OUTCOME_UNSPECIFIED: UpgradeOutcome
UPGRADE_OUTCOME_PASSES: UpgradeOutcome
UPGRADE_OUTCOME_FAILS: UpgradeOutcome
UPGRADE_OUTCOME_UNDECIDED: UpgradeOutcome

class QuerySpaces(_message.Message):
    __slots__ = ("old", "new")
    OLD_FIELD_NUMBER: _ClassVar[int]
    NEW_FIELD_NUMBER: _ClassVar[int]
    old: _space_pb2.SpaceRef
    new: _space_pb2.SpaceRef
    def __init__(self, old: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., new: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ...) -> None: ...

class Judgement(_message.Message):
    __slots__ = ("query_id", "item_ids", "grades")
    QUERY_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    GRADES_FIELD_NUMBER: _ClassVar[int]
    query_id: str
    item_ids: _containers.RepeatedScalarFieldContainer[str]
    grades: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, query_id: _Optional[str] = ..., item_ids: _Optional[_Iterable[str]] = ..., grades: _Optional[_Iterable[float]] = ...) -> None: ...

class UpgradeThreshold(_message.Message):
    __slots__ = ("measure", "least")
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    LEAST_FIELD_NUMBER: _ClassVar[int]
    measure: str
    least: float
    def __init__(self, measure: _Optional[str] = ..., least: _Optional[float] = ...) -> None: ...

class EvaluateUpgradeRequest(_message.Message):
    __slots__ = ("old", "new", "query_spaces", "query_ids", "sample_queries", "judgements", "thresholds", "bridge", "method", "slice_by", "slice_prefix", "seed", "reembed_limit", "mode", "request_id")
    OLD_FIELD_NUMBER: _ClassVar[int]
    NEW_FIELD_NUMBER: _ClassVar[int]
    QUERY_SPACES_FIELD_NUMBER: _ClassVar[int]
    QUERY_IDS_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_QUERIES_FIELD_NUMBER: _ClassVar[int]
    JUDGEMENTS_FIELD_NUMBER: _ClassVar[int]
    THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
    BRIDGE_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    SLICE_BY_FIELD_NUMBER: _ClassVar[int]
    SLICE_PREFIX_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    REEMBED_LIMIT_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    old: _space_pb2.SpaceRef
    new: _space_pb2.SpaceRef
    query_spaces: QuerySpaces
    query_ids: _containers.RepeatedScalarFieldContainer[str]
    sample_queries: int
    judgements: _containers.RepeatedCompositeFieldContainer[Judgement]
    thresholds: _containers.RepeatedCompositeFieldContainer[UpgradeThreshold]
    bridge: str
    method: _bridge_pb2.BridgeMethod
    slice_by: str
    slice_prefix: str
    seed: int
    reembed_limit: int
    mode: _alignment_pb2.ExecutionMode
    request_id: str
    def __init__(self, old: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., new: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., query_spaces: _Optional[_Union[QuerySpaces, _Mapping]] = ..., query_ids: _Optional[_Iterable[str]] = ..., sample_queries: _Optional[int] = ..., judgements: _Optional[_Iterable[_Union[Judgement, _Mapping]]] = ..., thresholds: _Optional[_Iterable[_Union[UpgradeThreshold, _Mapping]]] = ..., bridge: _Optional[str] = ..., method: _Optional[_Union[_bridge_pb2.BridgeMethod, str]] = ..., slice_by: _Optional[str] = ..., slice_prefix: _Optional[str] = ..., seed: _Optional[int] = ..., reembed_limit: _Optional[int] = ..., mode: _Optional[_Union[_alignment_pb2.ExecutionMode, str]] = ..., request_id: _Optional[str] = ...) -> None: ...

class EvaluateUpgradeResponse(_message.Message):
    __slots__ = ("report", "operation")
    REPORT_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    report: UpgradeReport
    operation: _operations_pb2.Operation
    def __init__(self, report: _Optional[_Union[UpgradeReport, _Mapping]] = ..., operation: _Optional[_Union[_operations_pb2.Operation, _Mapping]] = ...) -> None: ...

class MeasuredBy(_message.Message):
    __slots__ = ("measure", "measured")
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    MEASURED_FIELD_NUMBER: _ClassVar[int]
    measure: str
    measured: _bridge_pb2.Measured
    def __init__(self, measure: _Optional[str] = ..., measured: _Optional[_Union[_bridge_pb2.Measured, _Mapping]] = ...) -> None: ...

class StrategyReport(_message.Message):
    __slots__ = ("strategy", "measured", "retained")
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    MEASURED_FIELD_NUMBER: _ClassVar[int]
    RETAINED_FIELD_NUMBER: _ClassVar[int]
    strategy: UpgradeStrategy
    measured: _containers.RepeatedCompositeFieldContainer[MeasuredBy]
    retained: _containers.RepeatedCompositeFieldContainer[MeasuredBy]
    def __init__(self, strategy: _Optional[_Union[UpgradeStrategy, str]] = ..., measured: _Optional[_Iterable[_Union[MeasuredBy, _Mapping]]] = ..., retained: _Optional[_Iterable[_Union[MeasuredBy, _Mapping]]] = ...) -> None: ...

class UpgradeTest(_message.Message):
    __slots__ = ("strategy", "measure", "threshold", "retained", "outcome", "queries_needed")
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    RETAINED_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    QUERIES_NEEDED_FIELD_NUMBER: _ClassVar[int]
    strategy: UpgradeStrategy
    measure: str
    threshold: float
    retained: _bridge_pb2.Measured
    outcome: UpgradeOutcome
    queries_needed: int
    def __init__(self, strategy: _Optional[_Union[UpgradeStrategy, str]] = ..., measure: _Optional[str] = ..., threshold: _Optional[float] = ..., retained: _Optional[_Union[_bridge_pb2.Measured, _Mapping]] = ..., outcome: _Optional[_Union[UpgradeOutcome, str]] = ..., queries_needed: _Optional[int] = ...) -> None: ...

class SliceVerdict(_message.Message):
    __slots__ = ("value", "queries", "verdict", "tests")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    TESTS_FIELD_NUMBER: _ClassVar[int]
    value: str
    queries: int
    verdict: UpgradeVerdict
    tests: _containers.RepeatedCompositeFieldContainer[UpgradeTest]
    def __init__(self, value: _Optional[str] = ..., queries: _Optional[int] = ..., verdict: _Optional[_Union[UpgradeVerdict, str]] = ..., tests: _Optional[_Iterable[_Union[UpgradeTest, _Mapping]]] = ...) -> None: ...

class UpgradeBridge(_message.Message):
    __slots__ = ("name", "method", "fit_pairs", "near_copies", "candidates", "learning_curve")
    NAME_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    FIT_PAIRS_FIELD_NUMBER: _ClassVar[int]
    NEAR_COPIES_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    LEARNING_CURVE_FIELD_NUMBER: _ClassVar[int]
    name: str
    method: _bridge_pb2.BridgeMethod
    fit_pairs: int
    near_copies: int
    candidates: _containers.RepeatedCompositeFieldContainer[_bridge_pb2.RetrievalReport]
    learning_curve: _containers.RepeatedCompositeFieldContainer[_bridge_pb2.LearningPoint]
    def __init__(self, name: _Optional[str] = ..., method: _Optional[_Union[_bridge_pb2.BridgeMethod, str]] = ..., fit_pairs: _Optional[int] = ..., near_copies: _Optional[int] = ..., candidates: _Optional[_Iterable[_Union[_bridge_pb2.RetrievalReport, _Mapping]]] = ..., learning_curve: _Optional[_Iterable[_Union[_bridge_pb2.LearningPoint, _Mapping]]] = ...) -> None: ...

class RegainedPoint(_message.Message):
    __slots__ = ("items", "recall", "gain", "per_thousand", "at_random")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    RECALL_FIELD_NUMBER: _ClassVar[int]
    GAIN_FIELD_NUMBER: _ClassVar[int]
    PER_THOUSAND_FIELD_NUMBER: _ClassVar[int]
    AT_RANDOM_FIELD_NUMBER: _ClassVar[int]
    items: int
    recall: _bridge_pb2.Measured
    gain: _bridge_pb2.Measured
    per_thousand: float
    at_random: float
    def __init__(self, items: _Optional[int] = ..., recall: _Optional[_Union[_bridge_pb2.Measured, _Mapping]] = ..., gain: _Optional[_Union[_bridge_pb2.Measured, _Mapping]] = ..., per_thousand: _Optional[float] = ..., at_random: _Optional[float] = ...) -> None: ...

class UpgradeReport(_message.Message):
    __slots__ = ("verdict", "queries_needed", "strategies", "slices", "bridge", "reembed_first", "missed", "regained", "chosen_on", "measured_on", "queries", "gallery", "old", "new", "old_queries", "new_queries", "dropped_old", "dropped_new", "clustered_by", "notes")
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    QUERIES_NEEDED_FIELD_NUMBER: _ClassVar[int]
    STRATEGIES_FIELD_NUMBER: _ClassVar[int]
    SLICES_FIELD_NUMBER: _ClassVar[int]
    BRIDGE_FIELD_NUMBER: _ClassVar[int]
    REEMBED_FIRST_FIELD_NUMBER: _ClassVar[int]
    MISSED_FIELD_NUMBER: _ClassVar[int]
    REGAINED_FIELD_NUMBER: _ClassVar[int]
    CHOSEN_ON_FIELD_NUMBER: _ClassVar[int]
    MEASURED_ON_FIELD_NUMBER: _ClassVar[int]
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    OLD_FIELD_NUMBER: _ClassVar[int]
    NEW_FIELD_NUMBER: _ClassVar[int]
    OLD_QUERIES_FIELD_NUMBER: _ClassVar[int]
    NEW_QUERIES_FIELD_NUMBER: _ClassVar[int]
    DROPPED_OLD_FIELD_NUMBER: _ClassVar[int]
    DROPPED_NEW_FIELD_NUMBER: _ClassVar[int]
    CLUSTERED_BY_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    verdict: UpgradeVerdict
    queries_needed: int
    strategies: _containers.RepeatedCompositeFieldContainer[StrategyReport]
    slices: _containers.RepeatedCompositeFieldContainer[SliceVerdict]
    bridge: UpgradeBridge
    reembed_first: _containers.RepeatedScalarFieldContainer[str]
    missed: _containers.RepeatedScalarFieldContainer[int]
    regained: _containers.RepeatedCompositeFieldContainer[RegainedPoint]
    chosen_on: int
    measured_on: int
    queries: int
    gallery: int
    old: _space_pb2.SpaceUse
    new: _space_pb2.SpaceUse
    old_queries: _space_pb2.SpaceUse
    new_queries: _space_pb2.SpaceUse
    dropped_old: int
    dropped_new: int
    clustered_by: str
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, verdict: _Optional[_Union[UpgradeVerdict, str]] = ..., queries_needed: _Optional[int] = ..., strategies: _Optional[_Iterable[_Union[StrategyReport, _Mapping]]] = ..., slices: _Optional[_Iterable[_Union[SliceVerdict, _Mapping]]] = ..., bridge: _Optional[_Union[UpgradeBridge, _Mapping]] = ..., reembed_first: _Optional[_Iterable[str]] = ..., missed: _Optional[_Iterable[int]] = ..., regained: _Optional[_Iterable[_Union[RegainedPoint, _Mapping]]] = ..., chosen_on: _Optional[int] = ..., measured_on: _Optional[int] = ..., queries: _Optional[int] = ..., gallery: _Optional[int] = ..., old: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., new: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., old_queries: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., new_queries: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., dropped_old: _Optional[int] = ..., dropped_new: _Optional[int] = ..., clustered_by: _Optional[str] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...
