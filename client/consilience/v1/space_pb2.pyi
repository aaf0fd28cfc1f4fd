import datetime

from consilience.v1 import attribute_pb2 as _attribute_pb2
from consilience.v1 import matrix_pb2 as _matrix_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SpaceKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SPACE_KIND_UNSPECIFIED: _ClassVar[SpaceKind]
    SPACE_KIND_VECTORS: _ClassVar[SpaceKind]
    SPACE_KIND_KERNEL: _ClassVar[SpaceKind]

class DissimilarityKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DISSIMILARITY_KIND_UNSPECIFIED: _ClassVar[DissimilarityKind]
    DISSIMILARITY_KIND_EUCLIDEAN: _ClassVar[DissimilarityKind]
    DISSIMILARITY_KIND_SQUARED_EUCLIDEAN: _ClassVar[DissimilarityKind]

class Similarity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SIMILARITY_UNSPECIFIED: _ClassVar[Similarity]
    SIMILARITY_COSINE: _ClassVar[Similarity]
    SIMILARITY_INNER_PRODUCT: _ClassVar[Similarity]
    SIMILARITY_SQUARED_L2: _ClassVar[Similarity]

class ValueType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VALUE_TYPE_UNSPECIFIED: _ClassVar[ValueType]
    VALUE_TYPE_STRING: _ClassVar[ValueType]
    VALUE_TYPE_INTEGER: _ClassVar[ValueType]
    VALUE_TYPE_REAL: _ClassVar[ValueType]
    VALUE_TYPE_BOOLEAN: _ClassVar[ValueType]
SPACE_KIND_UNSPECIFIED: SpaceKind
SPACE_KIND_VECTORS: SpaceKind
SPACE_KIND_KERNEL: SpaceKind
DISSIMILARITY_KIND_UNSPECIFIED: DissimilarityKind
DISSIMILARITY_KIND_EUCLIDEAN: DissimilarityKind
DISSIMILARITY_KIND_SQUARED_EUCLIDEAN: DissimilarityKind
SIMILARITY_UNSPECIFIED: Similarity
SIMILARITY_COSINE: Similarity
SIMILARITY_INNER_PRODUCT: Similarity
SIMILARITY_SQUARED_L2: Similarity
VALUE_TYPE_UNSPECIFIED: ValueType
VALUE_TYPE_STRING: ValueType
VALUE_TYPE_INTEGER: ValueType
VALUE_TYPE_REAL: ValueType
VALUE_TYPE_BOOLEAN: ValueType

class Space(_message.Message):
    __slots__ = ("name", "uid", "kind", "dim", "similarity", "modality", "model", "layer", "version", "item_count", "create_time", "update_time", "attributes", "dissimilarity", "group", "dissimilarity_kind", "repeats")
    NAME_FIELD_NUMBER: _ClassVar[int]
    UID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    DIM_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    MODALITY_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    LAYER_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ITEM_COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    DISSIMILARITY_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    DISSIMILARITY_KIND_FIELD_NUMBER: _ClassVar[int]
    REPEATS_FIELD_NUMBER: _ClassVar[int]
    name: str
    uid: str
    kind: SpaceKind
    dim: int
    similarity: Similarity
    modality: str
    model: str
    layer: str
    version: int
    item_count: int
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    attributes: _containers.RepeatedCompositeFieldContainer[AttributeType]
    dissimilarity: bool
    group: str
    dissimilarity_kind: DissimilarityKind
    repeats: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., uid: _Optional[str] = ..., kind: _Optional[_Union[SpaceKind, str]] = ..., dim: _Optional[int] = ..., similarity: _Optional[_Union[Similarity, str]] = ..., modality: _Optional[str] = ..., model: _Optional[str] = ..., layer: _Optional[str] = ..., version: _Optional[int] = ..., item_count: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attributes: _Optional[_Iterable[_Union[AttributeType, _Mapping]]] = ..., dissimilarity: bool = ..., group: _Optional[str] = ..., dissimilarity_kind: _Optional[_Union[DissimilarityKind, str]] = ..., repeats: _Optional[_Iterable[str]] = ...) -> None: ...

class AttributeType(_message.Message):
    __slots__ = ("name", "type")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: ValueType
    def __init__(self, name: _Optional[str] = ..., type: _Optional[_Union[ValueType, str]] = ...) -> None: ...

class SpaceRef(_message.Message):
    __slots__ = ("name", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class SpaceUse(_message.Message):
    __slots__ = ("name", "uid", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    UID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    uid: str
    version: int
    def __init__(self, name: _Optional[str] = ..., uid: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class CreateSpaceRequest(_message.Message):
    __slots__ = ("space_id", "space", "request_id")
    SPACE_ID_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    space_id: str
    space: Space
    request_id: str
    def __init__(self, space_id: _Optional[str] = ..., space: _Optional[_Union[Space, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class CreateSpaceResponse(_message.Message):
    __slots__ = ("space",)
    SPACE_FIELD_NUMBER: _ClassVar[int]
    space: Space
    def __init__(self, space: _Optional[_Union[Space, _Mapping]] = ...) -> None: ...

class GetSpaceRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetSpaceResponse(_message.Message):
    __slots__ = ("space",)
    SPACE_FIELD_NUMBER: _ClassVar[int]
    space: Space
    def __init__(self, space: _Optional[_Union[Space, _Mapping]] = ...) -> None: ...

class ListSpacesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListSpacesResponse(_message.Message):
    __slots__ = ("spaces", "next_page_token")
    SPACES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    spaces: _containers.RepeatedCompositeFieldContainer[Space]
    next_page_token: str
    def __init__(self, spaces: _Optional[_Iterable[_Union[Space, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteSpaceRequest(_message.Message):
    __slots__ = ("name", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeleteSpaceResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class UpsertEmbeddingsRequest(_message.Message):
    __slots__ = ("header", "batch")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    header: UploadHeader
    batch: UploadBatch
    def __init__(self, header: _Optional[_Union[UploadHeader, _Mapping]] = ..., batch: _Optional[_Union[UploadBatch, _Mapping]] = ...) -> None: ...

class UploadHeader(_message.Message):
    __slots__ = ("space", "request_id", "total_rows", "first_row")
    SPACE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ROWS_FIELD_NUMBER: _ClassVar[int]
    FIRST_ROW_FIELD_NUMBER: _ClassVar[int]
    space: str
    request_id: str
    total_rows: int
    first_row: int
    def __init__(self, space: _Optional[str] = ..., request_id: _Optional[str] = ..., total_rows: _Optional[int] = ..., first_row: _Optional[int] = ...) -> None: ...

class UploadBatch(_message.Message):
    __slots__ = ("ids", "vectors", "attributes")
    IDS_FIELD_NUMBER: _ClassVar[int]
    VECTORS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[str]
    vectors: _matrix_pb2.Matrix
    attributes: _containers.RepeatedCompositeFieldContainer[_attribute_pb2.AttributeColumn]
    def __init__(self, ids: _Optional[_Iterable[str]] = ..., vectors: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., attributes: _Optional[_Iterable[_Union[_attribute_pb2.AttributeColumn, _Mapping]]] = ...) -> None: ...

class UpsertEmbeddingsResponse(_message.Message):
    __slots__ = ("version", "inserted", "replaced", "unchanged", "space")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INSERTED_FIELD_NUMBER: _ClassVar[int]
    REPLACED_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    SPACE_FIELD_NUMBER: _ClassVar[int]
    version: int
    inserted: int
    replaced: int
    unchanged: int
    space: Space
    def __init__(self, version: _Optional[int] = ..., inserted: _Optional[int] = ..., replaced: _Optional[int] = ..., unchanged: _Optional[int] = ..., space: _Optional[_Union[Space, _Mapping]] = ...) -> None: ...

class GetUploadRequest(_message.Message):
    __slots__ = ("space", "request_id")
    SPACE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    space: str
    request_id: str
    def __init__(self, space: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class GetUploadResponse(_message.Message):
    __slots__ = ("staged_rows", "committed")
    STAGED_ROWS_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    staged_rows: int
    committed: UpsertEmbeddingsResponse
    def __init__(self, staged_rows: _Optional[int] = ..., committed: _Optional[_Union[UpsertEmbeddingsResponse, _Mapping]] = ...) -> None: ...

class GetEmbeddingsRequest(_message.Message):
    __slots__ = ("space", "ids", "page_size", "page_token")
    SPACE_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    space: SpaceRef
    ids: _containers.RepeatedScalarFieldContainer[str]
    page_size: int
    page_token: str
    def __init__(self, space: _Optional[_Union[SpaceRef, _Mapping]] = ..., ids: _Optional[_Iterable[str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class GetEmbeddingsResponse(_message.Message):
    __slots__ = ("space", "ids", "vectors", "attributes", "next_page_token")
    SPACE_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    VECTORS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    space: SpaceUse
    ids: _containers.RepeatedScalarFieldContainer[str]
    vectors: _matrix_pb2.Matrix
    attributes: _containers.RepeatedCompositeFieldContainer[_attribute_pb2.AttributeColumn]
    next_page_token: str
    def __init__(self, space: _Optional[_Union[SpaceUse, _Mapping]] = ..., ids: _Optional[_Iterable[str]] = ..., vectors: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., attributes: _Optional[_Iterable[_Union[_attribute_pb2.AttributeColumn, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteEmbeddingsRequest(_message.Message):
    __slots__ = ("space", "ids", "request_id")
    SPACE_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    space: str
    ids: _containers.RepeatedScalarFieldContainer[str]
    request_id: str
    def __init__(self, space: _Optional[str] = ..., ids: _Optional[_Iterable[str]] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeleteEmbeddingsResponse(_message.Message):
    __slots__ = ("version", "deleted", "absent")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    ABSENT_FIELD_NUMBER: _ClassVar[int]
    version: int
    deleted: int
    absent: int
    def __init__(self, version: _Optional[int] = ..., deleted: _Optional[int] = ..., absent: _Optional[int] = ...) -> None: ...

class SpaceGeometry(_message.Message):
    __slots__ = ("k", "hubness", "largest_occurrence", "antihub_fraction", "intrinsic_dimension", "intrinsic_dimension_items", "effective_rank", "participation_ratio")
    K_FIELD_NUMBER: _ClassVar[int]
    HUBNESS_FIELD_NUMBER: _ClassVar[int]
    LARGEST_OCCURRENCE_FIELD_NUMBER: _ClassVar[int]
    ANTIHUB_FRACTION_FIELD_NUMBER: _ClassVar[int]
    INTRINSIC_DIMENSION_FIELD_NUMBER: _ClassVar[int]
    INTRINSIC_DIMENSION_ITEMS_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_RANK_FIELD_NUMBER: _ClassVar[int]
    PARTICIPATION_RATIO_FIELD_NUMBER: _ClassVar[int]
    k: int
    hubness: float
    largest_occurrence: float
    antihub_fraction: float
    intrinsic_dimension: float
    intrinsic_dimension_items: int
    effective_rank: float
    participation_ratio: float
    def __init__(self, k: _Optional[int] = ..., hubness: _Optional[float] = ..., largest_occurrence: _Optional[float] = ..., antihub_fraction: _Optional[float] = ..., intrinsic_dimension: _Optional[float] = ..., intrinsic_dimension_items: _Optional[int] = ..., effective_rank: _Optional[float] = ..., participation_ratio: _Optional[float] = ...) -> None: ...
