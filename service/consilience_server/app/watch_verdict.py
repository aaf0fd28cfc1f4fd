"""From overlaps to a verdict: what a watch may ask, which drop counts, and whether it has happened."""

import math
from datetime import datetime

from consilience_server.app.probe_measurement import Measured
from consilience_server.app.reports import SpaceUse
from consilience_server.app.validation import check_name
from consilience_server.app.watch_records import (
    INTERVAL_CONFIDENCE,
    BaselineFacts,
    WatchedMetric,
    WatchRecord,
    WatchResult,
    WatchSpec,
)
from consilience_server.core.confidence_sequence import check_level, log_evidence, lower_bound, upper_bound
from consilience_server.core.errors import InvalidArgument, InvalidK, TooFewItems
from consilience_server.core.intervals import query_interval
from consilience_server.core.mutual_knn import chance
from consilience_server.engine.ordered_probes import ordered_chance
from consilience_server.engine.protocol import ENGINE_VERSION

MAX_PROBES = 65_536
MIN_DROP_SHARE = 0.1
"""Of what a baseline scores above chance: the drop that counts unless another is asked."""

FORESEEN_CHECKS = 1000
"""A watch must be able to alarm at this check still, if all agreement were lost."""


def check_watch_spec(spec: WatchSpec, max_k: int) -> None:
    """Everything that can be refused before the spaces are looked at: InvalidName, InvalidArgument, InvalidK."""
    check_name(spec.name, "watch_id")
    if spec.x == spec.y:
        raise InvalidArgument(f"both spaces are {spec.x!r}; a watch is of two", field="spec.y")
    if not 1 <= spec.k <= max_k:
        raise InvalidK(f"k is {spec.k}; it must be 1 to {max_k:,}", field="spec.k", k=spec.k, max_k=max_k)
    if not 1 <= spec.probes <= MAX_PROBES:
        raise InvalidArgument(f"{spec.probes:,} probes; give 1 to {MAX_PROBES:,}", field="spec.probes")
    for name, value in (("min_drop", spec.min_drop), ("alpha", spec.alpha)):
        # 0 is the default of a drop; alpha has its own filled in already.
        if not (0.0 < value < 1.0 or (name == "min_drop" and value == 0.0)):
            raise InvalidArgument(f"{name} is {value}; it must lie between 0 and 1", field=f"spec.{name}")
    if not (spec.every_seconds == 0.0 or 1.0 <= spec.every_seconds < math.inf):
        raise InvalidArgument(f"every_seconds is {spec.every_seconds}; give at least 1, or 0 for never", field="spec.every_seconds")


def unrelated_score(metric: WatchedMetric, k: int, items: int) -> float:
    """What unrelated spaces would score among so many items."""
    return chance(k, items) if metric == "mutual_knn" else ordered_chance(metric, k, items)


def baseline_facts(measured: Measured, uses: tuple[SpaceUse, SpaceUse], spec: WatchSpec, now: datetime) -> BaselineFacts:
    """A baseline that can alarm.

    Raises:
        InvalidArgument: the score lies so near to chance that it cannot drop by `min_drop`.
        TooFewItems: so few probes, or such small overlaps, that losing them all would prove nothing.
    """
    score, unrelated = float(measured.now.mean()), unrelated_score(spec.metric, spec.k, measured.gallery_items)
    min_drop = spec.min_drop or MIN_DROP_SHARE * (score - unrelated)
    if min_drop <= 0.0 or score - unrelated <= min_drop:
        raise InvalidArgument(
            f"the spaces score {score:.4f} and unrelated ones would score {unrelated:.4f}, so the score cannot drop by "
            f"{max(min_drop, 0.0):.4f} and more; watch spaces that agree, or give a smaller min_drop",
            field="spec.min_drop",
            score=score,
            chance=unrelated,
        )
    if log_evidence(-measured.now, -min_drop) < -math.log(check_level(spec.alpha, FORESEEN_CHECKS)):
        raise TooFewItems(
            f"with {len(measured.now):,} probes even a complete loss of agreement would prove no drop by {min_drop:.4f} at alpha = "
            f"{spec.alpha:g}; ask more probes, or add items",
            field="spec.probes",
            probes=len(measured.now),
        )
    return BaselineFacts(*uses, score, len(measured.now), measured.gallery_items, min_drop, now)


def baseline_result(number: int, measured: Measured, facts: BaselineFacts, spec: WatchSpec) -> WatchResult:
    """The baseline as the result that it is; it compares nothing."""
    return _result(number, facts.time, (facts.x, facts.y), measured, spec, (0.0, facts.min_drop), alarm=False)


def check_result(record: WatchRecord, measured: Measured, uses: tuple[SpaceUse, SpaceUse], now: datetime) -> WatchResult:
    """The next check of a watch, and whether it alarms.

    The alarm is raised where the evidence against "the mean difference is -min_drop or more" reaches 1 / level, which is where the upper
    bound lies below -min_drop. Once raised it stays while the mean difference is at or below -min_drop: a later check has a smaller level,
    which is no news of the spaces.
    """
    level, min_drop = check_level(record.spec.alpha, record.checks + 1), record.baseline.min_drop
    differences = measured.now - measured.before
    proven = log_evidence(differences, -min_drop) >= -math.log(level)
    alarm = proven or (record.alarm and float(differences.mean()) <= -min_drop)
    return _result(record.last.number + 1, now, uses, measured, record.spec, (level, min_drop), alarm=alarm)


def _result(
    number: int,
    now: datetime,
    uses: tuple[SpaceUse, SpaceUse],
    measured: Measured,
    spec: WatchSpec,
    bounds: tuple[float, float],
    *,
    alarm: bool,
) -> WatchResult:
    """A check in numbers; `bounds` are its level, 0 for a baseline, and min_drop."""
    level, min_drop = bounds
    differences = measured.now - measured.before
    score, unrelated = float(measured.now.mean()), unrelated_score(spec.metric, spec.k, measured.gallery_items)
    low, high = query_interval(measured.now, measured.gallery_items, INTERVAL_CONFIDENCE, 0.0, 1.0)
    return WatchResult(
        number=number,
        time=now,
        x=uses[0],
        y=uses[1],
        score=score,
        chance=unrelated,
        excess=(score - unrelated) / (1.0 - unrelated) if unrelated < 1.0 else 0.0,
        interval_low=low,
        interval_high=high,
        baseline_score=float(measured.before.mean()),
        # Multiples of 1 / k that cancel leave a dust of rounding.
        difference=round(float(differences.mean()), 15) + 0.0,
        difference_low=lower_bound(differences, level) if level else 0.0,
        difference_high=upper_bound(differences, level) if level else 0.0,
        level=level,
        alarm=alarm,
        probes=len(measured.now),
        coverage=measured.coverage,
        gallery_items=measured.gallery_items,
        common_items=measured.common_items,
        kept_x=measured.kept[0],
        kept_y=measured.kept[1],
        hubness_x=measured.hubness[0],
        hubness_y=measured.hubness[1],
        fallen=measured.fallen,
        engine=ENGINE_VERSION,
        min_drop=min_drop,
    )
