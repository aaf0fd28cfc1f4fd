"""A methods sentence of two alignments compared, and of one in nested galleries: every parameter that it takes to repeat the numbers."""

from typing import Any

from consilience._results import sources
from consilience._results.base import number, probability
from consilience._results.citation import (
    chosen,
    computed,
    form,
    intervals,
    listed,
    measured,
    metric_source,
    nearness,
    null_of,
    ranged,
    read,
    side,
    stopped,
)


def cite_comparison(comparison: Any) -> str:
    """The sentences of an `AlignmentComparison` (which imports this file, so that its type cannot stand here)."""
    first, second = comparison.first, comparison.second
    sides = [side(second.x, "the first array"), side(second.y, "the second array")]
    told = []
    for k, difference in comparison.differences.items():
        at = f"at k = {k:,} " if k else ""
        scores = [f"{ranged(each.by_k[k].score, each.by_k[k].interval)} (chance {number(each.by_k[k].chance)})" for each in (first, second)]
        p_value = "" if difference.p_value is None else f", two-sided {probability(difference.p_value, 0)}"
        told.append(f"{at}the first scored {scores[0]}, the second {scores[1]}, the difference was {difference}{p_value}")
    tested = "" if first.p_value is None else f"{null_of(first.permutations, first.seed, first.within)}.{stopped([first, second])}"
    against = (
        f"It was compared with the alignment of {sides[0]} and {sides[1]} over the same items, by the same metric and the same "
        f"random pairings, from {read(second, sides)}{nearness(second)}."
    )
    found = f"{'; '.join(told)} ({intervals(first)}; differences paired over the items)."
    by = computed(first.engine, exact=first.certificate_x is not None)
    return " ".join(part for part in (measured(first), against, found[0].upper() + found[1:], tested, by) if part)


def cite_curve(curve: Any) -> str:
    """The sentences of a `GalleryCurve`."""
    last = curve.reports[-1]
    sides = [side(last.x, "the first array"), side(last.y, "the second array")]
    sizes = listed([f"{int(size):,}" for size in curve.sizes])
    notes = [f", {int(curve.n[-1]):,} queries {chosen(last)} in the largest"] if curve.n[-1] != curve.sizes[-1] else []
    if last.group_by:
        notes.append(f"; items of equal {last.group_by} compared as one thing, {last.groups:,} of them in the largest")
    if last.deduplicate:
        notes.append(f"; {last.duplicates:,} near-duplicates, of cosine {last.deduplicate:g} or more, were left out")
    lines = []
    for line in curve.lines:
        ks = f" ({listed([str(k) for k in line.ks])})" if "/" in line.name else ""
        name = f"for {line.name}{ks}: " if line.name else ""
        scores = zip(line.scores.tolist(), line.interval_low.tolist(), line.interval_high.tolist(), line.chance.tolist(), strict=True)
        lines.append(name + ", ".join(f"{ranged(score, (low, high))} (chance {number(chance)})" for score, low, high, chance in scores))
    tested = (
        ""
        if last.p_value is None
        else f" {null_of(last.permutations, last.seed, last.within)}; the least p of a gallery and k was {_least(curve)}."
        f"{stopped(curve.reports)}"
    )
    return (
        f"The alignment of {sides[0]} and {sides[1]} was measured by {metric_source(curve.metric)}{_form(curve)} "
        f"in nested galleries of {sizes} of their common items, each those of smallest hash of their ids ({sources.NESTED_GALLERIES})"
        f"{''.join(notes)}, from {read(last, sides)}"
        f"{nearness(last)}. From the smallest gallery on the scores were {'; '.join(lines)} ({intervals(last)}).{tested} "
        f"{computed(last.engine, exact=last.certificate_x is not None)}"
    )


def _form(curve: Any) -> str:
    """What a metric without neighbours was told; where it differs by gallery, in the largest."""
    last = curve.reports[-1]
    if last.k:
        return ""
    told = form(last)
    return told if all(form(report) == told for report in curve.reports) else f"{told.removesuffix(',')} in the largest gallery,"


def _least(curve: Any) -> str:
    return probability(min(float(line.p_values.min()) for line in curve.lines), curve.reports[-1].permutations).removeprefix("p ")
