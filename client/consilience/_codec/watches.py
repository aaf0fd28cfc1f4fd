"""Watches: answers as results."""

from consilience import _names
from consilience._codec.alignment import decode_interval
from consilience._codec.spaces import decode_space_use
from consilience._codec.times import to_datetime
from consilience._results.base import NO_DETAILS, CallDetails
from consilience._results.watch import ProbeChange, Watch, WatchBaseline, WatchResult
from consilience.v1 import watch_pb2


def decode_watch(message: watch_pb2.Watch, details: CallDetails = NO_DETAILS) -> Watch:
    """A Watch."""
    spec = message.spec
    return Watch(
        name=_names.bare(message.name),
        uid=message.uid,
        x=_names.bare(spec.x),
        y=_names.bare(spec.y),
        metric=_names.METRICS.to_name(spec.metric),
        k=spec.k,
        probes=spec.probes,
        seed=spec.seed,
        alpha=spec.alpha,
        on_versions=spec.on_versions,
        every_seconds=spec.every_seconds or None,
        state=_names.WATCH_STATES.to_name(message.state),
        alarm=message.alarm,
        reason=message.reason,
        message=message.message,
        failures=message.failures,
        baseline=_decode_baseline(message.baseline),
        last_result=decode_watch_result(message.last_result),
        checks=message.checks,
        age_seconds=message.age_seconds,
        false_alarms_per_year=message.false_alarms_per_year,
        create_time=to_datetime(message, "create_time"),
        check_time=to_datetime(message, "check_time"),
        details=details,
    )


def decode_watch_result(message: watch_pb2.WatchResult, details: CallDetails = NO_DETAILS) -> WatchResult:
    """A WatchResult."""
    return WatchResult(
        number=message.number,
        time=to_datetime(message, "time"),
        x=decode_space_use(message.x),
        y=decode_space_use(message.y),
        score=message.score,
        chance=message.chance,
        excess=message.excess,
        interval=decode_interval(message.interval),
        baseline_score=message.baseline_score,
        difference=message.difference,
        difference_low=message.difference_low,
        difference_high=message.difference_high,
        level=message.level,
        alarm=message.alarm,
        probes=message.probes,
        coverage=message.coverage,
        gallery_items=message.gallery_items,
        common_items=message.common_items,
        kept_x=message.kept_x,
        kept_y=message.kept_y,
        hubness_x=message.hubness_x,
        hubness_y=message.hubness_y,
        fallen=tuple(_decode_change(change) for change in message.fallen),
        engine=message.engine,
        min_drop=message.min_drop,
        details=details,
    )


def _decode_baseline(message: watch_pb2.WatchBaseline) -> WatchBaseline:
    return WatchBaseline(
        x=decode_space_use(message.x),
        y=decode_space_use(message.y),
        score=message.score,
        probes=message.probes,
        gallery_items=message.gallery_items,
        min_drop=message.min_drop,
        time=to_datetime(message, "time"),
    )


def _decode_change(message: watch_pb2.ProbeChange) -> ProbeChange:
    return ProbeChange(
        item_id=message.item_id,
        baseline_overlap=message.baseline_overlap,
        overlap=message.overlap,
        x_before=tuple(message.x_before),
        x_now=tuple(message.x_now),
        y_before=tuple(message.y_before),
        y_now=tuple(message.y_now),
    )
