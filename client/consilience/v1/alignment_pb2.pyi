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

class Metric(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    METRIC_UNSPECIFIED: _ClassVar[Metric]
    METRIC_MUTUAL_KNN: _ClassVar[Metric]
    METRIC_CKA: _ClassVar[Metric]
    METRIC_UNBIASED_CKA: _ClassVar[Metric]
    METRIC_CYCLE_KNN: _ClassVar[Metric]
    METRIC_LCS_KNN: _ClassVar[Metric]
    METRIC_EDIT_DISTANCE_KNN: _ClassVar[Metric]
    METRIC_RBF_CKA: _ClassVar[Metric]
    METRIC_CKNNA: _ClassVar[Metric]
    METRIC_CCA: _ClassVar[Metric]
    METRIC_SVCCA: _ClassVar[Metric]
    METRIC_PROCRUSTES: _ClassVar[Metric]
    METRIC_ANGULAR_SHAPE: _ClassVar[Metric]
    METRIC_RSA: _ClassVar[Metric]
    METRIC_LINEAR_PREDICTIVITY: _ClassVar[Metric]
    METRIC_CKNNA_PAPER: _ClassVar[Metric]
    METRIC_CKNNA_CENTRED: _ClassVar[Metric]

class Preprocess(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PREPROCESS_UNSPECIFIED: _ClassVar[Preprocess]
    PREPROCESS_NONE: _ClassVar[Preprocess]
    PREPROCESS_PLATONIC_REP: _ClassVar[Preprocess]
    PREPROCESS_CENTRE: _ClassVar[Preprocess]
    PREPROCESS_STANDARDIZE: _ClassVar[Preprocess]
    PREPROCESS_UNIT: _ClassVar[Preprocess]

class IntervalKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INTERVAL_KIND_UNSPECIFIED: _ClassVar[IntervalKind]
    INTERVAL_KIND_QUERIES: _ClassVar[IntervalKind]
    INTERVAL_KIND_ITEMS: _ClassVar[IntervalKind]

class RdmDistance(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RDM_DISTANCE_UNSPECIFIED: _ClassVar[RdmDistance]
    RDM_DISTANCE_CORRELATION: _ClassVar[RdmDistance]
    RDM_DISTANCE_EUCLIDEAN: _ClassVar[RdmDistance]
    RDM_DISTANCE_SQUARED_EUCLIDEAN: _ClassVar[RdmDistance]
    RDM_DISTANCE_COSINE: _ClassVar[RdmDistance]

class RdmComparison(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RDM_COMPARISON_UNSPECIFIED: _ClassVar[RdmComparison]
    RDM_COMPARISON_SPEARMAN: _ClassVar[RdmComparison]
    RDM_COMPARISON_PEARSON: _ClassVar[RdmComparison]
    RDM_COMPARISON_KENDALL_TAU_B: _ClassVar[RdmComparison]
    RDM_COMPARISON_KENDALL_TAU_A: _ClassVar[RdmComparison]
    RDM_COMPARISON_COSINE: _ClassVar[RdmComparison]

class QuerySampling(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    QUERY_SAMPLING_UNSPECIFIED: _ClassVar[QuerySampling]
    QUERY_SAMPLING_ALL: _ClassVar[QuerySampling]
    QUERY_SAMPLING_HASH: _ClassVar[QuerySampling]
    QUERY_SAMPLING_GIVEN: _ClassVar[QuerySampling]
    QUERY_SAMPLING_STRATIFIED: _ClassVar[QuerySampling]

class ItemPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ITEM_POLICY_UNSPECIFIED: _ClassVar[ItemPolicy]
    ITEM_POLICY_COMMON: _ClassVar[ItemPolicy]
    ITEM_POLICY_PAIRWISE: _ClassVar[ItemPolicy]

class ExecutionMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXECUTION_MODE_UNSPECIFIED: _ClassVar[ExecutionMode]
    EXECUTION_MODE_INLINE: _ClassVar[ExecutionMode]
    EXECUTION_MODE_OPERATION: _ClassVar[ExecutionMode]

class TargetScore(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TARGET_SCORE_UNSPECIFIED: _ClassVar[TargetScore]
    TARGET_SCORE_R2: _ClassVar[TargetScore]
    TARGET_SCORE_PEARSON: _ClassVar[TargetScore]

class Aggregate(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AGGREGATE_UNSPECIFIED: _ClassVar[Aggregate]
    AGGREGATE_MEAN: _ClassVar[Aggregate]
    AGGREGATE_MEDIAN: _ClassVar[Aggregate]

class LayerSelection(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LAYER_SELECTION_UNSPECIFIED: _ClassVar[LayerSelection]
    LAYER_SELECTION_SPLIT_HALF: _ClassVar[LayerSelection]
    LAYER_SELECTION_MAX: _ClassVar[LayerSelection]

class Side(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SIDE_UNSPECIFIED: _ClassVar[Side]
    SIDE_X: _ClassVar[Side]
    SIDE_Y: _ClassVar[Side]

class AgainstKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AGAINST_KIND_UNSPECIFIED: _ClassVar[AgainstKind]
    AGAINST_KIND_NUMBER: _ClassVar[AgainstKind]
    AGAINST_KIND_DATE: _ClassVar[AgainstKind]

class AgainstScale(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AGAINST_SCALE_UNSPECIFIED: _ClassVar[AgainstScale]
    AGAINST_SCALE_LINEAR: _ClassVar[AgainstScale]
    AGAINST_SCALE_LOG10: _ClassVar[AgainstScale]

class ConsensusMethod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONSENSUS_METHOD_UNSPECIFIED: _ClassVar[ConsensusMethod]
    CONSENSUS_METHOD_MEAN_KERNEL: _ClassVar[ConsensusMethod]
    CONSENSUS_METHOD_PROCRUSTES: _ClassVar[ConsensusMethod]
METRIC_UNSPECIFIED: Metric
METRIC_MUTUAL_KNN: Metric
METRIC_CKA: Metric
METRIC_UNBIASED_CKA: Metric
METRIC_CYCLE_KNN: Metric
METRIC_LCS_KNN: Metric
METRIC_EDIT_DISTANCE_KNN: Metric
METRIC_RBF_CKA: Metric
METRIC_CKNNA: Metric
METRIC_CCA: Metric
METRIC_SVCCA: Metric
METRIC_PROCRUSTES: Metric
METRIC_ANGULAR_SHAPE: Metric
METRIC_RSA: Metric
METRIC_LINEAR_PREDICTIVITY: Metric
METRIC_CKNNA_PAPER: Metric
METRIC_CKNNA_CENTRED: Metric
PREPROCESS_UNSPECIFIED: Preprocess
PREPROCESS_NONE: Preprocess
PREPROCESS_PLATONIC_REP: Preprocess
PREPROCESS_CENTRE: Preprocess
PREPROCESS_STANDARDIZE: Preprocess
PREPROCESS_UNIT: Preprocess
INTERVAL_KIND_UNSPECIFIED: IntervalKind
INTERVAL_KIND_QUERIES: IntervalKind
INTERVAL_KIND_ITEMS: IntervalKind
RDM_DISTANCE_UNSPECIFIED: RdmDistance
RDM_DISTANCE_CORRELATION: RdmDistance
RDM_DISTANCE_EUCLIDEAN: RdmDistance
RDM_DISTANCE_SQUARED_EUCLIDEAN: RdmDistance
RDM_DISTANCE_COSINE: RdmDistance
RDM_COMPARISON_UNSPECIFIED: RdmComparison
RDM_COMPARISON_SPEARMAN: RdmComparison
RDM_COMPARISON_PEARSON: RdmComparison
RDM_COMPARISON_KENDALL_TAU_B: RdmComparison
RDM_COMPARISON_KENDALL_TAU_A: RdmComparison
RDM_COMPARISON_COSINE: RdmComparison
QUERY_SAMPLING_UNSPECIFIED: QuerySampling
QUERY_SAMPLING_ALL: QuerySampling
QUERY_SAMPLING_HASH: QuerySampling
QUERY_SAMPLING_GIVEN: QuerySampling
QUERY_SAMPLING_STRATIFIED: QuerySampling
ITEM_POLICY_UNSPECIFIED: ItemPolicy
ITEM_POLICY_COMMON: ItemPolicy
ITEM_POLICY_PAIRWISE: ItemPolicy
EXECUTION_MODE_UNSPECIFIED: ExecutionMode
EXECUTION_MODE_INLINE: ExecutionMode
EXECUTION_MODE_OPERATION: ExecutionMode
TARGET_SCORE_UNSPECIFIED: TargetScore
TARGET_SCORE_R2: TargetScore
TARGET_SCORE_PEARSON: TargetScore
AGGREGATE_UNSPECIFIED: Aggregate
AGGREGATE_MEAN: Aggregate
AGGREGATE_MEDIAN: Aggregate
LAYER_SELECTION_UNSPECIFIED: LayerSelection
LAYER_SELECTION_SPLIT_HALF: LayerSelection
LAYER_SELECTION_MAX: LayerSelection
SIDE_UNSPECIFIED: Side
SIDE_X: Side
SIDE_Y: Side
AGAINST_KIND_UNSPECIFIED: AgainstKind
AGAINST_KIND_NUMBER: AgainstKind
AGAINST_KIND_DATE: AgainstKind
AGAINST_SCALE_UNSPECIFIED: AgainstScale
AGAINST_SCALE_LINEAR: AgainstScale
AGAINST_SCALE_LOG10: AgainstScale
CONSENSUS_METHOD_UNSPECIFIED: ConsensusMethod
CONSENSUS_METHOD_MEAN_KERNEL: ConsensusMethod
CONSENSUS_METHOD_PROCRUSTES: ConsensusMethod

class AlignmentSpec(_message.Message):
    __slots__ = ("metric", "ks", "preprocess", "permutations", "seed", "alpha", "interval_kind", "confidence", "within", "layer_selection", "sample_queries", "skip_permutations", "k_fractions", "components", "predictivity", "context", "rdm_distance", "rdm_comparison", "bandwidth", "bandwidth_factor", "sample_items", "all_items", "query_ids", "deduplicate", "strata", "group_by", "stop_after")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    KS_FIELD_NUMBER: _ClassVar[int]
    PREPROCESS_FIELD_NUMBER: _ClassVar[int]
    PERMUTATIONS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_KIND_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    WITHIN_FIELD_NUMBER: _ClassVar[int]
    LAYER_SELECTION_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_QUERIES_FIELD_NUMBER: _ClassVar[int]
    SKIP_PERMUTATIONS_FIELD_NUMBER: _ClassVar[int]
    K_FRACTIONS_FIELD_NUMBER: _ClassVar[int]
    COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    PREDICTIVITY_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    RDM_DISTANCE_FIELD_NUMBER: _ClassVar[int]
    RDM_COMPARISON_FIELD_NUMBER: _ClassVar[int]
    BANDWIDTH_FIELD_NUMBER: _ClassVar[int]
    BANDWIDTH_FACTOR_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_ITEMS_FIELD_NUMBER: _ClassVar[int]
    ALL_ITEMS_FIELD_NUMBER: _ClassVar[int]
    QUERY_IDS_FIELD_NUMBER: _ClassVar[int]
    DEDUPLICATE_FIELD_NUMBER: _ClassVar[int]
    STRATA_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    STOP_AFTER_FIELD_NUMBER: _ClassVar[int]
    metric: Metric
    ks: _containers.RepeatedScalarFieldContainer[int]
    preprocess: Preprocess
    permutations: int
    seed: int
    alpha: float
    interval_kind: IntervalKind
    confidence: float
    within: str
    layer_selection: LayerSelection
    sample_queries: int
    skip_permutations: bool
    k_fractions: _containers.RepeatedScalarFieldContainer[float]
    components: int
    predictivity: PredictivitySpec
    context: bool
    rdm_distance: RdmDistance
    rdm_comparison: RdmComparison
    bandwidth: float
    bandwidth_factor: float
    sample_items: int
    all_items: bool
    query_ids: _containers.RepeatedScalarFieldContainer[str]
    deduplicate: float
    strata: str
    group_by: str
    stop_after: int
    def __init__(self, metric: _Optional[_Union[Metric, str]] = ..., ks: _Optional[_Iterable[int]] = ..., preprocess: _Optional[_Union[Preprocess, str]] = ..., permutations: _Optional[int] = ..., seed: _Optional[int] = ..., alpha: _Optional[float] = ..., interval_kind: _Optional[_Union[IntervalKind, str]] = ..., confidence: _Optional[float] = ..., within: _Optional[str] = ..., layer_selection: _Optional[_Union[LayerSelection, str]] = ..., sample_queries: _Optional[int] = ..., skip_permutations: bool = ..., k_fractions: _Optional[_Iterable[float]] = ..., components: _Optional[int] = ..., predictivity: _Optional[_Union[PredictivitySpec, _Mapping]] = ..., context: bool = ..., rdm_distance: _Optional[_Union[RdmDistance, str]] = ..., rdm_comparison: _Optional[_Union[RdmComparison, str]] = ..., bandwidth: _Optional[float] = ..., bandwidth_factor: _Optional[float] = ..., sample_items: _Optional[int] = ..., all_items: bool = ..., query_ids: _Optional[_Iterable[str]] = ..., deduplicate: _Optional[float] = ..., strata: _Optional[str] = ..., group_by: _Optional[str] = ..., stop_after: _Optional[int] = ...) -> None: ...

class PredictivitySpec(_message.Message):
    __slots__ = ("target_score", "aggregate", "folds", "folds_by", "penalties")
    TARGET_SCORE_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_FIELD_NUMBER: _ClassVar[int]
    FOLDS_FIELD_NUMBER: _ClassVar[int]
    FOLDS_BY_FIELD_NUMBER: _ClassVar[int]
    PENALTIES_FIELD_NUMBER: _ClassVar[int]
    target_score: TargetScore
    aggregate: Aggregate
    folds: int
    folds_by: str
    penalties: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, target_score: _Optional[_Union[TargetScore, str]] = ..., aggregate: _Optional[_Union[Aggregate, str]] = ..., folds: _Optional[int] = ..., folds_by: _Optional[str] = ..., penalties: _Optional[_Iterable[float]] = ...) -> None: ...

class LinearFit(_message.Message):
    __slots__ = ("target_scores", "target_score", "aggregate", "folds", "folds_by", "penalties", "choices", "fold_groups")
    TARGET_SCORES_FIELD_NUMBER: _ClassVar[int]
    TARGET_SCORE_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_FIELD_NUMBER: _ClassVar[int]
    FOLDS_FIELD_NUMBER: _ClassVar[int]
    FOLDS_BY_FIELD_NUMBER: _ClassVar[int]
    PENALTIES_FIELD_NUMBER: _ClassVar[int]
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    FOLD_GROUPS_FIELD_NUMBER: _ClassVar[int]
    target_scores: _containers.RepeatedScalarFieldContainer[float]
    target_score: TargetScore
    aggregate: Aggregate
    folds: int
    folds_by: str
    penalties: _containers.RepeatedScalarFieldContainer[float]
    choices: _containers.RepeatedScalarFieldContainer[int]
    fold_groups: int
    def __init__(self, target_scores: _Optional[_Iterable[float]] = ..., target_score: _Optional[_Union[TargetScore, str]] = ..., aggregate: _Optional[_Union[Aggregate, str]] = ..., folds: _Optional[int] = ..., folds_by: _Optional[str] = ..., penalties: _Optional[_Iterable[float]] = ..., choices: _Optional[_Iterable[int]] = ..., fold_groups: _Optional[int] = ...) -> None: ...

class Interval(_message.Message):
    __slots__ = ("low", "high", "confidence", "kind")
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    low: float
    high: float
    confidence: float
    kind: IntervalKind
    def __init__(self, low: _Optional[float] = ..., high: _Optional[float] = ..., confidence: _Optional[float] = ..., kind: _Optional[_Union[IntervalKind, str]] = ...) -> None: ...

class AlignmentAtK(_message.Message):
    __slots__ = ("k", "score", "chance", "excess", "p_value", "calibrated", "interval", "tie_fraction_x", "tie_fraction_y", "self_score_x", "self_score_y", "null_mean", "null_sd", "threshold", "null", "permutations", "components_x", "components_y", "linear_fit")
    K_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    CHANCE_FIELD_NUMBER: _ClassVar[int]
    EXCESS_FIELD_NUMBER: _ClassVar[int]
    P_VALUE_FIELD_NUMBER: _ClassVar[int]
    CALIBRATED_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    TIE_FRACTION_X_FIELD_NUMBER: _ClassVar[int]
    TIE_FRACTION_Y_FIELD_NUMBER: _ClassVar[int]
    SELF_SCORE_X_FIELD_NUMBER: _ClassVar[int]
    SELF_SCORE_Y_FIELD_NUMBER: _ClassVar[int]
    NULL_MEAN_FIELD_NUMBER: _ClassVar[int]
    NULL_SD_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    NULL_FIELD_NUMBER: _ClassVar[int]
    PERMUTATIONS_FIELD_NUMBER: _ClassVar[int]
    COMPONENTS_X_FIELD_NUMBER: _ClassVar[int]
    COMPONENTS_Y_FIELD_NUMBER: _ClassVar[int]
    LINEAR_FIT_FIELD_NUMBER: _ClassVar[int]
    k: int
    score: float
    chance: float
    excess: float
    p_value: float
    calibrated: float
    interval: Interval
    tie_fraction_x: float
    tie_fraction_y: float
    self_score_x: float
    self_score_y: float
    null_mean: float
    null_sd: float
    threshold: float
    null: _containers.RepeatedScalarFieldContainer[float]
    permutations: int
    components_x: int
    components_y: int
    linear_fit: LinearFit
    def __init__(self, k: _Optional[int] = ..., score: _Optional[float] = ..., chance: _Optional[float] = ..., excess: _Optional[float] = ..., p_value: _Optional[float] = ..., calibrated: _Optional[float] = ..., interval: _Optional[_Union[Interval, _Mapping]] = ..., tie_fraction_x: _Optional[float] = ..., tie_fraction_y: _Optional[float] = ..., self_score_x: _Optional[float] = ..., self_score_y: _Optional[float] = ..., null_mean: _Optional[float] = ..., null_sd: _Optional[float] = ..., threshold: _Optional[float] = ..., null: _Optional[_Iterable[float]] = ..., permutations: _Optional[int] = ..., components_x: _Optional[int] = ..., components_y: _Optional[int] = ..., linear_fit: _Optional[_Union[LinearFit, _Mapping]] = ...) -> None: ...

class Given(_message.Message):
    __slots__ = ("space", "rank", "items", "explained_x", "explained_y", "layers_explained_x", "layers_explained_y")
    SPACE_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    EXPLAINED_X_FIELD_NUMBER: _ClassVar[int]
    EXPLAINED_Y_FIELD_NUMBER: _ClassVar[int]
    LAYERS_EXPLAINED_X_FIELD_NUMBER: _ClassVar[int]
    LAYERS_EXPLAINED_Y_FIELD_NUMBER: _ClassVar[int]
    space: _space_pb2.SpaceUse
    rank: int
    items: int
    explained_x: float
    explained_y: float
    layers_explained_x: _containers.RepeatedScalarFieldContainer[float]
    layers_explained_y: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, space: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., rank: _Optional[int] = ..., items: _Optional[int] = ..., explained_x: _Optional[float] = ..., explained_y: _Optional[float] = ..., layers_explained_x: _Optional[_Iterable[float]] = ..., layers_explained_y: _Optional[_Iterable[float]] = ...) -> None: ...

class SampledItems(_message.Message):
    __slots__ = ("count", "common", "ids", "rows")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    COMMON_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    count: int
    common: int
    ids: _containers.RepeatedScalarFieldContainer[str]
    rows: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, count: _Optional[int] = ..., common: _Optional[int] = ..., ids: _Optional[_Iterable[str]] = ..., rows: _Optional[_Iterable[int]] = ...) -> None: ...

class Within(_message.Message):
    __slots__ = ("attribute", "groups", "fixed_items")
    ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    FIXED_ITEMS_FIELD_NUMBER: _ClassVar[int]
    attribute: str
    groups: int
    fixed_items: int
    def __init__(self, attribute: _Optional[str] = ..., groups: _Optional[int] = ..., fixed_items: _Optional[int] = ...) -> None: ...

class Control(_message.Message):
    __slots__ = ("space", "in_place_of")
    SPACE_FIELD_NUMBER: _ClassVar[int]
    IN_PLACE_OF_FIELD_NUMBER: _ClassVar[int]
    space: _space_pb2.SpaceRef
    in_place_of: Side
    def __init__(self, space: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., in_place_of: _Optional[_Union[Side, str]] = ...) -> None: ...

class ControlReport(_message.Message):
    __slots__ = ("space", "in_place_of", "by_k", "differences", "dropped", "layer_scores", "best_layers", "layers")
    SPACE_FIELD_NUMBER: _ClassVar[int]
    IN_PLACE_OF_FIELD_NUMBER: _ClassVar[int]
    BY_K_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    LAYER_SCORES_FIELD_NUMBER: _ClassVar[int]
    BEST_LAYERS_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    space: _space_pb2.SpaceUse
    in_place_of: Side
    by_k: _containers.RepeatedCompositeFieldContainer[AlignmentAtK]
    differences: _containers.RepeatedCompositeFieldContainer[Difference]
    dropped: int
    layer_scores: _matrix_pb2.Matrix
    best_layers: _containers.RepeatedScalarFieldContainer[int]
    layers: LayerComparison
    def __init__(self, space: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., in_place_of: _Optional[_Union[Side, str]] = ..., by_k: _Optional[_Iterable[_Union[AlignmentAtK, _Mapping]]] = ..., differences: _Optional[_Iterable[_Union[Difference, _Mapping]]] = ..., dropped: _Optional[int] = ..., layer_scores: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., best_layers: _Optional[_Iterable[int]] = ..., layers: _Optional[_Union[LayerComparison, _Mapping]] = ...) -> None: ...

class Difference(_message.Message):
    __slots__ = ("value", "interval", "p_value")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    P_VALUE_FIELD_NUMBER: _ClassVar[int]
    value: float
    interval: Interval
    p_value: float
    def __init__(self, value: _Optional[float] = ..., interval: _Optional[_Union[Interval, _Mapping]] = ..., p_value: _Optional[float] = ...) -> None: ...

class AlignmentReport(_message.Message):
    __slots__ = ("metric", "headline", "by_k", "n", "gallery", "dropped_x", "dropped_y", "preprocess", "clips", "permutations", "seed", "alpha", "x", "y", "engine", "certificate_x", "certificate_y", "kernel_rule_x", "kernel_rule_y", "layer_scores", "best_layers", "layers", "sampled_items", "bandwidths", "rdm_distance", "rdm_comparison", "within", "constant_columns", "context_x", "context_y", "stop_after", "given", "controls", "similarity_x", "similarity_y", "warnings", "query_sampling", "duplicates", "deduplicate", "strata", "group_by", "groups", "duplicate_queries", "layer_contexts_x", "layer_contexts_y")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    HEADLINE_FIELD_NUMBER: _ClassVar[int]
    BY_K_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    DROPPED_X_FIELD_NUMBER: _ClassVar[int]
    DROPPED_Y_FIELD_NUMBER: _ClassVar[int]
    PREPROCESS_FIELD_NUMBER: _ClassVar[int]
    CLIPS_FIELD_NUMBER: _ClassVar[int]
    PERMUTATIONS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_X_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_Y_FIELD_NUMBER: _ClassVar[int]
    KERNEL_RULE_X_FIELD_NUMBER: _ClassVar[int]
    KERNEL_RULE_Y_FIELD_NUMBER: _ClassVar[int]
    LAYER_SCORES_FIELD_NUMBER: _ClassVar[int]
    BEST_LAYERS_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    SAMPLED_ITEMS_FIELD_NUMBER: _ClassVar[int]
    BANDWIDTHS_FIELD_NUMBER: _ClassVar[int]
    RDM_DISTANCE_FIELD_NUMBER: _ClassVar[int]
    RDM_COMPARISON_FIELD_NUMBER: _ClassVar[int]
    WITHIN_FIELD_NUMBER: _ClassVar[int]
    CONSTANT_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_X_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_Y_FIELD_NUMBER: _ClassVar[int]
    STOP_AFTER_FIELD_NUMBER: _ClassVar[int]
    GIVEN_FIELD_NUMBER: _ClassVar[int]
    CONTROLS_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_X_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_Y_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    QUERY_SAMPLING_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    DEDUPLICATE_FIELD_NUMBER: _ClassVar[int]
    STRATA_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_QUERIES_FIELD_NUMBER: _ClassVar[int]
    LAYER_CONTEXTS_X_FIELD_NUMBER: _ClassVar[int]
    LAYER_CONTEXTS_Y_FIELD_NUMBER: _ClassVar[int]
    metric: Metric
    headline: AlignmentAtK
    by_k: _containers.RepeatedCompositeFieldContainer[AlignmentAtK]
    n: int
    gallery: int
    dropped_x: int
    dropped_y: int
    preprocess: Preprocess
    clips: _containers.RepeatedScalarFieldContainer[float]
    permutations: int
    seed: int
    alpha: float
    x: _space_pb2.SpaceUse
    y: _space_pb2.SpaceUse
    engine: str
    certificate_x: Certificate
    certificate_y: Certificate
    kernel_rule_x: str
    kernel_rule_y: str
    layer_scores: _matrix_pb2.Matrix
    best_layers: _containers.RepeatedScalarFieldContainer[int]
    layers: LayerComparison
    sampled_items: SampledItems
    bandwidths: _containers.RepeatedScalarFieldContainer[float]
    rdm_distance: RdmDistance
    rdm_comparison: RdmComparison
    within: Within
    constant_columns: _containers.RepeatedScalarFieldContainer[int]
    context_x: _space_pb2.SpaceGeometry
    context_y: _space_pb2.SpaceGeometry
    stop_after: int
    given: Given
    controls: _containers.RepeatedCompositeFieldContainer[ControlReport]
    similarity_x: _space_pb2.Similarity
    similarity_y: _space_pb2.Similarity
    warnings: _containers.RepeatedScalarFieldContainer[str]
    query_sampling: QuerySampling
    duplicates: int
    deduplicate: float
    strata: str
    group_by: str
    groups: int
    duplicate_queries: int
    layer_contexts_x: _containers.RepeatedCompositeFieldContainer[_space_pb2.SpaceGeometry]
    layer_contexts_y: _containers.RepeatedCompositeFieldContainer[_space_pb2.SpaceGeometry]
    def __init__(self, metric: _Optional[_Union[Metric, str]] = ..., headline: _Optional[_Union[AlignmentAtK, _Mapping]] = ..., by_k: _Optional[_Iterable[_Union[AlignmentAtK, _Mapping]]] = ..., n: _Optional[int] = ..., gallery: _Optional[int] = ..., dropped_x: _Optional[int] = ..., dropped_y: _Optional[int] = ..., preprocess: _Optional[_Union[Preprocess, str]] = ..., clips: _Optional[_Iterable[float]] = ..., permutations: _Optional[int] = ..., seed: _Optional[int] = ..., alpha: _Optional[float] = ..., x: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., y: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., engine: _Optional[str] = ..., certificate_x: _Optional[_Union[Certificate, _Mapping]] = ..., certificate_y: _Optional[_Union[Certificate, _Mapping]] = ..., kernel_rule_x: _Optional[str] = ..., kernel_rule_y: _Optional[str] = ..., layer_scores: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., best_layers: _Optional[_Iterable[int]] = ..., layers: _Optional[_Union[LayerComparison, _Mapping]] = ..., sampled_items: _Optional[_Union[SampledItems, _Mapping]] = ..., bandwidths: _Optional[_Iterable[float]] = ..., rdm_distance: _Optional[_Union[RdmDistance, str]] = ..., rdm_comparison: _Optional[_Union[RdmComparison, str]] = ..., within: _Optional[_Union[Within, _Mapping]] = ..., constant_columns: _Optional[_Iterable[int]] = ..., context_x: _Optional[_Union[_space_pb2.SpaceGeometry, _Mapping]] = ..., context_y: _Optional[_Union[_space_pb2.SpaceGeometry, _Mapping]] = ..., stop_after: _Optional[int] = ..., given: _Optional[_Union[Given, _Mapping]] = ..., controls: _Optional[_Iterable[_Union[ControlReport, _Mapping]]] = ..., similarity_x: _Optional[_Union[_space_pb2.Similarity, str]] = ..., similarity_y: _Optional[_Union[_space_pb2.Similarity, str]] = ..., warnings: _Optional[_Iterable[str]] = ..., query_sampling: _Optional[_Union[QuerySampling, str]] = ..., duplicates: _Optional[int] = ..., deduplicate: _Optional[float] = ..., strata: _Optional[str] = ..., group_by: _Optional[str] = ..., groups: _Optional[int] = ..., duplicate_queries: _Optional[int] = ..., layer_contexts_x: _Optional[_Iterable[_Union[_space_pb2.SpaceGeometry, _Mapping]]] = ..., layer_contexts_y: _Optional[_Iterable[_Union[_space_pb2.SpaceGeometry, _Mapping]]] = ...) -> None: ...

class LayerComparison(_message.Message):
    __slots__ = ("selection", "p_values", "calibrated", "maximum", "maximum_layers", "n", "selection_n", "x_layers", "y_layers")
    SELECTION_FIELD_NUMBER: _ClassVar[int]
    P_VALUES_FIELD_NUMBER: _ClassVar[int]
    CALIBRATED_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_LAYERS_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    SELECTION_N_FIELD_NUMBER: _ClassVar[int]
    X_LAYERS_FIELD_NUMBER: _ClassVar[int]
    Y_LAYERS_FIELD_NUMBER: _ClassVar[int]
    selection: LayerSelection
    p_values: _matrix_pb2.Matrix
    calibrated: _matrix_pb2.Matrix
    maximum: AlignmentAtK
    maximum_layers: _containers.RepeatedScalarFieldContainer[int]
    n: int
    selection_n: int
    x_layers: _containers.RepeatedCompositeFieldContainer[_space_pb2.SpaceUse]
    y_layers: _containers.RepeatedCompositeFieldContainer[_space_pb2.SpaceUse]
    def __init__(self, selection: _Optional[_Union[LayerSelection, str]] = ..., p_values: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., calibrated: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., maximum: _Optional[_Union[AlignmentAtK, _Mapping]] = ..., maximum_layers: _Optional[_Iterable[int]] = ..., n: _Optional[int] = ..., selection_n: _Optional[int] = ..., x_layers: _Optional[_Iterable[_Union[_space_pb2.SpaceUse, _Mapping]]] = ..., y_layers: _Optional[_Iterable[_Union[_space_pb2.SpaceUse, _Mapping]]] = ...) -> None: ...

class Certificate(_message.Message):
    __slots__ = ("scan_dtype", "error_bound", "certified_rows", "refined_rows", "exact_dots", "backend")
    SCAN_DTYPE_FIELD_NUMBER: _ClassVar[int]
    ERROR_BOUND_FIELD_NUMBER: _ClassVar[int]
    CERTIFIED_ROWS_FIELD_NUMBER: _ClassVar[int]
    REFINED_ROWS_FIELD_NUMBER: _ClassVar[int]
    EXACT_DOTS_FIELD_NUMBER: _ClassVar[int]
    BACKEND_FIELD_NUMBER: _ClassVar[int]
    scan_dtype: str
    error_bound: float
    certified_rows: int
    refined_rows: int
    exact_dots: int
    backend: str
    def __init__(self, scan_dtype: _Optional[str] = ..., error_bound: _Optional[float] = ..., certified_rows: _Optional[int] = ..., refined_rows: _Optional[int] = ..., exact_dots: _Optional[int] = ..., backend: _Optional[str] = ...) -> None: ...

class AlignRequest(_message.Message):
    __slots__ = ("x", "y", "spec", "mode", "request_id", "controls", "given")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CONTROLS_FIELD_NUMBER: _ClassVar[int]
    GIVEN_FIELD_NUMBER: _ClassVar[int]
    x: _space_pb2.SpaceRef
    y: _space_pb2.SpaceRef
    spec: AlignmentSpec
    mode: ExecutionMode
    request_id: str
    controls: _containers.RepeatedCompositeFieldContainer[Control]
    given: _space_pb2.SpaceRef
    def __init__(self, x: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., y: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., spec: _Optional[_Union[AlignmentSpec, _Mapping]] = ..., mode: _Optional[_Union[ExecutionMode, str]] = ..., request_id: _Optional[str] = ..., controls: _Optional[_Iterable[_Union[Control, _Mapping]]] = ..., given: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ...) -> None: ...

class AlignResponse(_message.Message):
    __slots__ = ("report", "operation")
    REPORT_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    report: AlignmentReport
    operation: _operations_pb2.Operation
    def __init__(self, report: _Optional[_Union[AlignmentReport, _Mapping]] = ..., operation: _Optional[_Union[_operations_pb2.Operation, _Mapping]] = ...) -> None: ...

class AlignArraysRequest(_message.Message):
    __slots__ = ("header", "x", "y", "control", "given")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    CONTROL_FIELD_NUMBER: _ClassVar[int]
    GIVEN_FIELD_NUMBER: _ClassVar[int]
    header: AlignArraysHeader
    x: _matrix_pb2.Matrix
    y: _matrix_pb2.Matrix
    control: ArrayControlBlock
    given: _matrix_pb2.Matrix
    def __init__(self, header: _Optional[_Union[AlignArraysHeader, _Mapping]] = ..., x: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., y: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., control: _Optional[_Union[ArrayControlBlock, _Mapping]] = ..., given: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ...) -> None: ...

class ArrayControl(_message.Message):
    __slots__ = ("name", "columns", "in_place_of", "layer_columns", "stacked")
    NAME_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    IN_PLACE_OF_FIELD_NUMBER: _ClassVar[int]
    LAYER_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    STACKED_FIELD_NUMBER: _ClassVar[int]
    name: str
    columns: int
    in_place_of: Side
    layer_columns: _containers.RepeatedScalarFieldContainer[int]
    stacked: bool
    def __init__(self, name: _Optional[str] = ..., columns: _Optional[int] = ..., in_place_of: _Optional[_Union[Side, str]] = ..., layer_columns: _Optional[_Iterable[int]] = ..., stacked: bool = ...) -> None: ...

class ArrayControlBlock(_message.Message):
    __slots__ = ("number", "rows")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    number: int
    rows: _matrix_pb2.Matrix
    def __init__(self, number: _Optional[int] = ..., rows: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ...) -> None: ...

class AlignArraysHeader(_message.Message):
    __slots__ = ("spec", "similarity", "rows", "x_columns", "y_columns", "x_layer_columns", "y_layer_columns", "x_stacked", "y_stacked", "within_groups", "controls", "given_columns", "x_kernel", "y_kernel", "fold_groups")
    SPEC_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    X_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    Y_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    X_LAYER_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    Y_LAYER_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    X_STACKED_FIELD_NUMBER: _ClassVar[int]
    Y_STACKED_FIELD_NUMBER: _ClassVar[int]
    WITHIN_GROUPS_FIELD_NUMBER: _ClassVar[int]
    CONTROLS_FIELD_NUMBER: _ClassVar[int]
    GIVEN_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    X_KERNEL_FIELD_NUMBER: _ClassVar[int]
    Y_KERNEL_FIELD_NUMBER: _ClassVar[int]
    FOLD_GROUPS_FIELD_NUMBER: _ClassVar[int]
    spec: AlignmentSpec
    similarity: _space_pb2.Similarity
    rows: int
    x_columns: int
    y_columns: int
    x_layer_columns: _containers.RepeatedScalarFieldContainer[int]
    y_layer_columns: _containers.RepeatedScalarFieldContainer[int]
    x_stacked: bool
    y_stacked: bool
    within_groups: _containers.RepeatedScalarFieldContainer[int]
    controls: _containers.RepeatedCompositeFieldContainer[ArrayControl]
    given_columns: int
    x_kernel: ArrayKernel
    y_kernel: ArrayKernel
    fold_groups: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, spec: _Optional[_Union[AlignmentSpec, _Mapping]] = ..., similarity: _Optional[_Union[_space_pb2.Similarity, str]] = ..., rows: _Optional[int] = ..., x_columns: _Optional[int] = ..., y_columns: _Optional[int] = ..., x_layer_columns: _Optional[_Iterable[int]] = ..., y_layer_columns: _Optional[_Iterable[int]] = ..., x_stacked: bool = ..., y_stacked: bool = ..., within_groups: _Optional[_Iterable[int]] = ..., controls: _Optional[_Iterable[_Union[ArrayControl, _Mapping]]] = ..., given_columns: _Optional[int] = ..., x_kernel: _Optional[_Union[ArrayKernel, _Mapping]] = ..., y_kernel: _Optional[_Union[ArrayKernel, _Mapping]] = ..., fold_groups: _Optional[_Iterable[int]] = ...) -> None: ...

class ArrayKernel(_message.Message):
    __slots__ = ("dissimilarity", "dissimilarity_kind")
    DISSIMILARITY_FIELD_NUMBER: _ClassVar[int]
    DISSIMILARITY_KIND_FIELD_NUMBER: _ClassVar[int]
    dissimilarity: bool
    dissimilarity_kind: _space_pb2.DissimilarityKind
    def __init__(self, dissimilarity: bool = ..., dissimilarity_kind: _Optional[_Union[_space_pb2.DissimilarityKind, str]] = ...) -> None: ...

class AlignArraysResponse(_message.Message):
    __slots__ = ("report",)
    REPORT_FIELD_NUMBER: _ClassVar[int]
    report: AlignmentReport
    def __init__(self, report: _Optional[_Union[AlignmentReport, _Mapping]] = ...) -> None: ...

class AlignMatrixRequest(_message.Message):
    __slots__ = ("spaces", "spec", "items", "mode", "request_id")
    SPACES_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    spaces: _containers.RepeatedCompositeFieldContainer[_space_pb2.SpaceRef]
    spec: AlignmentSpec
    items: ItemPolicy
    mode: ExecutionMode
    request_id: str
    def __init__(self, spaces: _Optional[_Iterable[_Union[_space_pb2.SpaceRef, _Mapping]]] = ..., spec: _Optional[_Union[AlignmentSpec, _Mapping]] = ..., items: _Optional[_Union[ItemPolicy, str]] = ..., mode: _Optional[_Union[ExecutionMode, str]] = ..., request_id: _Optional[str] = ...) -> None: ...

class AlignMatrixResponse(_message.Message):
    __slots__ = ("matrix", "operation")
    MATRIX_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    matrix: AlignmentMatrix
    operation: _operations_pb2.Operation
    def __init__(self, matrix: _Optional[_Union[AlignmentMatrix, _Mapping]] = ..., operation: _Optional[_Union[_operations_pb2.Operation, _Mapping]] = ...) -> None: ...

class AlignmentMatrix(_message.Message):
    __slots__ = ("metric", "spaces", "scores", "chance", "excess", "calibrated", "p_values", "interval_low", "interval_high", "interval_kind", "confidence", "n", "k", "permutations", "seed", "preprocess", "items", "engine", "alpha", "p_adjusted", "q_values", "coordinates", "explained", "stress", "order", "gallery", "query_sampling", "sampled_items", "bandwidths", "rdm_distance", "rdm_comparison", "components", "predictivity", "duplicates", "deduplicate", "strata", "compared", "duplicate_queries", "group_by", "groups", "within", "warnings")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    SPACES_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    CHANCE_FIELD_NUMBER: _ClassVar[int]
    EXCESS_FIELD_NUMBER: _ClassVar[int]
    CALIBRATED_FIELD_NUMBER: _ClassVar[int]
    P_VALUES_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_LOW_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_HIGH_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_KIND_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    PERMUTATIONS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    PREPROCESS_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    P_ADJUSTED_FIELD_NUMBER: _ClassVar[int]
    Q_VALUES_FIELD_NUMBER: _ClassVar[int]
    COORDINATES_FIELD_NUMBER: _ClassVar[int]
    EXPLAINED_FIELD_NUMBER: _ClassVar[int]
    STRESS_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    QUERY_SAMPLING_FIELD_NUMBER: _ClassVar[int]
    SAMPLED_ITEMS_FIELD_NUMBER: _ClassVar[int]
    BANDWIDTHS_FIELD_NUMBER: _ClassVar[int]
    RDM_DISTANCE_FIELD_NUMBER: _ClassVar[int]
    RDM_COMPARISON_FIELD_NUMBER: _ClassVar[int]
    COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    PREDICTIVITY_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    DEDUPLICATE_FIELD_NUMBER: _ClassVar[int]
    STRATA_FIELD_NUMBER: _ClassVar[int]
    COMPARED_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_QUERIES_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    WITHIN_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    metric: Metric
    spaces: _containers.RepeatedCompositeFieldContainer[_space_pb2.SpaceUse]
    scores: _matrix_pb2.Matrix
    chance: _matrix_pb2.Matrix
    excess: _matrix_pb2.Matrix
    calibrated: _matrix_pb2.Matrix
    p_values: _matrix_pb2.Matrix
    interval_low: _matrix_pb2.Matrix
    interval_high: _matrix_pb2.Matrix
    interval_kind: IntervalKind
    confidence: float
    n: _containers.RepeatedScalarFieldContainer[int]
    k: int
    permutations: int
    seed: int
    preprocess: Preprocess
    items: ItemPolicy
    engine: str
    alpha: float
    p_adjusted: _matrix_pb2.Matrix
    q_values: _matrix_pb2.Matrix
    coordinates: _matrix_pb2.Matrix
    explained: float
    stress: float
    order: _containers.RepeatedScalarFieldContainer[int]
    gallery: _containers.RepeatedScalarFieldContainer[int]
    query_sampling: QuerySampling
    sampled_items: SampledItems
    bandwidths: _containers.RepeatedScalarFieldContainer[float]
    rdm_distance: RdmDistance
    rdm_comparison: RdmComparison
    components: int
    predictivity: PredictivitySpec
    duplicates: int
    deduplicate: float
    strata: str
    compared: _containers.RepeatedCompositeFieldContainer[ComparedSpace]
    duplicate_queries: int
    group_by: str
    groups: int
    within: Within
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, metric: _Optional[_Union[Metric, str]] = ..., spaces: _Optional[_Iterable[_Union[_space_pb2.SpaceUse, _Mapping]]] = ..., scores: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., chance: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., excess: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., calibrated: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., p_values: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., interval_low: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., interval_high: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., interval_kind: _Optional[_Union[IntervalKind, str]] = ..., confidence: _Optional[float] = ..., n: _Optional[_Iterable[int]] = ..., k: _Optional[int] = ..., permutations: _Optional[int] = ..., seed: _Optional[int] = ..., preprocess: _Optional[_Union[Preprocess, str]] = ..., items: _Optional[_Union[ItemPolicy, str]] = ..., engine: _Optional[str] = ..., alpha: _Optional[float] = ..., p_adjusted: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., q_values: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., coordinates: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., explained: _Optional[float] = ..., stress: _Optional[float] = ..., order: _Optional[_Iterable[int]] = ..., gallery: _Optional[_Iterable[int]] = ..., query_sampling: _Optional[_Union[QuerySampling, str]] = ..., sampled_items: _Optional[_Union[SampledItems, _Mapping]] = ..., bandwidths: _Optional[_Iterable[float]] = ..., rdm_distance: _Optional[_Union[RdmDistance, str]] = ..., rdm_comparison: _Optional[_Union[RdmComparison, str]] = ..., components: _Optional[int] = ..., predictivity: _Optional[_Union[PredictivitySpec, _Mapping]] = ..., duplicates: _Optional[int] = ..., deduplicate: _Optional[float] = ..., strata: _Optional[str] = ..., compared: _Optional[_Iterable[_Union[ComparedSpace, _Mapping]]] = ..., duplicate_queries: _Optional[int] = ..., group_by: _Optional[str] = ..., groups: _Optional[int] = ..., within: _Optional[_Union[Within, _Mapping]] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class Measurement(_message.Message):
    __slots__ = ("gallery", "query_sampling", "duplicates", "deduplicate", "sampled_items", "rdm_distance", "rdm_comparison", "bandwidths", "components", "predictivity", "kernel_rules", "strata", "group_by", "groups")
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    QUERY_SAMPLING_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    DEDUPLICATE_FIELD_NUMBER: _ClassVar[int]
    SAMPLED_ITEMS_FIELD_NUMBER: _ClassVar[int]
    RDM_DISTANCE_FIELD_NUMBER: _ClassVar[int]
    RDM_COMPARISON_FIELD_NUMBER: _ClassVar[int]
    BANDWIDTHS_FIELD_NUMBER: _ClassVar[int]
    COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    PREDICTIVITY_FIELD_NUMBER: _ClassVar[int]
    KERNEL_RULES_FIELD_NUMBER: _ClassVar[int]
    STRATA_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    gallery: int
    query_sampling: QuerySampling
    duplicates: int
    deduplicate: float
    sampled_items: SampledItems
    rdm_distance: RdmDistance
    rdm_comparison: RdmComparison
    bandwidths: _containers.RepeatedScalarFieldContainer[float]
    components: int
    predictivity: PredictivitySpec
    kernel_rules: _containers.RepeatedScalarFieldContainer[str]
    strata: str
    group_by: str
    groups: int
    def __init__(self, gallery: _Optional[int] = ..., query_sampling: _Optional[_Union[QuerySampling, str]] = ..., duplicates: _Optional[int] = ..., deduplicate: _Optional[float] = ..., sampled_items: _Optional[_Union[SampledItems, _Mapping]] = ..., rdm_distance: _Optional[_Union[RdmDistance, str]] = ..., rdm_comparison: _Optional[_Union[RdmComparison, str]] = ..., bandwidths: _Optional[_Iterable[float]] = ..., components: _Optional[int] = ..., predictivity: _Optional[_Union[PredictivitySpec, _Mapping]] = ..., kernel_rules: _Optional[_Iterable[str]] = ..., strata: _Optional[str] = ..., group_by: _Optional[str] = ..., groups: _Optional[int] = ...) -> None: ...

class ComparedSpace(_message.Message):
    __slots__ = ("similarity", "kernel_rule", "clip", "constant_columns", "context")
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    KERNEL_RULE_FIELD_NUMBER: _ClassVar[int]
    CLIP_FIELD_NUMBER: _ClassVar[int]
    CONSTANT_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    similarity: _space_pb2.Similarity
    kernel_rule: str
    clip: float
    constant_columns: int
    context: _space_pb2.SpaceGeometry
    def __init__(self, similarity: _Optional[_Union[_space_pb2.Similarity, str]] = ..., kernel_rule: _Optional[str] = ..., clip: _Optional[float] = ..., constant_columns: _Optional[int] = ..., context: _Optional[_Union[_space_pb2.SpaceGeometry, _Mapping]] = ...) -> None: ...

class TrendRequest(_message.Message):
    __slots__ = ("spaces", "against", "reference", "spec", "families", "scale", "bucket_count", "bucket_edges", "mode", "request_id", "against_name", "against_kind")
    SPACES_FIELD_NUMBER: _ClassVar[int]
    AGAINST_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    FAMILIES_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    BUCKET_COUNT_FIELD_NUMBER: _ClassVar[int]
    BUCKET_EDGES_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    AGAINST_NAME_FIELD_NUMBER: _ClassVar[int]
    AGAINST_KIND_FIELD_NUMBER: _ClassVar[int]
    spaces: _containers.RepeatedCompositeFieldContainer[_space_pb2.SpaceRef]
    against: _containers.RepeatedScalarFieldContainer[float]
    reference: _space_pb2.SpaceRef
    spec: AlignmentSpec
    families: _containers.RepeatedScalarFieldContainer[str]
    scale: AgainstScale
    bucket_count: int
    bucket_edges: _containers.RepeatedScalarFieldContainer[float]
    mode: ExecutionMode
    request_id: str
    against_name: str
    against_kind: AgainstKind
    def __init__(self, spaces: _Optional[_Iterable[_Union[_space_pb2.SpaceRef, _Mapping]]] = ..., against: _Optional[_Iterable[float]] = ..., reference: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., spec: _Optional[_Union[AlignmentSpec, _Mapping]] = ..., families: _Optional[_Iterable[str]] = ..., scale: _Optional[_Union[AgainstScale, str]] = ..., bucket_count: _Optional[int] = ..., bucket_edges: _Optional[_Iterable[float]] = ..., mode: _Optional[_Union[ExecutionMode, str]] = ..., request_id: _Optional[str] = ..., against_name: _Optional[str] = ..., against_kind: _Optional[_Union[AgainstKind, str]] = ...) -> None: ...

class TrendResponse(_message.Message):
    __slots__ = ("spearman", "interval", "reports", "report", "operation")
    SPEARMAN_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    spearman: float
    interval: Interval
    reports: _containers.RepeatedCompositeFieldContainer[AlignmentReport]
    report: TrendReport
    operation: _operations_pb2.Operation
    def __init__(self, spearman: _Optional[float] = ..., interval: _Optional[_Union[Interval, _Mapping]] = ..., reports: _Optional[_Iterable[_Union[AlignmentReport, _Mapping]]] = ..., report: _Optional[_Union[TrendReport, _Mapping]] = ..., operation: _Optional[_Union[_operations_pb2.Operation, _Mapping]] = ...) -> None: ...

class TrendReport(_message.Message):
    __slots__ = ("metric", "spaces", "reference", "against", "scores", "chance", "excess", "families", "scale", "spearman", "spearman_interval", "pearson", "pearson_interval", "spearman_p_value", "pearson_p_value", "pairings", "exact", "slope", "intercept", "buckets", "across", "across_standard_errors", "family_trends", "pair_scores", "n", "k", "permutations", "seed", "preprocess", "engine", "warnings", "measurement", "against_name", "against_kind")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    SPACES_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    AGAINST_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    CHANCE_FIELD_NUMBER: _ClassVar[int]
    EXCESS_FIELD_NUMBER: _ClassVar[int]
    FAMILIES_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    SPEARMAN_FIELD_NUMBER: _ClassVar[int]
    SPEARMAN_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    PEARSON_FIELD_NUMBER: _ClassVar[int]
    PEARSON_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    SPEARMAN_P_VALUE_FIELD_NUMBER: _ClassVar[int]
    PEARSON_P_VALUE_FIELD_NUMBER: _ClassVar[int]
    PAIRINGS_FIELD_NUMBER: _ClassVar[int]
    EXACT_FIELD_NUMBER: _ClassVar[int]
    SLOPE_FIELD_NUMBER: _ClassVar[int]
    INTERCEPT_FIELD_NUMBER: _ClassVar[int]
    BUCKETS_FIELD_NUMBER: _ClassVar[int]
    ACROSS_FIELD_NUMBER: _ClassVar[int]
    ACROSS_STANDARD_ERRORS_FIELD_NUMBER: _ClassVar[int]
    FAMILY_TRENDS_FIELD_NUMBER: _ClassVar[int]
    PAIR_SCORES_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    PERMUTATIONS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    PREPROCESS_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    MEASUREMENT_FIELD_NUMBER: _ClassVar[int]
    AGAINST_NAME_FIELD_NUMBER: _ClassVar[int]
    AGAINST_KIND_FIELD_NUMBER: _ClassVar[int]
    metric: Metric
    spaces: _containers.RepeatedCompositeFieldContainer[_space_pb2.SpaceUse]
    reference: _space_pb2.SpaceUse
    against: _containers.RepeatedScalarFieldContainer[float]
    scores: _containers.RepeatedScalarFieldContainer[float]
    chance: _containers.RepeatedScalarFieldContainer[float]
    excess: _containers.RepeatedScalarFieldContainer[float]
    families: _containers.RepeatedScalarFieldContainer[str]
    scale: AgainstScale
    spearman: float
    spearman_interval: Interval
    pearson: float
    pearson_interval: Interval
    spearman_p_value: float
    pearson_p_value: float
    pairings: int
    exact: bool
    slope: float
    intercept: float
    buckets: _containers.RepeatedCompositeFieldContainer[TrendBucket]
    across: _matrix_pb2.Matrix
    across_standard_errors: _matrix_pb2.Matrix
    family_trends: _containers.RepeatedCompositeFieldContainer[FamilyTrend]
    pair_scores: _matrix_pb2.Matrix
    n: int
    k: int
    permutations: int
    seed: int
    preprocess: Preprocess
    engine: str
    warnings: _containers.RepeatedScalarFieldContainer[str]
    measurement: Measurement
    against_name: str
    against_kind: AgainstKind
    def __init__(self, metric: _Optional[_Union[Metric, str]] = ..., spaces: _Optional[_Iterable[_Union[_space_pb2.SpaceUse, _Mapping]]] = ..., reference: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., against: _Optional[_Iterable[float]] = ..., scores: _Optional[_Iterable[float]] = ..., chance: _Optional[_Iterable[float]] = ..., excess: _Optional[_Iterable[float]] = ..., families: _Optional[_Iterable[str]] = ..., scale: _Optional[_Union[AgainstScale, str]] = ..., spearman: _Optional[float] = ..., spearman_interval: _Optional[_Union[Interval, _Mapping]] = ..., pearson: _Optional[float] = ..., pearson_interval: _Optional[_Union[Interval, _Mapping]] = ..., spearman_p_value: _Optional[float] = ..., pearson_p_value: _Optional[float] = ..., pairings: _Optional[int] = ..., exact: bool = ..., slope: _Optional[float] = ..., intercept: _Optional[float] = ..., buckets: _Optional[_Iterable[_Union[TrendBucket, _Mapping]]] = ..., across: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., across_standard_errors: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., family_trends: _Optional[_Iterable[_Union[FamilyTrend, _Mapping]]] = ..., pair_scores: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., n: _Optional[int] = ..., k: _Optional[int] = ..., permutations: _Optional[int] = ..., seed: _Optional[int] = ..., preprocess: _Optional[_Union[Preprocess, str]] = ..., engine: _Optional[str] = ..., warnings: _Optional[_Iterable[str]] = ..., measurement: _Optional[_Union[Measurement, _Mapping]] = ..., against_name: _Optional[str] = ..., against_kind: _Optional[_Union[AgainstKind, str]] = ...) -> None: ...

class TrendBucket(_message.Message):
    __slots__ = ("low", "high", "members", "mean", "standard_error", "count")
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    MEAN_FIELD_NUMBER: _ClassVar[int]
    STANDARD_ERROR_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    low: float
    high: float
    members: _containers.RepeatedScalarFieldContainer[int]
    mean: float
    standard_error: float
    count: int
    def __init__(self, low: _Optional[float] = ..., high: _Optional[float] = ..., members: _Optional[_Iterable[int]] = ..., mean: _Optional[float] = ..., standard_error: _Optional[float] = ..., count: _Optional[int] = ...) -> None: ...

class FamilyTrend(_message.Message):
    __slots__ = ("name", "count", "spearman", "slope", "intercept")
    NAME_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SPEARMAN_FIELD_NUMBER: _ClassVar[int]
    SLOPE_FIELD_NUMBER: _ClassVar[int]
    INTERCEPT_FIELD_NUMBER: _ClassVar[int]
    name: str
    count: int
    spearman: float
    slope: float
    intercept: float
    def __init__(self, name: _Optional[str] = ..., count: _Optional[int] = ..., spearman: _Optional[float] = ..., slope: _Optional[float] = ..., intercept: _Optional[float] = ...) -> None: ...

class GalleryCurveRequest(_message.Message):
    __slots__ = ("x", "y", "spec", "gallery_sizes", "mode", "request_id")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    GALLERY_SIZES_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    x: _space_pb2.SpaceRef
    y: _space_pb2.SpaceRef
    spec: AlignmentSpec
    gallery_sizes: _containers.RepeatedScalarFieldContainer[int]
    mode: ExecutionMode
    request_id: str
    def __init__(self, x: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., y: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., spec: _Optional[_Union[AlignmentSpec, _Mapping]] = ..., gallery_sizes: _Optional[_Iterable[int]] = ..., mode: _Optional[_Union[ExecutionMode, str]] = ..., request_id: _Optional[str] = ...) -> None: ...

class GalleryCurveResponse(_message.Message):
    __slots__ = ("reports", "lines", "warnings", "operation")
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    reports: _containers.RepeatedCompositeFieldContainer[AlignmentReport]
    lines: _containers.RepeatedCompositeFieldContainer[GalleryCurveLine]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    operation: _operations_pb2.Operation
    def __init__(self, reports: _Optional[_Iterable[_Union[AlignmentReport, _Mapping]]] = ..., lines: _Optional[_Iterable[_Union[GalleryCurveLine, _Mapping]]] = ..., warnings: _Optional[_Iterable[str]] = ..., operation: _Optional[_Union[_operations_pb2.Operation, _Mapping]] = ...) -> None: ...

class GalleryCurveLine(_message.Message):
    __slots__ = ("k", "k_fraction", "ks")
    K_FIELD_NUMBER: _ClassVar[int]
    K_FRACTION_FIELD_NUMBER: _ClassVar[int]
    KS_FIELD_NUMBER: _ClassVar[int]
    k: int
    k_fraction: float
    ks: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, k: _Optional[int] = ..., k_fraction: _Optional[float] = ..., ks: _Optional[_Iterable[int]] = ...) -> None: ...

class ConsensusRequest(_message.Message):
    __slots__ = ("spaces", "consensus_space_id", "method", "spec", "rank", "extremes", "mode", "request_id")
    SPACES_FIELD_NUMBER: _ClassVar[int]
    CONSENSUS_SPACE_ID_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    EXTREMES_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    spaces: _containers.RepeatedCompositeFieldContainer[_space_pb2.SpaceRef]
    consensus_space_id: str
    method: ConsensusMethod
    spec: AlignmentSpec
    rank: int
    extremes: int
    mode: ExecutionMode
    request_id: str
    def __init__(self, spaces: _Optional[_Iterable[_Union[_space_pb2.SpaceRef, _Mapping]]] = ..., consensus_space_id: _Optional[str] = ..., method: _Optional[_Union[ConsensusMethod, str]] = ..., spec: _Optional[_Union[AlignmentSpec, _Mapping]] = ..., rank: _Optional[int] = ..., extremes: _Optional[int] = ..., mode: _Optional[_Union[ExecutionMode, str]] = ..., request_id: _Optional[str] = ...) -> None: ...

class ConsensusResponse(_message.Message):
    __slots__ = ("space", "report", "operation")
    SPACE_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    space: _space_pb2.Space
    report: ConsensusReport
    operation: _operations_pb2.Operation
    def __init__(self, space: _Optional[_Union[_space_pb2.Space, _Mapping]] = ..., report: _Optional[_Union[ConsensusReport, _Mapping]] = ..., operation: _Optional[_Union[_operations_pb2.Operation, _Mapping]] = ...) -> None: ...

class ConsensusReport(_message.Message):
    __slots__ = ("method", "spaces", "weights", "n", "dim", "kept", "exact", "ratio", "iterations", "converged", "leave_one_out", "k", "ids", "agreement", "mean_agreement", "chance", "most", "least", "preprocess", "engine", "warnings", "measurement", "rank", "kernel_rules")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    SPACES_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    DIM_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    EXACT_FIELD_NUMBER: _ClassVar[int]
    RATIO_FIELD_NUMBER: _ClassVar[int]
    ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    CONVERGED_FIELD_NUMBER: _ClassVar[int]
    LEAVE_ONE_OUT_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    MEAN_AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    CHANCE_FIELD_NUMBER: _ClassVar[int]
    MOST_FIELD_NUMBER: _ClassVar[int]
    LEAST_FIELD_NUMBER: _ClassVar[int]
    PREPROCESS_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    MEASUREMENT_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    KERNEL_RULES_FIELD_NUMBER: _ClassVar[int]
    method: ConsensusMethod
    spaces: _containers.RepeatedCompositeFieldContainer[_space_pb2.SpaceUse]
    weights: _containers.RepeatedScalarFieldContainer[float]
    n: int
    dim: int
    kept: float
    exact: bool
    ratio: float
    iterations: int
    converged: bool
    leave_one_out: _containers.RepeatedCompositeFieldContainer[AlignmentReport]
    k: int
    ids: _containers.RepeatedScalarFieldContainer[str]
    agreement: _matrix_pb2.Matrix
    mean_agreement: float
    chance: float
    most: _containers.RepeatedCompositeFieldContainer[ItemAgreement]
    least: _containers.RepeatedCompositeFieldContainer[ItemAgreement]
    preprocess: Preprocess
    engine: str
    warnings: _containers.RepeatedScalarFieldContainer[str]
    measurement: Measurement
    rank: int
    kernel_rules: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, method: _Optional[_Union[ConsensusMethod, str]] = ..., spaces: _Optional[_Iterable[_Union[_space_pb2.SpaceUse, _Mapping]]] = ..., weights: _Optional[_Iterable[float]] = ..., n: _Optional[int] = ..., dim: _Optional[int] = ..., kept: _Optional[float] = ..., exact: bool = ..., ratio: _Optional[float] = ..., iterations: _Optional[int] = ..., converged: bool = ..., leave_one_out: _Optional[_Iterable[_Union[AlignmentReport, _Mapping]]] = ..., k: _Optional[int] = ..., ids: _Optional[_Iterable[str]] = ..., agreement: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., mean_agreement: _Optional[float] = ..., chance: _Optional[float] = ..., most: _Optional[_Iterable[_Union[ItemAgreement, _Mapping]]] = ..., least: _Optional[_Iterable[_Union[ItemAgreement, _Mapping]]] = ..., preprocess: _Optional[_Union[Preprocess, str]] = ..., engine: _Optional[str] = ..., warnings: _Optional[_Iterable[str]] = ..., measurement: _Optional[_Union[Measurement, _Mapping]] = ..., rank: _Optional[int] = ..., kernel_rules: _Optional[_Iterable[str]] = ...) -> None: ...

class ItemAgreement(_message.Message):
    __slots__ = ("id", "agreement")
    ID_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    id: str
    agreement: float
    def __init__(self, id: _Optional[str] = ..., agreement: _Optional[float] = ...) -> None: ...
