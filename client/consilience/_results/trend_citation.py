"""A methods sentence of a trend: every parameter that it takes to repeat the numbers."""

from typing import Any

import numpy as np

from consilience._results import sources
from consilience._results.base import number, probability
from consilience._results.citation import chosen, computed, listed, metric_source, nearness, null_of, ranged, side, stopped
from consilience._results.matrix_citation import form_of_many, left_out


def cite_trend(trend: Any) -> str:
    """The sentences of a `TrendReport` (which imports this file, so that its type cannot stand here)."""
    parts = [_measured(trend), _tested(trend), _against(trend), _correlated(trend), _buckets(trend), computed(trend.engine)]
    return " ".join(part for part in parts if part)


def _measured(trend: Any) -> str:
    how = trend.measurement
    names = [side(use, "") for use in trend.versions]
    subject = f"each of {listed(names)}"
    what = f"{subject} with {side(trend.reference, '')}" if trend.reference else f"{subject} with the others (their mean)"
    form = f" with k = {trend.k:,}" if trend.k else "" if how is None else form_of_many(how)
    items = f"{trend.n:,} items common to all"
    if how is not None and how.gallery != trend.n:
        items = f"{trend.n:,} queries {chosen(how)} among the {how.gallery:,} items common to all"
    near = nearness(trend.reports[0]) if trend.reports else ""
    tail = "" if how is None else left_out(how)
    return f"The alignment of {what} was measured by {metric_source(trend.metric)}{form} over the {items}{tail}, from {_read(trend)}{near}."


def _tested(trend: Any) -> str:
    """Against what the alignments with a reference were tested, where there is one."""
    if not trend.reports or trend.reports[0].p_value is None:
        return ""
    first = trend.reports[0]
    return f"Of each alignment, {_lower(null_of(first.permutations, first.seed, first.within))}.{stopped(trend.reports)}"


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _read(trend: Any) -> str:
    rules = () if trend.measurement is None else trend.measurement.kernel_rules
    kernels = [f"{side(use, '')} as {rule}" for use, rule in zip([*trend.versions, trend.reference], rules, strict=False) if rule]
    vectors = sources.PREPROCESSING.get(trend.preprocess, trend.preprocess)
    return f"{vectors}, and entries of the stored matrices of {listed(kernels)}" if kernels else vectors


def _against(trend: Any) -> str:
    told = [f"{_number(trend, value)} for {name}" for name, value in zip(trend.spaces, trend.against.tolist(), strict=True)]
    scale = ", as logarithms to the base 10" if trend.scale == "log10" else ""
    return f"It was set against {trend.against_name or f'a {trend.against_kind} of each space'} ({listed(told)}){scale}."


def _number(trend: Any, value: float) -> str:
    """A number, or the date that it is."""
    return str(trend.date_of(value)) if trend.against_kind == "date" else f"{value:.10g}"


def _correlated(trend: Any) -> str:
    spearman = f"Spearman's rho was {ranged(trend.spearman, trend.interval)}{_p_value(trend, trend.p_value)}"
    pearson = f"Pearson's r {ranged(trend.pearson, trend.pearson_interval)}{_p_value(trend, trend.pearson_p_value)}"
    unit = {"log10": "a tenfold"}.get(trend.scale, "a day" if trend.against_kind == "date" else "a unit")
    kinds = f"{trend.confidence * 100:g}% intervals over spaces: {sources.RANK_INTERVAL}, and {sources.FISHER_INTERVAL}"
    tested = ""
    if trend.p_value is not None:
        drawn = f"all {trend.pairings:,} pairings" if trend.exact else f"{trend.pairings:,} random pairings (seed {trend.seed})"
        tested = f" P-values are two-sided, over {drawn} of spaces and numbers ({sources.PERMUTATION_TEST})."
    return f"{spearman}; {pearson}; the least-squares slope {number(trend.slope)} {unit} ({kinds}).{tested}"


def _p_value(trend: Any, p_value: float | None) -> str:
    return "" if p_value is None else f", {probability(p_value, 0 if trend.exact else trend.pairings)}"


def _buckets(trend: Any) -> str:
    ends = [f"{_number(trend, bucket.low)} to {_number(trend, bucket.high)} ({len(bucket.spaces):,})" for bucket in trend.buckets]
    means = [number(bucket.mean) for bucket in trend.buckets if np.isfinite(bucket.mean)]
    return f"In buckets of spaces of {listed(ends)}, the means were {listed(means)}." if means else ""
