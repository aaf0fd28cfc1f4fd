"""Noise ceilings of spaces with repeats, and other spaces against them."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from consilience._results.base import Result, number
from consilience._results.ceiling_citation import cite_ceiling, cite_reliability
from consilience._results.space import SpaceUse


@dataclass(frozen=True, eq=False, repr=False)
class CeilingScore(Result):
    """How well a space does against the repeats of another.

    Attributes:
        space: the space.
        score: the mean over the repeats of its comparison with each.
        by_repeat: (R,) the terms of that mean.
        interval: where the score would fall with other subjects and other items, by the dual bootstrap; None without it.
        normalised: the score as a share of the upper and of the lower noise ceiling: what it achieves of what the data allow lies between
            them. NaN for a ceiling that is not above 0.
        undefined_draws: draws of the bootstrap that left nothing to compare.
        rule: how its dissimilarities were made: a distance between vectors, `d` (its own), or `-s` of similarities.
    """

    space: SpaceUse
    score: float
    by_repeat: NDArray[np.float64]
    interval: tuple[float, float] | None = None
    normalised: tuple[float, float] = (math.nan, math.nan)
    undefined_draws: int = 0
    rule: str = ""

    def __repr__(self) -> str:
        limits = "" if self.interval is None else f" [{number(self.interval[0])}, {number(self.interval[1])}] (subjects and items)"
        share = f" · {number(self.normalised[0])} to {number(self.normalised[1])} of the ceiling"
        return f"{self.space.name} {number(self.score)}{limits}{'' if math.isnan(self.normalised[0]) else share}"


@dataclass(frozen=True, eq=False, repr=False)
class NoiseCeiling(Result):
    """How well any space could score against repeats that do not agree among themselves, and how well some do.

    Attributes:
        space: the space with repeats, at the version used.
        lower: mean over repeats of each with the mean of the others: what the data achieve on data that they have not seen.
        upper: mean over repeats of each with the mean of all. The true model, were it known, scores between the two.
        repeats: R names.
        lower_by_repeat, upper_by_repeat: (R,) the terms of both means.
        pairs: (R,) pairs of items that each repeat has.
        n: items compared; `dropped`: items of the space that another lacks.
        scores: of the other spaces, by name.
        comparison, rdm_distance: how matrices are compared; how far apart two vectors are.
        draws, seed, confidence: of the dual bootstrap; 0 draws where it was left out.
        engine: version of the engine that computed it.
    """

    space: SpaceUse
    lower: float
    upper: float
    repeats: tuple[str, ...]
    lower_by_repeat: NDArray[np.float64]
    upper_by_repeat: NDArray[np.float64]
    pairs: NDArray[np.int64]
    n: int
    dropped: int = 0
    scores: dict[str, CeilingScore] = field(default_factory=dict)
    comparison: str = "spearman"
    rdm_distance: str = "correlation"
    draws: int = 0
    seed: int = 0
    confidence: float = 0.95
    engine: str = ""

    def cite(self) -> str:
        """Sentences for a methods section: the repeats, how matrices were compared, every parameter of the bootstrap, the scores."""
        return cite_ceiling(self)

    def __repr__(self) -> str:
        told = f"noise ceiling of {self.space.name} ({self.comparison}): {number(self.lower)} to {number(self.upper)}"
        told += f" · {len(self.repeats)} repeats · n = {self.n:,}"
        return "\n".join([told, *(repr(score) for score in self.scores.values())])


@dataclass(frozen=True, eq=False, repr=False)
class Reliability(Result):
    """How far the columns (voxels, units) of recordings agree with themselves: the ceiling of what predicts their mean.

    Attributes:
        spaces: the recordings, one a session or repeat, at the versions used.
        reliability: (columns,) float64, of each column the reliability of the mean over the spaces by Spearman-Brown, at most 1; NaN for
            constant columns. A perfect predictor correlates with that mean by its root.
        n: items common to all.
        engine: version of the engine that computed it.
    """

    spaces: tuple[SpaceUse, ...]
    reliability: NDArray[np.float64]
    n: int
    engine: str = ""

    def cite(self) -> str:
        """Sentences for a methods section: the recordings, their items and columns, the formula, and the median."""
        return cite_reliability(self)

    @property
    def median(self) -> float:
        """Over the columns that are not constant; NaN where all are."""
        told = self.reliability[np.isfinite(self.reliability)]
        return float(np.median(told)) if len(told) else math.nan

    def __repr__(self) -> str:
        columns = f"{len(self.reliability):,} columns"
        return f"reliability of the mean of {len(self.spaces)} recordings: median {number(self.median)} of {columns} · n = {self.n:,}"
