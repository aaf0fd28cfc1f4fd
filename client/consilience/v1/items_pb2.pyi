from consilience.v1 import alignment_pb2 as _alignment_pb2
from consilience.v1 import matrix_pb2 as _matrix_pb2
from consilience.v1 import space_pb2 as _space_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AlignItemsRequest(_message.Message):
    __slots__ = ("x", "y", "spec", "show_ids", "extremes", "slice_by", "slice_prefix")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    SHOW_IDS_FIELD_NUMBER: _ClassVar[int]
    EXTREMES_FIELD_NUMBER: _ClassVar[int]
    SLICE_BY_FIELD_NUMBER: _ClassVar[int]
    SLICE_PREFIX_FIELD_NUMBER: _ClassVar[int]
    x: _space_pb2.SpaceRef
    y: _space_pb2.SpaceRef
    spec: _alignment_pb2.AlignmentSpec
    show_ids: _containers.RepeatedScalarFieldContainer[str]
    extremes: int
    slice_by: str
    slice_prefix: str
    def __init__(self, x: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., y: _Optional[_Union[_space_pb2.SpaceRef, _Mapping]] = ..., spec: _Optional[_Union[_alignment_pb2.AlignmentSpec, _Mapping]] = ..., show_ids: _Optional[_Iterable[str]] = ..., extremes: _Optional[int] = ..., slice_by: _Optional[str] = ..., slice_prefix: _Optional[str] = ...) -> None: ...

class AlignItemsResponse(_message.Message):
    __slots__ = ("alignment", "ids", "overlaps")
    ALIGNMENT_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    OVERLAPS_FIELD_NUMBER: _ClassVar[int]
    alignment: ItemAlignment
    ids: _containers.RepeatedScalarFieldContainer[str]
    overlaps: _matrix_pb2.Matrix
    def __init__(self, alignment: _Optional[_Union[ItemAlignment, _Mapping]] = ..., ids: _Optional[_Iterable[str]] = ..., overlaps: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ...) -> None: ...

class CompareVersionsRequest(_message.Message):
    __slots__ = ("space", "old_version", "new_version", "spec", "show_ids", "extremes", "slice_by", "slice_prefix")
    SPACE_FIELD_NUMBER: _ClassVar[int]
    OLD_VERSION_FIELD_NUMBER: _ClassVar[int]
    NEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    SHOW_IDS_FIELD_NUMBER: _ClassVar[int]
    EXTREMES_FIELD_NUMBER: _ClassVar[int]
    SLICE_BY_FIELD_NUMBER: _ClassVar[int]
    SLICE_PREFIX_FIELD_NUMBER: _ClassVar[int]
    space: str
    old_version: int
    new_version: int
    spec: _alignment_pb2.AlignmentSpec
    show_ids: _containers.RepeatedScalarFieldContainer[str]
    extremes: int
    slice_by: str
    slice_prefix: str
    def __init__(self, space: _Optional[str] = ..., old_version: _Optional[int] = ..., new_version: _Optional[int] = ..., spec: _Optional[_Union[_alignment_pb2.AlignmentSpec, _Mapping]] = ..., show_ids: _Optional[_Iterable[str]] = ..., extremes: _Optional[int] = ..., slice_by: _Optional[str] = ..., slice_prefix: _Optional[str] = ...) -> None: ...

class CompareVersionsResponse(_message.Message):
    __slots__ = ("alignment", "counts", "ids", "overlaps", "replaced", "added_ids", "removed_ids")
    ALIGNMENT_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    OVERLAPS_FIELD_NUMBER: _ClassVar[int]
    REPLACED_FIELD_NUMBER: _ClassVar[int]
    ADDED_IDS_FIELD_NUMBER: _ClassVar[int]
    REMOVED_IDS_FIELD_NUMBER: _ClassVar[int]
    alignment: ItemAlignment
    counts: VersionCounts
    ids: _containers.RepeatedScalarFieldContainer[str]
    overlaps: _matrix_pb2.Matrix
    replaced: _containers.RepeatedScalarFieldContainer[bool]
    added_ids: _containers.RepeatedScalarFieldContainer[str]
    removed_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, alignment: _Optional[_Union[ItemAlignment, _Mapping]] = ..., counts: _Optional[_Union[VersionCounts, _Mapping]] = ..., ids: _Optional[_Iterable[str]] = ..., overlaps: _Optional[_Union[_matrix_pb2.Matrix, _Mapping]] = ..., replaced: _Optional[_Iterable[bool]] = ..., added_ids: _Optional[_Iterable[str]] = ..., removed_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class VersionCounts(_message.Message):
    __slots__ = ("added", "removed", "replaced", "unchanged")
    ADDED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    REPLACED_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    added: int
    removed: int
    replaced: int
    unchanged: int
    def __init__(self, added: _Optional[int] = ..., removed: _Optional[int] = ..., replaced: _Optional[int] = ..., unchanged: _Optional[int] = ...) -> None: ...

class ItemAlignment(_message.Message):
    __slots__ = ("x", "y", "headline", "n", "gallery", "query_sampling", "dropped_x", "dropped_y", "preprocess", "permutations", "seed", "alpha", "engine", "slice_by", "slice_prefix", "slices", "least", "most", "shown", "similarity_x", "similarity_y", "group_by", "groups")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    HEADLINE_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    QUERY_SAMPLING_FIELD_NUMBER: _ClassVar[int]
    DROPPED_X_FIELD_NUMBER: _ClassVar[int]
    DROPPED_Y_FIELD_NUMBER: _ClassVar[int]
    PREPROCESS_FIELD_NUMBER: _ClassVar[int]
    PERMUTATIONS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    SLICE_BY_FIELD_NUMBER: _ClassVar[int]
    SLICE_PREFIX_FIELD_NUMBER: _ClassVar[int]
    SLICES_FIELD_NUMBER: _ClassVar[int]
    LEAST_FIELD_NUMBER: _ClassVar[int]
    MOST_FIELD_NUMBER: _ClassVar[int]
    SHOWN_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_X_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_Y_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    x: _space_pb2.SpaceUse
    y: _space_pb2.SpaceUse
    headline: _alignment_pb2.AlignmentAtK
    n: int
    gallery: int
    query_sampling: _alignment_pb2.QuerySampling
    dropped_x: int
    dropped_y: int
    preprocess: _alignment_pb2.Preprocess
    permutations: int
    seed: int
    alpha: float
    engine: str
    slice_by: str
    slice_prefix: str
    slices: _containers.RepeatedCompositeFieldContainer[ItemSlice]
    least: _containers.RepeatedCompositeFieldContainer[ItemLists]
    most: _containers.RepeatedCompositeFieldContainer[ItemLists]
    shown: _containers.RepeatedCompositeFieldContainer[ItemLists]
    similarity_x: _space_pb2.Similarity
    similarity_y: _space_pb2.Similarity
    group_by: str
    groups: int
    def __init__(self, x: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., y: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., headline: _Optional[_Union[_alignment_pb2.AlignmentAtK, _Mapping]] = ..., n: _Optional[int] = ..., gallery: _Optional[int] = ..., query_sampling: _Optional[_Union[_alignment_pb2.QuerySampling, str]] = ..., dropped_x: _Optional[int] = ..., dropped_y: _Optional[int] = ..., preprocess: _Optional[_Union[_alignment_pb2.Preprocess, str]] = ..., permutations: _Optional[int] = ..., seed: _Optional[int] = ..., alpha: _Optional[float] = ..., engine: _Optional[str] = ..., slice_by: _Optional[str] = ..., slice_prefix: _Optional[str] = ..., slices: _Optional[_Iterable[_Union[ItemSlice, _Mapping]]] = ..., least: _Optional[_Iterable[_Union[ItemLists, _Mapping]]] = ..., most: _Optional[_Iterable[_Union[ItemLists, _Mapping]]] = ..., shown: _Optional[_Iterable[_Union[ItemLists, _Mapping]]] = ..., similarity_x: _Optional[_Union[_space_pb2.Similarity, str]] = ..., similarity_y: _Optional[_Union[_space_pb2.Similarity, str]] = ..., group_by: _Optional[str] = ..., groups: _Optional[int] = ...) -> None: ...

class ItemSlice(_message.Message):
    __slots__ = ("value", "n", "score", "chance", "excess", "interval", "p_value", "adjusted_p_value")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    CHANCE_FIELD_NUMBER: _ClassVar[int]
    EXCESS_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    P_VALUE_FIELD_NUMBER: _ClassVar[int]
    ADJUSTED_P_VALUE_FIELD_NUMBER: _ClassVar[int]
    value: str
    n: int
    score: float
    chance: float
    excess: float
    interval: _alignment_pb2.Interval
    p_value: float
    adjusted_p_value: float
    def __init__(self, value: _Optional[str] = ..., n: _Optional[int] = ..., score: _Optional[float] = ..., chance: _Optional[float] = ..., excess: _Optional[float] = ..., interval: _Optional[_Union[_alignment_pb2.Interval, _Mapping]] = ..., p_value: _Optional[float] = ..., adjusted_p_value: _Optional[float] = ...) -> None: ...

class ItemLists(_message.Message):
    __slots__ = ("id", "overlap", "x_ids", "x_similarities", "y_ids", "y_similarities")
    ID_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_FIELD_NUMBER: _ClassVar[int]
    X_IDS_FIELD_NUMBER: _ClassVar[int]
    X_SIMILARITIES_FIELD_NUMBER: _ClassVar[int]
    Y_IDS_FIELD_NUMBER: _ClassVar[int]
    Y_SIMILARITIES_FIELD_NUMBER: _ClassVar[int]
    id: str
    overlap: float
    x_ids: _containers.RepeatedScalarFieldContainer[str]
    x_similarities: _containers.RepeatedScalarFieldContainer[float]
    y_ids: _containers.RepeatedScalarFieldContainer[str]
    y_similarities: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, id: _Optional[str] = ..., overlap: _Optional[float] = ..., x_ids: _Optional[_Iterable[str]] = ..., x_similarities: _Optional[_Iterable[float]] = ..., y_ids: _Optional[_Iterable[str]] = ..., y_similarities: _Optional[_Iterable[float]] = ...) -> None: ...
