"""Methods sentences of noise ceilings and reliabilities: every parameter that it takes to repeat the numbers."""

import math
from typing import Any

from consilience._results import sources
from consilience._results.base import number
from consilience._results.citation import computed, listed, metric_source, ranged, side

_SHOWN_REPEATS = 20


def cite_ceiling(ceiling: Any) -> str:
    """The sentences of a `NoiseCeiling` (which imports this file, so that its type cannot stand here)."""
    compared = sources.RDM_COMPARISONS.get(ceiling.comparison, ceiling.comparison)
    names = ceiling.repeats if len(ceiling.repeats) <= _SHOWN_REPEATS else [*ceiling.repeats[:_SHOWN_REPEATS], "others"]
    low, high = (f"{int(pairs):,}" for pairs in (ceiling.pairs.min(), ceiling.pairs.max()))
    pairs = low if low == high else f"{low} to {high}"
    dropped = f" ({ceiling.dropped:,} items of it had no partner)" if ceiling.dropped else ""
    estimated = (
        f"The noise ceiling of {side(ceiling.space, '')} was estimated from its {len(ceiling.repeats):,} repeats "
        f"({listed(list(names))}) by {compared} over {pairs} pairs of {ceiling.n:,} items{dropped} ({sources.NOISE_CEILING}): "
        f"from {number(ceiling.lower)}, each repeat with the mean of the others, to {number(ceiling.upper)}, each with the mean of all."
    )
    return " ".join(part for part in (estimated, _scores(ceiling), computed(ceiling.engine)) if part)


def _scores(ceiling: Any) -> str:
    if not ceiling.scores:
        return ""
    told = []
    for each in ceiling.scores.values():
        share = "" if math.isnan(each.normalised[0]) else f", {number(each.normalised[0])} to {number(each.normalised[1])} of the ceiling"
        undefined = f", {each.undefined_draws:,} draws undefined" if each.undefined_draws else ""
        told.append(f"{side(each.space, '')} ({each.rule.replace('_', ' ')}) {ranged(each.score, each.interval)}{share}{undefined}")
    bootstrap = ""
    if ceiling.draws:
        bootstrap = (
            f" ({ceiling.confidence * 100:g}% intervals: dual bootstrap over repeats and items, {ceiling.draws:,} draws, "
            f"seed {ceiling.seed}, {sources.DUAL_BOOTSTRAP})"
        )
    return f"By {metric_source('rsa')}, the mean score with each repeat was {'; '.join(told)}{bootstrap}."


def cite_reliability(told: Any) -> str:
    """The sentences of a `Reliability`."""
    constant = int((told.reliability != told.reliability).sum())
    left = f", {constant:,} of them constant or undefined" if constant else ""
    return (
        f"The reliability of the mean of {listed([side(use, '') for use in told.spaces])} over {told.n:,} common items was "
        f"estimated for each of {len(told.reliability):,} columns{left} from the mean Pearson correlation of two of them by the "
        f"Spearman-Brown formula ({sources.RELIABILITY}): its median was {number(told.median)}. {computed(told.engine)}"
    )
