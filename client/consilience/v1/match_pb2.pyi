from consilience.v1 import alignment_pb2 as _alignment_pb2
from consilience.v1 import matrix_pb2 as _matrix_pb2
from consilience.v1 import space_pb2 as _space_pb2
from google.longrunning import operations_pb2 as _operations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Correction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CORRECTION_UNSPECIFIED: _ClassVar[Correction]
    CORRECTION_NONE: _ClassVar[Correction]
    CORRECTION_CSLS: _ClassVar[Correction]
    CORRECTION_INVERTED_SOFTMAX: _ClassVar[Correction]
    CORRECTION_MARGIN_RATIO: _ClassVar[Correction]
    CORRECTION_MARGIN_DISTANCE: _ClassVar[Correction]

class IndexKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INDEX_KIND_UNSPECIFIED: _ClassVar[IndexKind]
    INDEX_KIND_EXACT: _ClassVar[IndexKind]
    INDEX_KIND_HNSW: _ClassVar[IndexKind]
    INDEX_KIND_IVF: _ClassVar[IndexKind]
    INDEX_KIND_CAGRA: _ClassVar[IndexKind]
    INDEX_KIND_GPU_FLAT: _ClassVar[IndexKind]

class PairMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PAIR_MODE_UNSPECIFIED: _ClassVar[PairMode]
    PAIR_MODE_FORWARD: _ClassVar[PairMode]
    PAIR_MODE_BACKWARD: _ClassVar[PairMode]
    PAIR_MODE_INTERSECT: _ClassVar[PairMode]
    PAIR_MODE_MAX: _ClassVar[PairMode]

class TranslateSide(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRANSLATE_SIDE_UNSPECIFIED: _ClassVar[TranslateSide]
    TRANSLATE_SIDE_SOURCE: _ClassVar[TranslateSide]
    TRANSLATE_SIDE_TARGET: _ClassVar[TranslateSide]
CORRECTION_UNSPECIFIED: Correction
CORRECTION_NONE: Correction
CORRECTION_CSLS: Correction
CORRECTION_INVERTED_SOFTMAX: Correction
CORRECTION_MARGIN_RATIO: Correction
CORRECTION_MARGIN_DISTANCE: Correction
INDEX_KIND_UNSPECIFIED: IndexKind
INDEX_KIND_EXACT: IndexKind
INDEX_KIND_HNSW: IndexKind
INDEX_KIND_IVF: IndexKind
INDEX_KIND_CAGRA: IndexKind
INDEX_KIND_GPU_FLAT: IndexKind
PAIR_MODE_UNSPECIFIED: PairMode
PAIR_MODE_FORWARD: PairMode
PAIR_MODE_BACKWARD: PairMode
PAIR_MODE_INTERSECT: PairMode
PAIR_MODE_MAX: PairMode
TRANSLATE_SIDE_UNSPECIFIED: TranslateSide
TRANSLATE_SIDE_SOURCE: TranslateSide
TRANSLATE_SIDE_TARGET: TranslateSide

class IdQueries(_message.Message):
    __slots__ = ("ids",)
    IDS_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ItemIds(_message.Message):
    __slots__ = ("ids",)
    IDS_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, ids: _Optional[_Iterable[str]] = ...) -> None: ...

class IndexParameters(_message.Message):
    __slots__ = ("ef_search", "nprobe", "itopk_size")
    EF_SEARCH_FIELD_NUMBER: _ClassVar[int]
    NPROBE_FIELD_NUMBER: _ClassVar[int]
    ITOPK_SIZE_FIELD_NUMBER: _ClassVar[int]
    ef_search: int
    nprobe: int
    itopk_size: int
    def __init__(self, ef_search: _Optional[int] = ..., nprobe: _Optional[int] = ..., itopk_size: _Optional[int] = ...) -> None: ...

class IndexRecall(_message.Message):
    __slots__ = ("value", "low", "high", "confidence", "k", "probe_queries")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    PROBE_QUERIES_FIELD_NUMBER: _ClassVar[int]
    value: float
    low: float
    high: float
    confidence: float
    k: int
    probe_queries: int
    def __init__(self, value: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., confidence: _Optional[float] = ..., k: _Optional[int] = ..., probe_queries: _Optional[int] = ...) -> None: ...

class MatchCalibration(_message.Message):
    __slots__ = ("pairs", "accuracy", "error")
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    pairs: int
    accuracy: float
    error: float
    def __init__(self, pairs: _Optional[int] = ..., accuracy: _Optional[float] = ..., error: _Optional[float] = ...) -> None: ...

class MatchRequest(_message.Message):
    __slots__ = ("vectors", "ids", "bridge", "space", "k", "correction", "correction_k", "index", "gallery_version", "filter", "mode", "index_parameters", "gallery_ids", "exclude_ids", "beta", "probability", "one_to_one", "expected_bridge")
    VECTORS_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    BRIDGE_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_K_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    GALLERY_VERSION_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    INDEX_PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    GALLERY_IDS_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_IDS_FIELD_NUMBER: _ClassVar[int]
    BETA_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    ONE_TO_ONE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_BRIDGE_FIELD_NUMBER: _ClassVar[int]
    vectors: _matrix_pb2.Matrix
    ids: IdQueries
    bridge: str
    space: _space_pb2.SpaceRef
    k: int
    correction: Correction
    correction_k: int
    index: IndexKind
    gallery_version: int
    filter: str
    mode: _alignment_pb2.ExecutionMode
    index_parameters: IndexParameters
    gallery_ids: ItemIds
    exclude_ids: ItemIds
    beta: float
    probability: bool
    one_to_one: bool
    expected_bridge: ExpectedBridge
    def __init__(self, vectors: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., ids: _Optional[_Union[IdQueries, _Mapping]] = ..., bridge: _Optional[str] = ..., space: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., k: _Optional[int] = ..., correction: _Optional[_Union[Correction, str]] = ..., correction_k: _Optional[int] = ..., index: _Optional[_Union[IndexKind, str]] = ..., gallery_version: _Optional[int] = ..., filter: _Optional[str] = ..., mode: _Optional[_Union[_alignment_pb2.ExecutionMode, str]] = ..., index_parameters: _Optional[_Union[IndexParameters, _Mapping]] = ..., gallery_ids: _Optional[_Union[ItemIds, _Mapping]] = ..., exclude_ids: _Optional[_Union[ItemIds, _Mapping]] = ..., beta: _Optional[float] = ..., probability: bool = ..., one_to_one: bool = ..., expected_bridge: _Optional[_Union[ExpectedBridge, _Mapping]] = ...) -> None: ...

class ExpectedBridge(_message.Message):
    __slots__ = ("source", "uid")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    UID_FIELD_NUMBER: _ClassVar[int]
    source: str
    uid: str
    def __init__(self, source: _Optional[str] = ..., uid: _Optional[str] = ...) -> None: ...

class MatchResponse(_message.Message):
    __slots__ = ("report", "operation")
    REPORT_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    report: MatchReport
    operation: _operations_pb2.Operation
    def __init__(self, report: _Optional[_Union[MatchReport, _Mapping]] = ..., operation: _Optional[_Union[_operations_pb2.Operation, _Mapping]] = ...) -> None: ...

class MatchReport(_message.Message):
    __slots__ = ("queries", "k", "ids", "similarities", "scores", "correction", "gallery", "bridge", "bridge_uid", "certificate", "engine", "measured_recall", "source", "index", "index_parameters", "recall", "gallery_items", "beta", "correction_k", "probabilities", "calibration", "warnings", "one_to_one")
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    SIMILARITIES_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_FIELD_NUMBER: _ClassVar[int]
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    BRIDGE_FIELD_NUMBER: _ClassVar[int]
    BRIDGE_UID_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    MEASURED_RECALL_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    INDEX_PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    RECALL_FIELD_NUMBER: _ClassVar[int]
    GALLERY_ITEMS_FIELD_NUMBER: _ClassVar[int]
    BETA_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_K_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    ONE_TO_ONE_FIELD_NUMBER: _ClassVar[int]
    queries: int
    k: int
    ids: _containers.RepeatedScalarFieldContainer[str]
    similarities: _matrix_pb2.Matrix
    scores: _matrix_pb2.Matrix
    correction: Correction
    gallery: _space_pb2.SpaceUse
    bridge: str
    bridge_uid: str
    certificate: _alignment_pb2.Certificate
    engine: str
    measured_recall: float
    source: _space_pb2.SpaceUse
    index: IndexKind
    index_parameters: IndexParameters
    recall: IndexRecall
    gallery_items: int
    beta: float
    correction_k: int
    probabilities: _matrix_pb2.Matrix
    calibration: MatchCalibration
    warnings: _containers.RepeatedScalarFieldContainer[str]
    one_to_one: bool
    def __init__(self, queries: _Optional[int] = ..., k: _Optional[int] = ..., ids: _Optional[_Iterable[str]] = ..., similarities: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., scores: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., correction: _Optional[_Union[Correction, str]] = ..., gallery: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., bridge: _Optional[str] = ..., bridge_uid: _Optional[str] = ..., certificate: _Optional[_Union[_alignment_pb2.Certificate, _Mapping]] = ..., engine: _Optional[str] = ..., measured_recall: _Optional[float] = ..., source: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., index: _Optional[_Union[IndexKind, str]] = ..., index_parameters: _Optional[_Union[IndexParameters, _Mapping]] = ..., recall: _Optional[_Union[IndexRecall, _Mapping]] = ..., gallery_items: _Optional[int] = ..., beta: _Optional[float] = ..., correction_k: _Optional[int] = ..., probabilities: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., calibration: _Optional[_Union[MatchCalibration, _Mapping]] = ..., warnings: _Optional[_Iterable[str]] = ..., one_to_one: bool = ...) -> None: ...

class MutualPairsRequest(_message.Message):
    __slots__ = ("source", "target", "bridge", "correction", "correction_k", "limit", "mode", "threshold", "known", "resume_token", "execution")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    BRIDGE_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_K_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    source: _space_pb2.SpaceRef
    target: _space_pb2.SpaceRef
    bridge: str
    correction: Correction
    correction_k: int
    limit: int
    mode: PairMode
    threshold: float
    known: KnownPartners
    resume_token: str
    execution: _alignment_pb2.ExecutionMode
    def __init__(self, source: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., target: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., bridge: _Optional[str] = ..., correction: _Optional[_Union[Correction, str]] = ..., correction_k: _Optional[int] = ..., limit: _Optional[int] = ..., mode: _Optional[_Union[PairMode, str]] = ..., threshold: _Optional[float] = ..., known: _Optional[_Union[KnownPartners, _Mapping]] = ..., resume_token: _Optional[str] = ..., execution: _Optional[_Union[_alignment_pb2.ExecutionMode, str]] = ...) -> None: ...

class KnownPartners(_message.Message):
    __slots__ = ("item_ids", "target_ids", "attribute")
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    TARGET_IDS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    item_ids: _containers.RepeatedScalarFieldContainer[str]
    target_ids: _containers.RepeatedScalarFieldContainer[str]
    attribute: str
    def __init__(self, item_ids: _Optional[_Iterable[str]] = ..., target_ids: _Optional[_Iterable[str]] = ..., attribute: _Optional[str] = ...) -> None: ...

class MutualPairsResponse(_message.Message):
    __slots__ = ("source_ids", "target_ids", "scores", "summary", "similarities", "first", "resume_token", "operation")
    SOURCE_IDS_FIELD_NUMBER: _ClassVar[int]
    TARGET_IDS_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    SIMILARITIES_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    source_ids: _containers.RepeatedScalarFieldContainer[str]
    target_ids: _containers.RepeatedScalarFieldContainer[str]
    scores: _matrix_pb2.Matrix
    summary: MutualPairsSummary
    similarities: _matrix_pb2.Matrix
    first: int
    resume_token: str
    operation: _operations_pb2.Operation
    def __init__(self, source_ids: _Optional[_Iterable[str]] = ..., target_ids: _Optional[_Iterable[str]] = ..., scores: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., summary: _Optional[_Union[MutualPairsSummary, _Mapping]] = ..., similarities: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., first: _Optional[int] = ..., resume_token: _Optional[str] = ..., operation: _Optional[_Union[_operations_pb2.Operation, _Mapping]] = ...) -> None: ...

class MutualPairsSummary(_message.Message):
    __slots__ = ("pairs", "source_items", "target_items", "source", "target", "bridge", "correction", "engine", "mode", "threshold", "correction_k", "bridge_uid", "agreement")
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_ITEMS_FIELD_NUMBER: _ClassVar[int]
    TARGET_ITEMS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    BRIDGE_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_K_FIELD_NUMBER: _ClassVar[int]
    BRIDGE_UID_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    pairs: int
    source_items: int
    target_items: int
    source: _space_pb2.SpaceUse
    target: _space_pb2.SpaceUse
    bridge: str
    correction: Correction
    engine: str
    mode: PairMode
    threshold: float
    correction_k: int
    bridge_uid: str
    agreement: PairAgreement
    def __init__(self, pairs: _Optional[int] = ..., source_items: _Optional[int] = ..., target_items: _Optional[int] = ..., source: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., target: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., bridge: _Optional[str] = ..., correction: _Optional[_Union[Correction, str]] = ..., engine: _Optional[str] = ..., mode: _Optional[_Union[PairMode, str]] = ..., threshold: _Optional[float] = ..., correction_k: _Optional[int] = ..., bridge_uid: _Optional[str] = ..., agreement: _Optional[_Union[PairAgreement, _Mapping]] = ...) -> None: ...

class PairAgreement(_message.Message):
    __slots__ = ("known_sources", "judged", "right", "found", "precision", "precision_interval", "recall", "recall_interval", "best_threshold", "best_f1", "fitted")
    KNOWN_SOURCES_FIELD_NUMBER: _ClassVar[int]
    JUDGED_FIELD_NUMBER: _ClassVar[int]
    RIGHT_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    PRECISION_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    RECALL_FIELD_NUMBER: _ClassVar[int]
    RECALL_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    BEST_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    BEST_F1_FIELD_NUMBER: _ClassVar[int]
    FITTED_FIELD_NUMBER: _ClassVar[int]
    known_sources: int
    judged: int
    right: int
    found: int
    precision: float
    precision_interval: _alignment_pb2.Interval
    recall: float
    recall_interval: _alignment_pb2.Interval
    best_threshold: float
    best_f1: float
    fitted: int
    def __init__(self, known_sources: _Optional[int] = ..., judged: _Optional[int] = ..., right: _Optional[int] = ..., found: _Optional[int] = ..., precision: _Optional[float] = ..., precision_interval: _Optional[_Union[_alignment_pb2.Interval, _Mapping]] = ..., recall: _Optional[float] = ..., recall_interval: _Optional[_Union[_alignment_pb2.Interval, _Mapping]] = ..., best_threshold: _Optional[float] = ..., best_f1: _Optional[float] = ..., fitted: _Optional[int] = ...) -> None: ...

class TranslateRequest(_message.Message):
    __slots__ = ("bridge", "vectors", "side", "expected_bridge", "uncentred")
    BRIDGE_FIELD_NUMBER: _ClassVar[int]
    VECTORS_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_BRIDGE_FIELD_NUMBER: _ClassVar[int]
    UNCENTRED_FIELD_NUMBER: _ClassVar[int]
    bridge: str
    vectors: _matrix_pb2.Matrix
    side: TranslateSide
    expected_bridge: ExpectedBridge
    uncentred: bool
    def __init__(self, bridge: _Optional[str] = ..., vectors: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., side: _Optional[_Union[TranslateSide, str]] = ..., expected_bridge: _Optional[_Union[ExpectedBridge, _Mapping]] = ..., uncentred: bool = ...) -> None: ...

class TranslateResponse(_message.Message):
    __slots__ = ("vectors", "bridge_uid")
    VECTORS_FIELD_NUMBER: _ClassVar[int]
    BRIDGE_UID_FIELD_NUMBER: _ClassVar[int]
    vectors: _matrix_pb2.Matrix
    bridge_uid: str
    def __init__(self, vectors: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., bridge_uid: _Optional[str] = ...) -> None: ...
