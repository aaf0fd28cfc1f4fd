"""What every alignment score is judged by, and with: options, interval, null, ties."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.calibration import calibrate, excess
from consilience_server.core.intervals import Limits
from consilience_server.core.permutation import Pairings, canonical_order
from consilience_server.core.score import Interval, IntervalKind, Score

Pair = tuple[int, int]
"""Two spaces i <= j of many."""


def wanted_pairs(count: int, pairs: Sequence[Pair] | None) -> list[Pair]:
    """The pairs i <= j of `count` spaces that are asked, each once, ascending; None asks for all."""
    if pairs is None:
        return [(i, j) for i in range(count) for j in range(i, count)]
    return sorted(set(pairs))


@dataclass(frozen=True)
class ScoreOptions:
    """How a score is judged.

    Attributes:
        permutations: random pairings of the null; 0 computes none.
        seed: names them, 0 <= seed < 2^64.
        alpha: level of threshold and calibrated score, in (0, 1).
        interval_kind: `items`, or `queries` (no width here: all items are asked).
        confidence: coverage of the interval, in (0, 1).
        item_order: (n,) uint64, a hash of each item: the order in which permutations and jackknife groups are defined, so that neither
            depends on the order of rows.
        threads: how many compute; no list-based number depends on it.
        groups: (n,) int64, the group of each item by row, within which the random pairings keep it; None restricts nothing.
        first: number of the first permutation drawn.
    """

    permutations: int
    seed: int
    alpha: float
    interval_kind: IntervalKind
    confidence: float
    item_order: NDArray[np.uint64]
    threads: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))
    groups: NDArray[np.int64] | None = None
    first: int = 0

    def pairings(self) -> Pairings:
        """The random pairings of every null, over canonical positions."""
        order = canonical_order(self.item_order)
        return Pairings(len(order), self.seed, None if self.groups is None else self.groups[order], self.first)


def judged(
    k: int,
    score: float,
    level: float,
    interval: Interval,
    null: NDArray[np.float64] | None,
    options: ScoreOptions,
    ties: Mapping[str, Any],
) -> Score:
    """A score with its excess over chance, and against its null where one was drawn.

    Args:
        k: neighbours a list, 0 for metrics without.
        score: of the pairing that is there.
        level: the mean over all pairings.
        interval: around the score.
        null: (K,) scores of random pairings, None where none were asked.
        options: its `alpha` is used.
        ties: the tie fields of `core/score.py: Score`.
    """
    above = excess(score, level)
    if null is None:
        return Score(k, score, level, above, interval, **ties)
    against = calibrate(score, null, options.alpha)
    return Score(
        k,
        score,
        level,
        above,
        interval,
        p_value=against.p_value,
        calibrated=against.calibrated,
        threshold=against.threshold,
        null_mean=against.null_mean,
        null_sd=against.null_sd,
        **ties,
        null=null,
    )


def interval_of(limits: tuple[float, float], options: ScoreOptions) -> Interval:
    """Its limits with their kind and coverage."""
    basis = limits.basis if isinstance(limits, Limits) else None
    return Interval(limits[0], limits[1], options.confidence, options.interval_kind, basis)
