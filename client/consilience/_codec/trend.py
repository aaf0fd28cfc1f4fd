"""Trends: numbers and labels of spaces as a request, answers as a result."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np

from consilience import _names
from consilience._codec.alignment import decode_interval, decode_report
from consilience._codec.measurement import decode_measurement
from consilience._codec.spaces import decode_space_use
from consilience._convert import from_matrix
from consilience._numbers import reals, whole
from consilience._results.base import NO_DETAILS, CallDetails
from consilience._results.trend_report import FamilyTrend, TrendBucket, TrendReport
from consilience.errors import InvalidArgumentError
from consilience.v1 import alignment_pb2, space_pb2

_DAY = dt.timedelta(days=1)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def of_each(given: Any, spaces: Sequence[space_pb2.SpaceRef], field: str) -> list[Any]:
    """What `given` has for each space: a mapping by name (more names do no harm), or one entry a space in their order.

    Raises:
        InvalidArgumentError: a space has none, or there are more or fewer entries than spaces.
    """
    names = [_names.bare(space.name) for space in spaces]
    if _is_series(given):
        given = given.to_dict() if all(isinstance(name, str) for name in given.index) else given.tolist()
    if isinstance(given, Mapping):
        known = {_names.bare(_names.space_ref(name, field).name): value for name, value in given.items()}
        for name in names:
            if name not in known:
                near = get_close_matches(name, known, 1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise InvalidArgumentError(f"{field} has nothing for space {name!r}{hint}", field=field)
        return [known[name] for name in names]
    if isinstance(given, str | bytes) or not isinstance(given, Sequence | np.ndarray):
        raise InvalidArgumentError(f"{field} is {given!r}; give a mapping from names to values, or one value a space", field=field)
    if len(given) != len(names):
        raise InvalidArgumentError(f"{field} has {len(given)} values for {len(names)} spaces; give one a space", field=field)
    return list(given)


def _is_series(given: Any) -> bool:
    """Whether this is a pandas Series, without importing pandas."""
    return all(hasattr(given, name) for name in ("index", "to_dict", "tolist", "name"))


def _name_of(given: Any, name: Any) -> str:
    """What the numbers are: as told, else the name of a Series."""
    if name is None:
        name = given.name if _is_series(given) and isinstance(given.name, str) else ""
    return _names.text(name, "against_name")


def _is_date(value: Any) -> bool:
    return isinstance(value, dt.date | np.datetime64)


def to_number(value: Any, name: str, field: str = "against") -> float:
    """A finite number; of a date or time, the days since 1970-01-01 (UTC where it names no zone).

    Raises:
        InvalidArgumentError: it is neither.
    """
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[us]").item()
    if isinstance(value, dt.datetime):
        return ((value if value.tzinfo else value.replace(tzinfo=dt.UTC)) - _EPOCH) / _DAY
    if isinstance(value, dt.date):
        return float((value - _EPOCH.date()).days)
    try:
        number = math.nan if isinstance(value, bool | np.bool_ | str | bytes) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise InvalidArgumentError(f"{field} of space {name!r} is {value!r}; give a finite number or a date", field=field)
    return number


def encode_trend(
    spaces: Sequence[space_pb2.SpaceRef],
    against: Any,
    reference: space_pb2.SpaceRef | None,
    spec: alignment_pb2.AlignmentSpec,
    families: Any,
    scale: str,
    buckets: Any,
    against_name: Any = None,
) -> alignment_pb2.TrendRequest:
    """The request of a trend, without mode and id."""
    values = of_each(against, spaces, "against")
    request = alignment_pb2.TrendRequest(
        spaces=spaces,
        against=[to_number(value, _names.bare(space.name)) for value, space in zip(values, spaces, strict=True)],
        reference=reference,
        spec=spec,
        scale=_names.AGAINST_SCALES.to_number(scale),
        against_name=_name_of(against, against_name),
        against_kind=_names.AGAINST_KINDS.to_number("date" if all(_is_date(value) for value in values) else "number"),
    )
    if families is not None:
        request.families.extend(_names.text(label, "families") for label in of_each(families, spaces, "families"))
    if isinstance(buckets, Sequence | np.ndarray) and not isinstance(buckets, str | bytes):
        request.bucket_edges.extend(reals(buckets, "buckets"))
    elif buckets is not None:
        request.bucket_count = whole(buckets, "buckets", least=1)
    return request


def decode_trend(message: alignment_pb2.TrendResponse, details: CallDetails = NO_DETAILS) -> TrendReport:
    """A TrendReport."""
    told = message.report
    versions = tuple(decode_space_use(use) for use in told.spaces)
    names = tuple(use.name for use in versions)

    def matrix(field: str) -> Any:
        return from_matrix(getattr(told, field)) if told.HasField(field) else None

    return TrendReport(
        metric=_names.METRICS.to_name(told.metric),
        k=told.k,
        spaces=names,
        versions=versions,
        reference=decode_space_use(told.reference) if told.HasField("reference") else None,
        against=np.array(told.against),
        scale=_names.AGAINST_SCALES.to_name(told.scale),
        scores=np.array(told.scores),
        chance=np.array(told.chance),
        excess=np.array(told.excess),
        spearman=told.spearman,
        interval=decode_interval(told.spearman_interval),
        p_value=told.spearman_p_value if told.HasField("spearman_p_value") else None,
        pearson=told.pearson,
        pearson_interval=decode_interval(told.pearson_interval),
        pearson_p_value=told.pearson_p_value if told.HasField("pearson_p_value") else None,
        confidence=told.spearman_interval.confidence,
        pairings=told.pairings,
        exact=told.exact,
        slope=told.slope,
        intercept=told.intercept,
        buckets=tuple(
            TrendBucket(each.low, each.high, tuple(names[at] for at in each.members), each.mean, each.standard_error, each.count)
            for each in told.buckets
        ),
        n=told.n,
        across=matrix("across"),
        across_standard_errors=matrix("across_standard_errors"),
        families=tuple(told.families),
        family_trends=tuple(FamilyTrend(each.name, each.count, each.spearman, each.slope, each.intercept) for each in told.family_trends),
        pair_scores=matrix("pair_scores"),
        reports=tuple(decode_report(report) for report in message.reports),
        permutations=told.permutations,
        seed=told.seed,
        preprocess=_names.PREPROCESS.to_name(told.preprocess),
        engine=told.engine,
        warnings=tuple(told.warnings),
        measurement=decode_measurement(told, message.reports),
        against_name=told.against_name,
        against_kind=_names.AGAINST_KINDS.to_name(told.against_kind) if told.against_kind else "number",
        details=details,
    )
