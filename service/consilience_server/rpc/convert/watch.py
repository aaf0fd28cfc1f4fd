"""Watches of the contract to and from those of the use cases."""

from consilience.v1 import alignment_pb2, watch_pb2
from consilience_server.app.watch_records import (
    INTERVAL_CONFIDENCE,
    BaselineFacts,
    ProbeChange,
    Standing,
    WatchedMetric,
    WatchRecord,
    WatchResult,
    WatchSpec,
    WatchState,
)
from consilience_server.core.errors import UnknownMetric
from consilience_server.rpc.convert.alignment import metric_number
from consilience_server.rpc.convert.enums import served
from consilience_server.rpc.convert.names import space_id, space_name, space_use
from consilience_server.rpc.convert.times import timestamp

_METRICS: dict[alignment_pb2.Metric, WatchedMetric] = {
    alignment_pb2.METRIC_MUTUAL_KNN: "mutual_knn",
    alignment_pb2.METRIC_LCS_KNN: "lcs_knn",
    alignment_pb2.METRIC_EDIT_DISTANCE_KNN: "edit_distance_knn",
}
_STATES: dict[WatchState, watch_pb2.WatchState] = {
    "ok": watch_pb2.WATCH_STATE_OK,
    "alarm": watch_pb2.WATCH_STATE_ALARM,
    "stale": watch_pb2.WATCH_STATE_STALE,
    "failed": watch_pb2.WATCH_STATE_FAILED,
}
_DEFAULT_K = 10
_DEFAULT_PROBES = 4096
_DEFAULT_ALPHA = 0.05


def read_watch_spec(request: watch_pb2.CreateWatchRequest) -> WatchSpec:
    """What to watch, the contract's defaults filled in; the ranges of the numbers are the use case's to judge.

    Raises:
        InvalidName: of a space. UnknownMetric: unspecified, or none of the contract's. NotServed: another metric.
    """
    spec = request.spec
    metric = served(alignment_pb2.Metric, spec.metric, _METRICS, "spec.metric", what="metric", unknown=UnknownMetric)
    return WatchSpec(
        name=request.watch_id,
        x=space_id(spec.x, "spec.x"),
        y=space_id(spec.y, "spec.y"),
        k=spec.k or _DEFAULT_K,
        probes=spec.probes or _DEFAULT_PROBES,
        seed=spec.seed,
        min_drop=spec.min_drop,
        alpha=spec.alpha or _DEFAULT_ALPHA,
        on_versions=spec.on_versions,
        every_seconds=spec.every_seconds,
        metric=metric,
    )


def write_watch(record: WatchRecord, standing: Standing) -> watch_pb2.Watch:
    """A watch as it stands."""
    reason, message = record.failure or ("", "")
    return watch_pb2.Watch(
        name=f"watches/{record.spec.name}",
        uid=record.uid,
        spec=write_watch_spec(record.spec),
        state=_STATES[standing.state],
        alarm=record.alarm,
        reason=reason,
        message=message,
        failures=record.failures,
        baseline=_write_baseline(record.baseline),
        last_result=write_result(record.last),
        checks=record.checks,
        age_seconds=standing.age_seconds,
        create_time=timestamp(record.create_time),
        check_time=timestamp(record.check_time),
        false_alarms_per_year=standing.false_alarms_per_year,
    )


def write_result(result: WatchResult) -> watch_pb2.WatchResult:
    """One check."""
    interval = alignment_pb2.Interval(
        low=result.interval_low,
        high=result.interval_high,
        confidence=INTERVAL_CONFIDENCE,
        kind=alignment_pb2.INTERVAL_KIND_QUERIES,
    )
    return watch_pb2.WatchResult(
        number=result.number,
        time=timestamp(result.time),
        x=space_use(result.x),
        y=space_use(result.y),
        score=result.score,
        chance=result.chance,
        excess=result.excess,
        interval=interval,
        baseline_score=result.baseline_score,
        difference=result.difference,
        difference_low=result.difference_low,
        difference_high=result.difference_high,
        level=result.level,
        alarm=result.alarm,
        probes=result.probes,
        coverage=result.coverage,
        gallery_items=result.gallery_items,
        common_items=result.common_items,
        kept_x=result.kept_x,
        kept_y=result.kept_y,
        hubness_x=result.hubness_x,
        hubness_y=result.hubness_y,
        fallen=[_write_change(change) for change in result.fallen],
        engine=result.engine,
        min_drop=result.min_drop,
    )


def write_watch_spec(spec: WatchSpec) -> watch_pb2.WatchSpec:
    """What is watched, and when it alarms."""
    return watch_pb2.WatchSpec(
        x=space_name(spec.x),
        y=space_name(spec.y),
        metric=metric_number(spec.metric),
        k=spec.k,
        probes=spec.probes,
        seed=spec.seed,
        min_drop=spec.min_drop,
        alpha=spec.alpha,
        on_versions=spec.on_versions,
        every_seconds=spec.every_seconds,
    )


def _write_baseline(facts: BaselineFacts) -> watch_pb2.WatchBaseline:
    return watch_pb2.WatchBaseline(
        x=space_use(facts.x),
        y=space_use(facts.y),
        score=facts.score,
        probes=facts.probes,
        gallery_items=facts.gallery_items,
        min_drop=facts.min_drop,
        time=timestamp(facts.time),
    )


def _write_change(change: ProbeChange) -> watch_pb2.ProbeChange:
    return watch_pb2.ProbeChange(
        item_id=change.item_id,
        baseline_overlap=change.baseline_overlap,
        overlap=change.overlap,
        x_before=change.x_before,
        x_now=change.x_now,
        y_before=change.y_before,
        y_now=change.y_now,
    )
