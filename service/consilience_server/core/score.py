"""A score with all that makes it trustworthy."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.intervals import Asked, Jackknife
from consilience_server.core.linear_predictivity import LinearFit

IntervalKind = Literal["queries", "items"]


@dataclass(frozen=True)
class Interval:
    """Where the score would fall again, at `confidence`; `low <= score <= high`. Kinds and formulas: `core/intervals.py`.

    Attributes:
        basis: what it was computed from, where it was; no part of equality.
    """

    low: float
    high: float
    confidence: float
    kind: IntervalKind
    basis: Jackknife | Asked | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Score:
    """One alignment score, never alone.

    Attributes:
        k: neighbours a list, 0 for metrics without neighbours.
        score: larger is more alike; range and definition in the metric's own file.
        chance: the mean over all pairings of the items: exact, or for `lcs_knn`, `edit_distance_knn`, CKNNA and shapes estimated by random
            ones.
        excess: (score - chance) / (1 - chance), 0 where chance is 1.
        interval: where the score would fall again.
        p_value: (1 + #{null >= score}) / (permutations + 1); None when no permutations were asked, like the next four.
        calibrated: how far the score is above `threshold`, as a share of what is possible, in [0, 1]; positive only if p_value <= alpha.
        threshold: the (1 - alpha) order statistic of null and observed score.
        null_mean: mean of the permuted scores.
        null_sd: their standard deviation.
        tie_fraction_x: share of x's lists whose k-th place is tied; for metrics that decide ties by key, that a tie decided anywhere.
        tie_fraction_y: likewise of y's.
        self_score_x: what x would score with itself, below 1 only by ties, or for `cycle_knn`.
        self_score_y: likewise y.
        components_x: directions of x that `cca` and `svcca` compared: its rank, or the components asked and those that tie with the last;
            0 for other metrics.
        components_y: likewise of y.
        permutations: random pairings drawn, where a rule stopped them (`core/sequential_test.py`); then only p_value is had from them.
        fit: of `linear_predictivity`, how each column of y was predicted; no part of equality.
        bandwidth_x: sigma of x's Gaussian kernel; None for metrics without.
        bandwidth_y: likewise y's.
        null: (permutations,) float64, the scores of the random pairings in the order that they were drawn; no part of equality.
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
    bandwidth_x: float | None = None
    bandwidth_y: float | None = None
    null: NDArray[np.float64] | None = field(default=None, compare=False, repr=False)
