"""A methods sentence of a watch: every parameter of its baseline, of its alarm and of its last check."""

from typing import Any

from consilience._results import sources
from consilience._results.base import number
from consilience._results.citation import computed, metric_source, ranged, side


def cite_watch(watch: Any) -> str:
    """The sentences of a `Watch` (which imports this file, so that its type cannot stand here)."""
    baseline = watch.baseline
    taken = f" on {baseline.time:%Y-%m-%d %H:%M} UTC" if baseline.time is not None else ""
    pinned = (
        f"The alignment of {watch.x} and {watch.y} was watched by {metric_source(watch.metric)} with k = {watch.k:,}. The baseline, taken "
        f"of {side(baseline.x, '')} and {side(baseline.y, '')}{taken}, is the mean over {baseline.probes:,} probes chosen by a hash of "
        f"their ids (seed {watch.seed}) among the {baseline.gallery_items:,} items then common to both, which are the gallery of all "
        f"checks: {number(baseline.score)}."
    )
    alarm = (
        f"An alarm needs a mean paired drop of more than {number(baseline.min_drop)}, proven at a level that all checks share, so that "
        f"the chance of any false alarm while this baseline stands is at most {watch.alpha:g} ({sources.BETTING}; union over checks, "
        "check t at alpha ln 2 (1 / ln(t + 1) - 1 / ln(t + 2)))."
    )
    return " ".join(part for part in (pinned, alarm, _last(watch), computed(watch.last_result.engine, exact=True)) if part)


def _last(watch: Any) -> str:
    last = watch.last_result
    if not last.level:
        return ""
    bounds = ranged(last.difference, (last.difference_low, last.difference_high))
    return (
        f"Check {watch.checks:,}, of {side(last.x, '')} and {side(last.y, '')} with {last.probes:,} probes in "
        f"{last.gallery_items:,} items, found {ranged(last.score, last.interval)} (chance {number(last.chance)}), {bounds} from the "
        f"baseline, bounds at the level {last.level:.2g} each: {'an alarm' if watch.alarm else 'no alarm'}."
    )
