"""Alignment over nested galleries: what a caller asks, and the answer as a result."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from consilience._codec.alignment import decode_report
from consilience._numbers import whole
from consilience._results.alignment_report import AlignmentReport
from consilience._results.base import NO_DETAILS, CallDetails
from consilience._results.gallery_curve import CurveLine, GalleryCurve
from consilience.errors import InvalidArgumentError
from consilience.v1 import alignment_pb2


def check_sizes(sizes: Any) -> list[int]:
    """Whole numbers of at least 2; none for the server's choice."""
    if sizes is None:
        return []
    if not isinstance(sizes, Sequence | np.ndarray) or isinstance(sizes, str | bytes) or len(sizes) == 0:
        raise InvalidArgumentError(f"sizes is {sizes!r}; give a list of gallery sizes, or leave it out", field="sizes")
    return [whole(size, "sizes", least=2) for size in sizes]


def decode_gallery_curve(message: alignment_pb2.GalleryCurveResponse, details: CallDetails = NO_DETAILS) -> GalleryCurve:
    """A GalleryCurve."""
    reports = tuple(decode_report(each) for each in message.reports)
    return GalleryCurve(
        metric=reports[0].metric,
        sizes=np.array([report.gallery for report in reports], dtype=np.int64),
        n=np.array([report.n for report in reports], dtype=np.int64),
        lines=tuple(_line(told, reports) for told in message.lines),
        reports=reports,
        warnings=tuple(message.warnings),
        details=details,
    )


def _line(told: alignment_pb2.GalleryCurveLine, reports: Sequence[AlignmentReport]) -> CurveLine:
    entries = [report.by_k[k] for report, k in zip(reports, told.ks, strict=True)]

    def column(values: Sequence[float | None]) -> Any:
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)

    return CurveLine(
        name=_name(told),
        ks=np.array(told.ks, dtype=np.int64),
        scores=column([entry.score for entry in entries]),
        chance=column([entry.chance for entry in entries]),
        excess=column([entry.excess for entry in entries]),
        p_values=column([entry.p_value for entry in entries]),
        calibrated=column([entry.calibrated for entry in entries]),
        interval_low=column([entry.interval.low for entry in entries]),
        interval_high=column([entry.interval.high for entry in entries]),
    )


def _name(line: alignment_pb2.GalleryCurveLine) -> str:
    """`k = 10`, `k = n/100` or `k = 0.03 n`; empty for metrics without neighbours."""
    if line.k:
        return f"k = {line.k}"
    if not line.k_fraction:
        return ""
    parts = round(1.0 / line.k_fraction)
    is_part = abs(1.0 / parts - line.k_fraction) < 1e-12
    return f"k = n/{parts}" if is_part else f"k = {line.k_fraction:g} n"
