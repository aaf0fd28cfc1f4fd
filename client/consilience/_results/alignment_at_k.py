"""One score of an alignment, never alone."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from consilience._results.linear_fit import LinearFit


class Interval(NamedTuple):
    """Where the score would fall again, at the report's `confidence`."""

    low: float
    high: float


@dataclass(frozen=True)
class AlignmentAtK:
    """One score with all that makes it trustworthy; `k` is 0 for metrics without neighbours.

    Attributes:
        score: the metric's value.
        chance: what unrelated spaces would score.
        excess: (score - chance) / (1 - chance).
        p_value: share of permutations that score as high, the observed one counted; None without permutations.
        calibrated: the score above the permutation threshold, rescaled to [0, 1]; 0 is "not above chance". None without permutations.
        interval: where the score would fall again.
        threshold: what must be exceeded at the report's `alpha`.
        null_mean, null_sd: of the permuted scores.
        tie_fraction_x, tie_fraction_y: share of items whose k-th place is tied; for metrics of ordered lists and CKNNA, whose list a tie
            decided anywhere.
        self_score_x, self_score_y: what a space would score with itself; below 1 only by ties, or for `cycle_knn`.
        permutations: random pairings drawn, where `stop_after` ended them; then only p_value is had from them. Else None.
        null: (permutations,) float64, the scores of the random pairings in the order that they were drawn; None without permutations, and
            where all k together have more than 131,072. Left out of `to_dict` and of equality.
        components_x, components_y: directions that `cca` and `svcca` compared; 0 for other metrics.
        fit: of `linear_predictivity`, the score of each column of y; None for other metrics. No part of equality.
    """

    k: int
    score: float
    chance: float
    excess: float
    interval: Interval
    p_value: float | None = None
    calibrated: float | None = None
    threshold: float | None = None
    null_mean: float | None = None
    null_sd: float | None = None
    tie_fraction_x: float = 0.0
    tie_fraction_y: float = 0.0
    self_score_x: float = 1.0
    self_score_y: float = 1.0
    components_x: int = 0
    components_y: int = 0
    permutations: int | None = None
    fit: LinearFit | None = field(default=None, compare=False, repr=False)
    null: NDArray[np.float64] | None = field(default=None, compare=False, repr=False)
