import datetime

from consilience.v1 import alignment_pb2 as _alignment_pb2
from consilience.v1 import bridge_convergence_pb2 as _bridge_convergence_pb2
from consilience.v1 import bridge_stitching_pb2 as _bridge_stitching_pb2
from consilience.v1 import space_pb2 as _space_pb2
from google.longrunning import operations_pb2 as _operations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BridgeMethod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BRIDGE_METHOD_UNSPECIFIED: _ClassVar[BridgeMethod]
    BRIDGE_METHOD_AUTO: _ClassVar[BridgeMethod]
    BRIDGE_METHOD_IDENTITY: _ClassVar[BridgeMethod]
    BRIDGE_METHOD_MEAN_SHIFT: _ClassVar[BridgeMethod]
    BRIDGE_METHOD_RIDGE: _ClassVar[BridgeMethod]
    BRIDGE_METHOD_PROCRUSTES: _ClassVar[BridgeMethod]
    BRIDGE_METHOD_AFFINE: _ClassVar[BridgeMethod]
    BRIDGE_METHOD_WHITENED: _ClassVar[BridgeMethod]
    BRIDGE_METHOD_CCA: _ClassVar[BridgeMethod]
    BRIDGE_METHOD_RELATIVE: _ClassVar[BridgeMethod]
    BRIDGE_METHOD_STITCHING_LAYER: _ClassVar[BridgeMethod]
    BRIDGE_METHOD_UNSUPERVISED: _ClassVar[BridgeMethod]
    BRIDGE_METHOD_SCALED_PROCRUSTES: _ClassVar[BridgeMethod]
    BRIDGE_METHOD_CSA: _ClassVar[BridgeMethod]
    BRIDGE_METHOD_COMPOSED: _ClassVar[BridgeMethod]

class BridgeDerivation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BRIDGE_DERIVATION_UNSPECIFIED: _ClassVar[BridgeDerivation]
    BRIDGE_DERIVATION_FITTED: _ClassVar[BridgeDerivation]
    BRIDGE_DERIVATION_COMPOSED: _ClassVar[BridgeDerivation]
    BRIDGE_DERIVATION_INVERTED: _ClassVar[BridgeDerivation]

class BridgeSide(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BRIDGE_SIDE_UNSPECIFIED: _ClassVar[BridgeSide]
    BRIDGE_SIDE_SOURCE: _ClassVar[BridgeSide]
    BRIDGE_SIDE_TARGET: _ClassVar[BridgeSide]

class ExportFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXPORT_FORMAT_UNSPECIFIED: _ClassVar[ExportFormat]
    EXPORT_FORMAT_ONNX: _ClassVar[ExportFormat]
    EXPORT_FORMAT_SAFETENSORS: _ClassVar[ExportFormat]
BRIDGE_METHOD_UNSPECIFIED: BridgeMethod
BRIDGE_METHOD_AUTO: BridgeMethod
BRIDGE_METHOD_IDENTITY: BridgeMethod
BRIDGE_METHOD_MEAN_SHIFT: BridgeMethod
BRIDGE_METHOD_RIDGE: BridgeMethod
BRIDGE_METHOD_PROCRUSTES: BridgeMethod
BRIDGE_METHOD_AFFINE: BridgeMethod
BRIDGE_METHOD_WHITENED: BridgeMethod
BRIDGE_METHOD_CCA: BridgeMethod
BRIDGE_METHOD_RELATIVE: BridgeMethod
BRIDGE_METHOD_STITCHING_LAYER: BridgeMethod
BRIDGE_METHOD_UNSUPERVISED: BridgeMethod
BRIDGE_METHOD_SCALED_PROCRUSTES: BridgeMethod
BRIDGE_METHOD_CSA: BridgeMethod
BRIDGE_METHOD_COMPOSED: BridgeMethod
BRIDGE_DERIVATION_UNSPECIFIED: BridgeDerivation
BRIDGE_DERIVATION_FITTED: BridgeDerivation
BRIDGE_DERIVATION_COMPOSED: BridgeDerivation
BRIDGE_DERIVATION_INVERTED: BridgeDerivation
BRIDGE_SIDE_UNSPECIFIED: BridgeSide
BRIDGE_SIDE_SOURCE: BridgeSide
BRIDGE_SIDE_TARGET: BridgeSide
EXPORT_FORMAT_UNSPECIFIED: ExportFormat
EXPORT_FORMAT_ONNX: ExportFormat
EXPORT_FORMAT_SAFETENSORS: ExportFormat

class ParentBridge(_message.Message):
    __slots__ = ("name", "uid", "method")
    NAME_FIELD_NUMBER: _ClassVar[int]
    UID_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    name: str
    uid: str
    method: BridgeMethod
    def __init__(self, name: _Optional[str] = ..., uid: _Optional[str] = ..., method: _Optional[_Union[BridgeMethod, str]] = ...) -> None: ...

class PairSelection(_message.Message):
    __slots__ = ("item_ids", "target_ids", "attribute")
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    TARGET_IDS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    item_ids: _containers.RepeatedScalarFieldContainer[str]
    target_ids: _containers.RepeatedScalarFieldContainer[str]
    attribute: str
    def __init__(self, item_ids: _Optional[_Iterable[str]] = ..., target_ids: _Optional[_Iterable[str]] = ..., attribute: _Optional[str] = ...) -> None: ...

class RecallAtK(_message.Message):
    __slots__ = ("k", "recall", "interval")
    K_FIELD_NUMBER: _ClassVar[int]
    RECALL_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    k: int
    recall: float
    interval: _alignment_pb2.Interval
    def __init__(self, k: _Optional[int] = ..., recall: _Optional[float] = ..., interval: _Optional[_Union[_alignment_pb2.Interval, _Mapping]] = ...) -> None: ...

class Measured(_message.Message):
    __slots__ = ("value", "interval")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    value: float
    interval: _alignment_pb2.Interval
    def __init__(self, value: _Optional[float] = ..., interval: _Optional[_Union[_alignment_pb2.Interval, _Mapping]] = ...) -> None: ...

class LearningPoint(_message.Message):
    __slots__ = ("pairs", "recalls")
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    RECALLS_FIELD_NUMBER: _ClassVar[int]
    pairs: int
    recalls: _containers.RepeatedCompositeFieldContainer[RecallAtK]
    def __init__(self, pairs: _Optional[int] = ..., recalls: _Optional[_Iterable[_Union[RecallAtK, _Mapping]]] = ...) -> None: ...

class RetrievalReport(_message.Message):
    __slots__ = ("method", "recalls", "mean_reciprocal_rank", "median_rank", "queries", "gallery", "penalty", "components", "mean_reciprocal_rank_interval", "median_rank_interval", "foscttm", "neighbour_retention", "hubness", "hubness_csls", "values")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    RECALLS_FIELD_NUMBER: _ClassVar[int]
    MEAN_RECIPROCAL_RANK_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_RANK_FIELD_NUMBER: _ClassVar[int]
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    PENALTY_FIELD_NUMBER: _ClassVar[int]
    COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    MEAN_RECIPROCAL_RANK_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_RANK_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    FOSCTTM_FIELD_NUMBER: _ClassVar[int]
    NEIGHBOUR_RETENTION_FIELD_NUMBER: _ClassVar[int]
    HUBNESS_FIELD_NUMBER: _ClassVar[int]
    HUBNESS_CSLS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    method: BridgeMethod
    recalls: _containers.RepeatedCompositeFieldContainer[RecallAtK]
    mean_reciprocal_rank: float
    median_rank: float
    queries: int
    gallery: int
    penalty: float
    components: int
    mean_reciprocal_rank_interval: _alignment_pb2.Interval
    median_rank_interval: _alignment_pb2.Interval
    foscttm: Measured
    neighbour_retention: Measured
    hubness: Measured
    hubness_csls: Measured
    values: int
    def __init__(self, method: _Optional[_Union[BridgeMethod, str]] = ..., recalls: _Optional[_Iterable[_Union[RecallAtK, _Mapping]]] = ..., mean_reciprocal_rank: _Optional[float] = ..., median_rank: _Optional[float] = ..., queries: _Optional[int] = ..., gallery: _Optional[int] = ..., penalty: _Optional[float] = ..., components: _Optional[int] = ..., mean_reciprocal_rank_interval: _Optional[_Union[_alignment_pb2.Interval, _Mapping]] = ..., median_rank_interval: _Optional[_Union[_alignment_pb2.Interval, _Mapping]] = ..., foscttm: _Optional[_Union[Measured, _Mapping]] = ..., neighbour_retention: _Optional[_Union[Measured, _Mapping]] = ..., hubness: _Optional[_Union[Measured, _Mapping]] = ..., hubness_csls: _Optional[_Union[Measured, _Mapping]] = ..., values: _Optional[int] = ...) -> None: ...

class Bridge(_message.Message):
    __slots__ = ("name", "uid", "version", "source", "target", "method", "source_dim", "target_dim", "fit_pairs", "fit_ids_digest", "held_out", "candidates", "seed", "code_version", "create_time", "target_similarity", "near_copies", "split_by", "leads_into_target", "learning_curve", "derivation", "parents", "notes", "convergence", "pair_attribute", "pairs_left_out", "stitching")
    NAME_FIELD_NUMBER: _ClassVar[int]
    UID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    SOURCE_DIM_FIELD_NUMBER: _ClassVar[int]
    TARGET_DIM_FIELD_NUMBER: _ClassVar[int]
    FIT_PAIRS_FIELD_NUMBER: _ClassVar[int]
    FIT_IDS_DIGEST_FIELD_NUMBER: _ClassVar[int]
    HELD_OUT_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    CODE_VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    TARGET_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    NEAR_COPIES_FIELD_NUMBER: _ClassVar[int]
    SPLIT_BY_FIELD_NUMBER: _ClassVar[int]
    LEADS_INTO_TARGET_FIELD_NUMBER: _ClassVar[int]
    LEARNING_CURVE_FIELD_NUMBER: _ClassVar[int]
    DERIVATION_FIELD_NUMBER: _ClassVar[int]
    PARENTS_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    CONVERGENCE_FIELD_NUMBER: _ClassVar[int]
    PAIR_ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    PAIRS_LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    STITCHING_FIELD_NUMBER: _ClassVar[int]
    name: str
    uid: str
    version: int
    source: _space_pb2.SpaceUse
    target: _space_pb2.SpaceUse
    method: BridgeMethod
    source_dim: int
    target_dim: int
    fit_pairs: int
    fit_ids_digest: str
    held_out: RetrievalReport
    candidates: _containers.RepeatedCompositeFieldContainer[RetrievalReport]
    seed: int
    code_version: str
    create_time: _timestamp_pb2.Timestamp
    target_similarity: _space_pb2.Similarity
    near_copies: int
    split_by: str
    leads_into_target: bool
    learning_curve: _containers.RepeatedCompositeFieldContainer[LearningPoint]
    derivation: BridgeDerivation
    parents: _containers.RepeatedCompositeFieldContainer[ParentBridge]
    notes: _containers.RepeatedScalarFieldContainer[str]
    convergence: _bridge_convergence_pb2.BridgeConvergence
    pair_attribute: str
    pairs_left_out: int
    stitching: _bridge_stitching_pb2.StitchingReport
    def __init__(self, name: _Optional[str] = ..., uid: _Optional[str] = ..., version: _Optional[int] = ..., source: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., target: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., method: _Optional[_Union[BridgeMethod, str]] = ..., source_dim: _Optional[int] = ..., target_dim: _Optional[int] = ..., fit_pairs: _Optional[int] = ..., fit_ids_digest: _Optional[str] = ..., held_out: _Optional[_Union[RetrievalReport, _Mapping]] = ..., candidates: _Optional[_Iterable[_Union[RetrievalReport, _Mapping]]] = ..., seed: _Optional[int] = ..., code_version: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., target_similarity: _Optional[_Union[_space_pb2.Similarity, str]] = ..., near_copies: _Optional[int] = ..., split_by: _Optional[str] = ..., leads_into_target: bool = ..., learning_curve: _Optional[_Iterable[_Union[LearningPoint, _Mapping]]] = ..., derivation: _Optional[_Union[BridgeDerivation, str]] = ..., parents: _Optional[_Iterable[_Union[ParentBridge, _Mapping]]] = ..., notes: _Optional[_Iterable[str]] = ..., convergence: _Optional[_Union[_bridge_convergence_pb2.BridgeConvergence, _Mapping]] = ..., pair_attribute: _Optional[str] = ..., pairs_left_out: _Optional[int] = ..., stitching: _Optional[_Union[_bridge_stitching_pb2.StitchingReport, _Mapping]] = ...) -> None: ...

class FitBridgeRequest(_message.Message):
    __slots__ = ("bridge_id", "source", "target", "method", "pairs", "held_out_fraction", "seed", "mode", "request_id", "penalties", "keep_unconverged", "stitching")
    BRIDGE_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    HELD_OUT_FRACTION_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PENALTIES_FIELD_NUMBER: _ClassVar[int]
    KEEP_UNCONVERGED_FIELD_NUMBER: _ClassVar[int]
    STITCHING_FIELD_NUMBER: _ClassVar[int]
    bridge_id: str
    source: _space_pb2.SpaceRef
    target: _space_pb2.SpaceRef
    method: BridgeMethod
    pairs: PairSelection
    held_out_fraction: float
    seed: int
    mode: _alignment_pb2.ExecutionMode
    request_id: str
    penalties: _containers.RepeatedScalarFieldContainer[float]
    keep_unconverged: bool
    stitching: _bridge_stitching_pb2.StitchingOptions
    def __init__(self, bridge_id: _Optional[str] = ..., source: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., target: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., method: _Optional[_Union[BridgeMethod, str]] = ..., pairs: _Optional[_Union[PairSelection, _Mapping]] = ..., held_out_fraction: _Optional[float] = ..., seed: _Optional[int] = ..., mode: _Optional[_Union[_alignment_pb2.ExecutionMode, str]] = ..., request_id: _Optional[str] = ..., penalties: _Optional[_Iterable[float]] = ..., keep_unconverged: bool = ..., stitching: _Optional[_Union[_bridge_stitching_pb2.StitchingOptions, _Mapping]] = ...) -> None: ...

class FitBridgeResponse(_message.Message):
    __slots__ = ("bridge", "operation")
    BRIDGE_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    bridge: Bridge
    operation: _operations_pb2.Operation
    def __init__(self, bridge: _Optional[_Union[Bridge, _Mapping]] = ..., operation: _Optional[_Union[_operations_pb2.Operation, _Mapping]] = ...) -> None: ...

class GetBridgeRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetBridgeResponse(_message.Message):
    __slots__ = ("bridge",)
    BRIDGE_FIELD_NUMBER: _ClassVar[int]
    bridge: Bridge
    def __init__(self, bridge: _Optional[_Union[Bridge, _Mapping]] = ...) -> None: ...

class ListBridgesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListBridgesResponse(_message.Message):
    __slots__ = ("bridges", "next_page_token")
    BRIDGES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    bridges: _containers.RepeatedCompositeFieldContainer[Bridge]
    next_page_token: str
    def __init__(self, bridges: _Optional[_Iterable[_Union[Bridge, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteBridgeRequest(_message.Message):
    __slots__ = ("name", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeleteBridgeResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class EvaluateBridgeRequest(_message.Message):
    __slots__ = ("name", "pairs", "labels_attribute", "labels", "head", "head_classes", "mode", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    LABELS_ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    HEAD_CLASSES_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    pairs: PairSelection
    labels_attribute: str
    labels: _containers.RepeatedScalarFieldContainer[str]
    head: bytes
    head_classes: _containers.RepeatedScalarFieldContainer[str]
    mode: _alignment_pb2.ExecutionMode
    request_id: str
    def __init__(self, name: _Optional[str] = ..., pairs: _Optional[_Union[PairSelection, _Mapping]] = ..., labels_attribute: _Optional[str] = ..., labels: _Optional[_Iterable[str]] = ..., head: _Optional[bytes] = ..., head_classes: _Optional[_Iterable[str]] = ..., mode: _Optional[_Union[_alignment_pb2.ExecutionMode, str]] = ..., request_id: _Optional[str] = ...) -> None: ...

class StitchingPenalty(_message.Message):
    __slots__ = ("native", "bridged", "mean_only", "penalty", "classes", "items", "own_head")
    NATIVE_FIELD_NUMBER: _ClassVar[int]
    BRIDGED_FIELD_NUMBER: _ClassVar[int]
    MEAN_ONLY_FIELD_NUMBER: _ClassVar[int]
    PENALTY_FIELD_NUMBER: _ClassVar[int]
    CLASSES_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    OWN_HEAD_FIELD_NUMBER: _ClassVar[int]
    native: Measured
    bridged: Measured
    mean_only: Measured
    penalty: Measured
    classes: int
    items: int
    own_head: bool
    def __init__(self, native: _Optional[_Union[Measured, _Mapping]] = ..., bridged: _Optional[_Union[Measured, _Mapping]] = ..., mean_only: _Optional[_Union[Measured, _Mapping]] = ..., penalty: _Optional[_Union[Measured, _Mapping]] = ..., classes: _Optional[int] = ..., items: _Optional[int] = ..., own_head: bool = ...) -> None: ...

class EvaluateBridgeResponse(_message.Message):
    __slots__ = ("report", "baselines", "source", "target", "fitted_pairs", "stitching", "notes", "operation")
    REPORT_FIELD_NUMBER: _ClassVar[int]
    BASELINES_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    FITTED_PAIRS_FIELD_NUMBER: _ClassVar[int]
    STITCHING_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    report: RetrievalReport
    baselines: _containers.RepeatedCompositeFieldContainer[RetrievalReport]
    source: _space_pb2.SpaceUse
    target: _space_pb2.SpaceUse
    fitted_pairs: int
    stitching: StitchingPenalty
    notes: _containers.RepeatedScalarFieldContainer[str]
    operation: _operations_pb2.Operation
    def __init__(self, report: _Optional[_Union[RetrievalReport, _Mapping]] = ..., baselines: _Optional[_Iterable[_Union[RetrievalReport, _Mapping]]] = ..., source: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., target: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., fitted_pairs: _Optional[int] = ..., stitching: _Optional[_Union[StitchingPenalty, _Mapping]] = ..., notes: _Optional[_Iterable[str]] = ..., operation: _Optional[_Union[_operations_pb2.Operation, _Mapping]] = ...) -> None: ...

class ExportBridgeRequest(_message.Message):
    __slots__ = ("name", "side", "format", "offset", "uid")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    UID_FIELD_NUMBER: _ClassVar[int]
    name: str
    side: BridgeSide
    format: ExportFormat
    offset: int
    uid: str
    def __init__(self, name: _Optional[str] = ..., side: _Optional[_Union[BridgeSide, str]] = ..., format: _Optional[_Union[ExportFormat, str]] = ..., offset: _Optional[int] = ..., uid: _Optional[str] = ...) -> None: ...

class ExportBridgeResponse(_message.Message):
    __slots__ = ("onnx", "safetensors", "total_bytes", "uid")
    ONNX_FIELD_NUMBER: _ClassVar[int]
    SAFETENSORS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    UID_FIELD_NUMBER: _ClassVar[int]
    onnx: bytes
    safetensors: bytes
    total_bytes: int
    uid: str
    def __init__(self, onnx: _Optional[bytes] = ..., safetensors: _Optional[bytes] = ..., total_bytes: _Optional[int] = ..., uid: _Optional[str] = ...) -> None: ...
