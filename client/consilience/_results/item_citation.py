"""Methods sentences of items: every parameter that it takes to repeat the numbers."""

from typing import Any

from consilience._results import sources
from consilience._results.base import number, probability
from consilience._results.citation import computed, intervals, metric_source, nearness, null_of, ranged, side


def cite_items(report: Any) -> str:
    """The sentences of an `ItemReport` (which imports this file, so that its type cannot stand here)."""
    return " ".join(part for part in [_measured(report), _tested(report), _sliced(report), computed(report.engine, exact=True)] if part)


def _measured(report: Any) -> str:
    sides = [side(report.x, ""), side(report.y, "")]
    items = f"{report.gallery:,} items common to both"
    if report.n != report.gallery:
        chosen = "given" if report.query_sampling == "given" else "chosen by a hash of their ids"
        items = f"{report.n:,} queries {chosen} among the {items}"
    dropped = [
        f"{count:,} of {name} had no partner" for name, count in zip(sides, (report.dropped_x, report.dropped_y), strict=True) if count
    ]
    if report.group_by:
        dropped.append(f"items of equal {report.group_by} compared as one thing, {report.groups:,} of them")
    tail = f" ({'; '.join(dropped)})" if dropped else ""
    top = report.headline
    vectors = sources.PREPROCESSING.get(report.preprocess, report.preprocess)
    return (
        f"The overlap of the {report.k:,} nearest neighbours in {sides[0]} and in {sides[1]} was measured item by item for the "
        f"{items}{tail}, from {vectors}{nearness(report)}. Its mean, {metric_source('mutual_knn')} with k = {report.k:,}, was "
        f"{ranged(top.score, top.interval)}, chance {number(top.chance)} ({intervals(report)})."
    )


def _tested(report: Any) -> str:
    p_value = report.headline.p_value
    return "" if p_value is None else f"{null_of(report.permutations, report.seed)}: {probability(p_value, report.permutations)}."


def _sliced(report: Any) -> str:
    if not report.slices:
        return ""
    by = f"values of {report.slice_by!r}" if report.slice_by else f"the id before {report.slice_prefix!r}"
    best, worst = max(report.slices, key=lambda part: part.score), min(report.slices, key=lambda part: part.score)
    ends = [f"{part.value!r} {ranged(part.score, part.interval)} (n = {part.n:,})" for part in (best, worst)]
    tested = ""
    if best.adjusted_p_value is not None:
        found = sum(part.adjusted_p_value <= report.alpha for part in report.slices if part.adjusted_p_value is not None)
        tested = f", {found:,} above chance at {report.alpha:g} adjusted for their number ({sources.FALSE_DISCOVERY_RATE})"
    found = f"the highest was {ends[0]} and the lowest {ends[1]}{tested}"
    return f"Of {len(report.slices):,} slices by {by}, each against the full gallery, {found}."
