import datetime

from consilience.v1 import alignment_pb2 as _alignment_pb2
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

class WatchState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WATCH_STATE_UNSPECIFIED: _ClassVar[WatchState]
    WATCH_STATE_OK: _ClassVar[WatchState]
    WATCH_STATE_ALARM: _ClassVar[WatchState]
    WATCH_STATE_STALE: _ClassVar[WatchState]
    WATCH_STATE_FAILED: _ClassVar[WatchState]
WATCH_STATE_UNSPECIFIED: WatchState
WATCH_STATE_OK: WatchState
WATCH_STATE_ALARM: WatchState
WATCH_STATE_STALE: WatchState
WATCH_STATE_FAILED: WatchState

class WatchSpec(_message.Message):
    __slots__ = ("x", "y", "metric", "k", "probes", "seed", "min_drop", "alpha", "on_versions", "every_seconds")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    PROBES_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    MIN_DROP_FIELD_NUMBER: _ClassVar[int]
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    ON_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    EVERY_SECONDS_FIELD_NUMBER: _ClassVar[int]
    x: str
    y: str
    metric: _alignment_pb2.Metric
    k: int
    probes: int
    seed: int
    min_drop: float
    alpha: float
    on_versions: bool
    every_seconds: float
    def __init__(self, x: _Optional[str] = ..., y: _Optional[str] = ..., metric: _Optional[_Union[_alignment_pb2.Metric, str]] = ..., k: _Optional[int] = ..., probes: _Optional[int] = ..., seed: _Optional[int] = ..., min_drop: _Optional[float] = ..., alpha: _Optional[float] = ..., on_versions: bool = ..., every_seconds: _Optional[float] = ...) -> None: ...

class WatchBaseline(_message.Message):
    __slots__ = ("x", "y", "score", "probes", "gallery_items", "min_drop", "time")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    PROBES_FIELD_NUMBER: _ClassVar[int]
    GALLERY_ITEMS_FIELD_NUMBER: _ClassVar[int]
    MIN_DROP_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    x: _space_pb2.SpaceUse
    y: _space_pb2.SpaceUse
    score: float
    probes: int
    gallery_items: int
    min_drop: float
    time: _timestamp_pb2.Timestamp
    def __init__(self, x: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., y: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., score: _Optional[float] = ..., probes: _Optional[int] = ..., gallery_items: _Optional[int] = ..., min_drop: _Optional[float] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ProbeChange(_message.Message):
    __slots__ = ("item_id", "baseline_overlap", "overlap", "x_before", "x_now", "y_before", "y_now")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    BASELINE_OVERLAP_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_FIELD_NUMBER: _ClassVar[int]
    X_BEFORE_FIELD_NUMBER: _ClassVar[int]
    X_NOW_FIELD_NUMBER: _ClassVar[int]
    Y_BEFORE_FIELD_NUMBER: _ClassVar[int]
    Y_NOW_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    baseline_overlap: float
    overlap: float
    x_before: _containers.RepeatedScalarFieldContainer[str]
    x_now: _containers.RepeatedScalarFieldContainer[str]
    y_before: _containers.RepeatedScalarFieldContainer[str]
    y_now: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, item_id: _Optional[str] = ..., baseline_overlap: _Optional[float] = ..., overlap: _Optional[float] = ..., x_before: _Optional[_Iterable[str]] = ..., x_now: _Optional[_Iterable[str]] = ..., y_before: _Optional[_Iterable[str]] = ..., y_now: _Optional[_Iterable[str]] = ...) -> None: ...

class WatchResult(_message.Message):
    __slots__ = ("number", "time", "x", "y", "score", "chance", "excess", "interval", "baseline_score", "difference", "difference_low", "difference_high", "level", "alarm", "probes", "coverage", "gallery_items", "common_items", "kept_x", "kept_y", "hubness_x", "hubness_y", "fallen", "engine", "min_drop")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    CHANCE_FIELD_NUMBER: _ClassVar[int]
    EXCESS_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    BASELINE_SCORE_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_LOW_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_HIGH_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    ALARM_FIELD_NUMBER: _ClassVar[int]
    PROBES_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GALLERY_ITEMS_FIELD_NUMBER: _ClassVar[int]
    COMMON_ITEMS_FIELD_NUMBER: _ClassVar[int]
    KEPT_X_FIELD_NUMBER: _ClassVar[int]
    KEPT_Y_FIELD_NUMBER: _ClassVar[int]
    HUBNESS_X_FIELD_NUMBER: _ClassVar[int]
    HUBNESS_Y_FIELD_NUMBER: _ClassVar[int]
    FALLEN_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    MIN_DROP_FIELD_NUMBER: _ClassVar[int]
    number: int
    time: _timestamp_pb2.Timestamp
    x: _space_pb2.SpaceUse
    y: _space_pb2.SpaceUse
    score: float
    chance: float
    excess: float
    interval: _alignment_pb2.Interval
    baseline_score: float
    difference: float
    difference_low: float
    difference_high: float
    level: float
    alarm: bool
    probes: int
    coverage: float
    gallery_items: int
    common_items: int
    kept_x: float
    kept_y: float
    hubness_x: float
    hubness_y: float
    fallen: _containers.RepeatedCompositeFieldContainer[ProbeChange]
    engine: str
    min_drop: float
    def __init__(self, number: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., x: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., y: _Optional[_Union[_space_pb2.SpaceUse, _Mapping]] = ..., score: _Optional[float] = ..., chance: _Optional[float] = ..., excess: _Optional[float] = ..., interval: _Optional[_Union[_alignment_pb2.Interval, _Mapping]] = ..., baseline_score: _Optional[float] = ..., difference: _Optional[float] = ..., difference_low: _Optional[float] = ..., difference_high: _Optional[float] = ..., level: _Optional[float] = ..., alarm: bool = ..., probes: _Optional[int] = ..., coverage: _Optional[float] = ..., gallery_items: _Optional[int] = ..., common_items: _Optional[int] = ..., kept_x: _Optional[float] = ..., kept_y: _Optional[float] = ..., hubness_x: _Optional[float] = ..., hubness_y: _Optional[float] = ..., fallen: _Optional[_Iterable[_Union[ProbeChange, _Mapping]]] = ..., engine: _Optional[str] = ..., min_drop: _Optional[float] = ...) -> None: ...

class Watch(_message.Message):
    __slots__ = ("name", "uid", "spec", "state", "alarm", "reason", "message", "failures", "baseline", "last_result", "checks", "age_seconds", "create_time", "check_time", "false_alarms_per_year")
    NAME_FIELD_NUMBER: _ClassVar[int]
    UID_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ALARM_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    BASELINE_FIELD_NUMBER: _ClassVar[int]
    LAST_RESULT_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    AGE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    CHECK_TIME_FIELD_NUMBER: _ClassVar[int]
    FALSE_ALARMS_PER_YEAR_FIELD_NUMBER: _ClassVar[int]
    name: str
    uid: str
    spec: WatchSpec
    state: WatchState
    alarm: bool
    reason: str
    message: str
    failures: int
    baseline: WatchBaseline
    last_result: WatchResult
    checks: int
    age_seconds: float
    create_time: _timestamp_pb2.Timestamp
    check_time: _timestamp_pb2.Timestamp
    false_alarms_per_year: float
    def __init__(self, name: _Optional[str] = ..., uid: _Optional[str] = ..., spec: _Optional[_Union[WatchSpec, _Mapping]] = ..., state: _Optional[_Union[WatchState, str]] = ..., alarm: bool = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., failures: _Optional[int] = ..., baseline: _Optional[_Union[WatchBaseline, _Mapping]] = ..., last_result: _Optional[_Union[WatchResult, _Mapping]] = ..., checks: _Optional[int] = ..., age_seconds: _Optional[float] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., check_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., false_alarms_per_year: _Optional[float] = ...) -> None: ...

class CreateWatchRequest(_message.Message):
    __slots__ = ("watch_id", "spec", "mode", "request_id")
    WATCH_ID_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    watch_id: str
    spec: WatchSpec
    mode: _alignment_pb2.ExecutionMode
    request_id: str
    def __init__(self, watch_id: _Optional[str] = ..., spec: _Optional[_Union[WatchSpec, _Mapping]] = ..., mode: _Optional[_Union[_alignment_pb2.ExecutionMode, str]] = ..., request_id: _Optional[str] = ...) -> None: ...

class CreateWatchResponse(_message.Message):
    __slots__ = ("watch", "operation")
    WATCH_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    watch: Watch
    operation: _operations_pb2.Operation
    def __init__(self, watch: _Optional[_Union[Watch, _Mapping]] = ..., operation: _Optional[_Union[_operations_pb2.Operation, _Mapping]] = ...) -> None: ...

class GetWatchRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetWatchResponse(_message.Message):
    __slots__ = ("watch",)
    WATCH_FIELD_NUMBER: _ClassVar[int]
    watch: Watch
    def __init__(self, watch: _Optional[_Union[Watch, _Mapping]] = ...) -> None: ...

class ListWatchesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListWatchesResponse(_message.Message):
    __slots__ = ("watches", "next_page_token")
    WATCHES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    watches: _containers.RepeatedCompositeFieldContainer[Watch]
    next_page_token: str
    def __init__(self, watches: _Optional[_Iterable[_Union[Watch, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteWatchRequest(_message.Message):
    __slots__ = ("name", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeleteWatchResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RunWatchRequest(_message.Message):
    __slots__ = ("name", "mode", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    mode: _alignment_pb2.ExecutionMode
    request_id: str
    def __init__(self, name: _Optional[str] = ..., mode: _Optional[_Union[_alignment_pb2.ExecutionMode, str]] = ..., request_id: _Optional[str] = ...) -> None: ...

class RunWatchResponse(_message.Message):
    __slots__ = ("watch", "operation")
    WATCH_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    watch: Watch
    operation: _operations_pb2.Operation
    def __init__(self, watch: _Optional[_Union[Watch, _Mapping]] = ..., operation: _Optional[_Union[_operations_pb2.Operation, _Mapping]] = ...) -> None: ...

class RebaselineWatchRequest(_message.Message):
    __slots__ = ("name", "mode", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    mode: _alignment_pb2.ExecutionMode
    request_id: str
    def __init__(self, name: _Optional[str] = ..., mode: _Optional[_Union[_alignment_pb2.ExecutionMode, str]] = ..., request_id: _Optional[str] = ...) -> None: ...

class RebaselineWatchResponse(_message.Message):
    __slots__ = ("watch", "operation")
    WATCH_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    watch: Watch
    operation: _operations_pb2.Operation
    def __init__(self, watch: _Optional[_Union[Watch, _Mapping]] = ..., operation: _Optional[_Union[_operations_pb2.Operation, _Mapping]] = ...) -> None: ...

class ListWatchResultsRequest(_message.Message):
    __slots__ = ("name", "page_size", "page_token")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    name: str
    page_size: int
    page_token: str
    def __init__(self, name: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListWatchResultsResponse(_message.Message):
    __slots__ = ("results", "next_page_token", "spec")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[WatchResult]
    next_page_token: str
    spec: WatchSpec
    def __init__(self, results: _Optional[_Iterable[_Union[WatchResult, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., spec: _Optional[_Union[WatchSpec, _Mapping]] = ...) -> None: ...
