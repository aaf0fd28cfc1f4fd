from consilience.v1 import bridge_pb2 as _bridge_pb2
from consilience.v1 import alignment_pb2 as _alignment_pb2
from consilience.v1 import match_pb2 as _match_pb2
from consilience.v1 import matrix_pb2 as _matrix_pb2
from consilience.v1 import space_pb2 as _space_pb2
from google.longrunning import operations_pb2 as _operations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ClassItems(_message.Message):
    __slots__ = ("class_name", "item_ids")
    CLASS_NAME_FIELD_NUMBER: _ClassVar[int]
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    class_name: str
    item_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, class_name: _Optional[str] = ..., item_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ClassPrototypes(_message.Message):
    __slots__ = ("space", "class_attribute", "class_items", "vectors", "vector_classes")
    SPACE_FIELD_NUMBER: _ClassVar[int]
    CLASS_ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    CLASS_ITEMS_FIELD_NUMBER: _ClassVar[int]
    VECTORS_FIELD_NUMBER: _ClassVar[int]
    VECTOR_CLASSES_FIELD_NUMBER: _ClassVar[int]
    space: _space_pb2.SpaceRef
    class_attribute: str
    class_items: _containers.RepeatedCompositeFieldContainer[ClassItems]
    vectors: _matrix_pb2.Matrix
    vector_classes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, space: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., class_attribute: _Optional[str] = ..., class_items: _Optional[_Iterable[_Union[ClassItems, _Mapping]]] = ..., vectors: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., vector_classes: _Optional[_Iterable[str]] = ...) -> None: ...

class ClassifyRequest(_message.Message):
    __slots__ = ("prototypes", "items", "bridge", "labels_attribute", "item_ids", "correction", "correction_k", "top_ks", "permutations", "seed", "mode", "request_id")
    PROTOTYPES_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    BRIDGE_FIELD_NUMBER: _ClassVar[int]
    LABELS_ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_K_FIELD_NUMBER: _ClassVar[int]
    TOP_KS_FIELD_NUMBER: _ClassVar[int]
    PERMUTATIONS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    prototypes: ClassPrototypes
    items: _space_pb2.SpaceRef
    bridge: str
    labels_attribute: str
    item_ids: _containers.RepeatedScalarFieldContainer[str]
    correction: _match_pb2.Correction
    correction_k: int
    top_ks: _containers.RepeatedScalarFieldContainer[int]
    permutations: int
    seed: int
    mode: _alignment_pb2.ExecutionMode
    request_id: str
    def __init__(self, prototypes: _Optional[_Union[ClassPrototypes, _Mapping]] = ..., items: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., bridge: _Optional[str] = ..., labels_attribute: _Optional[str] = ..., item_ids: _Optional[_Iterable[str]] = ..., correction: _Optional[_Union[_match_pb2.Correction, str]] = ..., correction_k: _Optional[int] = ..., top_ks: _Optional[_Iterable[int]] = ..., permutations: _Optional[int] = ..., seed: _Optional[int] = ..., mode: _Optional[_Union[_alignment_pb2.ExecutionMode, str]] = ..., request_id: _Optional[str] = ...) -> None: ...

class ClassifyResponse(_message.Message):
    __slots__ = ("classification", "operation")
    CLASSIFICATION_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    classification: Classification
    operation: _operations_pb2.Operation
    def __init__(self, classification: _Optional[_Union[Classification, _Mapping]] = ..., operation: _Optional[_Union[_operations_pb2.Operation, _Mapping]] = ...) -> None: ...

class TopKAccuracy(_message.Message):
    __slots__ = ("k", "accuracy")
    K_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    k: int
    accuracy: _bridge_pb2.Measured
    def __init__(self, k: _Optional[int] = ..., accuracy: _Optional[_Union[_bridge_pb2.Measured, _Mapping]] = ...) -> None: ...

class ClassRecall(_message.Message):
    __slots__ = ("items", "recall")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    RECALL_FIELD_NUMBER: _ClassVar[int]
    items: int
    recall: _bridge_pb2.Measured
    def __init__(self, items: _Optional[int] = ..., recall: _Optional[_Union[_bridge_pb2.Measured, _Mapping]] = ...) -> None: ...

class ClassificationAccuracy(_message.Message):
    __slots__ = ("accuracy", "balanced_accuracy", "top_k", "majority", "chance", "p_value", "recalls", "confusion")
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    BALANCED_ACCURACY_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    MAJORITY_FIELD_NUMBER: _ClassVar[int]
    CHANCE_FIELD_NUMBER: _ClassVar[int]
    P_VALUE_FIELD_NUMBER: _ClassVar[int]
    RECALLS_FIELD_NUMBER: _ClassVar[int]
    CONFUSION_FIELD_NUMBER: _ClassVar[int]
    accuracy: _bridge_pb2.Measured
    balanced_accuracy: _bridge_pb2.Measured
    top_k: _containers.RepeatedCompositeFieldContainer[TopKAccuracy]
    majority: float
    chance: float
    p_value: float
    recalls: _containers.RepeatedCompositeFieldContainer[ClassRecall]
    confusion: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, accuracy: _Optional[_Union[_bridge_pb2.Measured, _Mapping]] = ..., balanced_accuracy: _Optional[_Union[_bridge_pb2.Measured, _Mapping]] = ..., top_k: _Optional[_Iterable[_Union[TopKAccuracy, _Mapping]]] = ..., majority: _Optional[float] = ..., chance: _Optional[float] = ..., p_value: _Optional[float] = ..., recalls: _Optional[_Iterable[_Union[ClassRecall, _Mapping]]] = ..., confusion: _Optional[_Iterable[int]] = ...) -> None: ...

class Classification(_message.Message):
    __slots__ = ("classes", "item_ids", "predictions", "scores", "similarities", "accuracy", "items", "prototypes", "bridge", "fitted_items", "clustered_by", "correction", "permutations", "notes")
    CLASSES_FIELD_NUMBER: _ClassVar[int]
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    PREDICTIONS_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    SIMILARITIES_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    PROTOTYPES_FIELD_NUMBER: _ClassVar[int]
    BRIDGE_FIELD_NUMBER: _ClassVar[int]
    FITTED_ITEMS_FIELD_NUMBER: _ClassVar[int]
    CLUSTERED_BY_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_FIELD_NUMBER: _ClassVar[int]
    PERMUTATIONS_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    classes: _containers.RepeatedScalarFieldContainer[str]
    item_ids: _containers.RepeatedScalarFieldContainer[str]
    predictions: _containers.RepeatedScalarFieldContainer[int]
    scores: _matrix_pb2.Matrix
    similarities: _matrix_pb2.Matrix
    accuracy: ClassificationAccuracy
    items: _space_pb2.SpaceUse
    prototypes: _space_pb2.SpaceUse
    bridge: str
    fitted_items: int
    clustered_by: str
    correction: _match_pb2.Correction
    permutations: int
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, classes: _Optional[_Iterable[str]] = ..., item_ids: _Optional[_Iterable[str]] = ..., predictions: _Optional[_Iterable[int]] = ..., scores: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., similarities: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., accuracy: _Optional[_Union[ClassificationAccuracy, _Mapping]] = ..., items: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., prototypes: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., bridge: _Optional[str] = ..., fitted_items: _Optional[int] = ..., clustered_by: _Optional[str] = ..., correction: _Optional[_Union[_match_pb2.Correction, str]] = ..., permutations: _Optional[int] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...
