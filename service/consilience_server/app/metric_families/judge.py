"""Scores of a family as they were asked: what is the same for every metric stands here once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.metric_families.family import Compared, MetricFamily
from consilience_server.core.calibration import excess
from consilience_server.core.control import Control
from consilience_server.core.score import Score
from consilience_server.engine.alignment_scores import Pair

LEAST_PAIRINGS = 99
"""Random pairings that an estimated chance is the mean of, at the least."""


def scored(family: MetricFamily, compared: Compared, control: Control) -> Sequence[Score]:
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
