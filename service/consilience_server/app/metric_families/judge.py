"""Scores of a family as they were asked: what is the same for every metric stands here once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.metric_families.family import Compared, MetricFamily
from consilience_server.core.calibration import excess
from consilience_server.core.control import Control
from consilience_server.core.score import IntervalKind, Score
from consilience_server.core.sequential_test import SequentialP, sequential_p
from consilience_server.engine.alignment_scores import Pair

LEAST_PAIRINGS = 99
"""Random pairings that an estimated chance is the mean of, at the least."""


def scored(family: MetricFamily, compared: Compared, control: Control) -> Sequence[Score]:
    """The scores of two spaces for every k, each with the chance of the pairings that are allowed; drawn until the spec says to stop."""
    if compared.spec.stop_after:
        return _stopped(family, compared, control)
    return _scored(family, compared, control)


def _stopped(family: MetricFamily, compared: Compared, control: Control) -> Sequence[Score]:
    """Random pairings batch by batch, each as large as all before it, until every k has its p; the chance is that of the first batch."""
    stop_after, most = compared.spec.stop_after, compared.options.permutations
    found = _scored(family, _batch(compared, 0, min(most, max(LEAST_PAIRINGS, 2 * stop_after))), control)
    nulls = [_null(score) for score in found]
    while True:
        answers = [sequential_p(score.score, null, stop_after, most) for score, null in zip(found, nulls, strict=True)]
        if None not in answers:
            return [_with_p(score, answer) for score, answer in zip(found, answers, strict=True) if answer is not None]
        drawn = len(nulls[0])
        more = family.pair(_batch(compared, drawn, min(drawn, most - drawn)), control)
        nulls = [np.append(null, _null(score)) for null, score in zip(nulls, more, strict=True)]


def _batch(compared: Compared, first: int, count: int) -> Compared:
    """`count` pairings from number `first` on; the interval is that of the first batch."""
    kind: IntervalKind = "queries" if first else compared.options.interval_kind
    return replace(compared, options=replace(compared.options, permutations=count, first=first, interval_kind=kind))


def _null(score: Score) -> NDArray[np.float64]:
    assert score.null is not None, "pairings were asked for"
    return score.null


def _with_p(score: Score, found: SequentialP) -> Score:
    """The score with its p alone: threshold, calibrated score and the null's mean need all pairings."""
    bare = replace(score, calibrated=None, threshold=None, null_mean=None, null_sd=None, null=None)
    return replace(bare, p_value=found.p_value, permutations=found.drawn)


def _scored(family: MetricFamily, compared: Compared, control: Control) -> Sequence[Score]:
    """`family.pair`; within groups its chance is that of the pairings that are allowed, whether the family knows it or not."""
    found = family.pair(compared, control)
    if _knows_chance(family, compared):
        return found
    drawn = found if _suffices(compared) else family.pair(_drawing(compared), control)
    return [_at_chance_of(score, of.null) for score, of in zip(found, drawn, strict=True)]


def scored_all(family: MetricFamily, compared: Compared, control: Control) -> Mapping[Pair, Score]:
    """`family.matrix`, likewise; a space with itself, for which no null is drawn, keeps the chance that the family gives it."""
    found = family.matrix(compared, control)
    if _knows_chance(family, compared):
        return found
    drawn = found if _suffices(compared) else family.matrix(_drawing(compared), control)
    return {pair: _at_chance_of(score, drawn[pair].null) for pair, score in found.items()}


def _knows_chance(family: MetricFamily, compared: Compared) -> bool:
    return compared.options.groups is None or compared.spec.metric in family.chance_within


def _suffices(compared: Compared) -> bool:
    return compared.options.permutations >= LEAST_PAIRINGS


def _drawing(compared: Compared) -> Compared:
    """As many random pairings as an estimate needs, and no interval that would cost more than they do."""
    return replace(compared, options=replace(compared.options, permutations=LEAST_PAIRINGS, interval_kind="queries"))


def _at_chance_of(score: Score, null: NDArray[np.float64] | None) -> Score:
    """The score with the mean of a null as its chance."""
    if null is None:
        return score
    chance = float(null.mean())
    return replace(score, chance=chance, excess=excess(score.score, chance))
