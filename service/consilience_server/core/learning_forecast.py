"""What recall more pairs would bring: a learning curve carried on, with an interval that holds for its form too."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.estimate import CONFIDENCE
from consilience_server.core.retrieval import wilson_interval

_Array = NDArray[np.float64]

EXPONENTS = np.linspace(0.15, 1.5, 28)
RESAMPLES = 200
FEWEST_POINTS = 3
_WEIGHT_FLOOR = 0.02
"""Of a standard error: a point that every query hits or misses is not known exactly."""


@dataclass(frozen=True)
class Forecast:
    """Recall by number of pairs, as foreseen.

    Attributes:
        pairs: (p,) whole numbers.
        recall: (p,) in [0, 1], not falling where `pairs` ascend.
        low, high: (p,) about 95%: of queries drawn as these were, and of any of the forms of the curve.
        plateau: what the power law through all points tends to.
    """

    pairs: NDArray[np.int64]
    recall: _Array
    low: _Array
    high: _Array
    plateau: float


def forecast(sizes: Sequence[int], hits: NDArray[np.bool_], pairs: Sequence[int], rng: np.random.Generator) -> Forecast:
    """Carry a learning curve on to other numbers of pairs.

    Two forms are fitted to the measured recalls by weighted least squares: a power law towards a plateau, r = c - a n^-b with c in [0, 1],
    a >= 0 and b on the grid `EXPONENTS`, and a straight line of logit(r) in log(n) with a slope of 0 or more, which has no plateau below 1.
    The forecast is their mean: real curves lie between, for they bend sooner than the line and later than the power law.

    The interval has two parts. Queries are drawn again, all sizes together (the same were asked at each), and both forms fitted to each
    draw, through all points and through the last three; it reaches from the least 2.5% quantile of the four to the greatest 97.5% one, so
    that it is wide where they part, which the points at hand cannot decide. Half the Wilson interval of the last point is added at either
    end: draws of queries that all hit, or all miss, do not differ, and no form bends just as the truth does.

    How well: on 296 forecasts of recall@1 and @10 from 3 to 5 points each (word2vec and GloVe both ways, two views of handwritten digits,
    object concepts; Procrustes and ridge; 500 queries) the mean absolute error is .03 for twice as many pairs as the last point has,
    .05 for 4 times, .07 for 8 times and .08 for 16 times, most of it upwards (bias .01, .02, .04, .04); 99%, 99%, 95% and 93% of the
    intervals hold what was then measured. The margin was chosen on these curves, so expect a little less elsewhere. The worst come from
    50 to 80 pairs, where recall has hardly begun to rise.

    Args:
        sizes: (s,) pairs that each point was fitted on, ascending, `FEWEST_POINTS` or more.
        hits: (s, q) whether query j found its partner with the map of size i.
        pairs: numbers to forecast for.
        rng: of the draws.

    Source: power laws of learning: Hestness et al. 2017 (arXiv 1712.00409), equation 1; their extrapolation: Figueroa et al. 2012, BMC
    Medical Informatics 12:8. The second form and the union are this project's.
    """
    queries = hits.shape[1]
    draws = rng.integers(queries, size=(RESAMPLES, queries))
    samples = np.concatenate((hits.mean(axis=1)[None], hits[:, draws].mean(axis=2).T))
    errors = np.maximum(np.sqrt(samples[0] * (1 - samples[0]) / queries), _WEIGHT_FLOOR)
    n, ahead = np.asarray(sizes, dtype=np.float64), np.asarray(pairs, dtype=np.float64)
    power, plateaus = _power_law(n, samples, errors, ahead)
    line = _logit_line(n, samples, errors, ahead)
    last = slice(-FEWEST_POINTS, None)
    of_last = n[last], samples[:, last], errors[last], ahead
    drawn = np.stack([form[1:] for form in (power, line, _power_law(*of_last)[0], _logit_line(*of_last))])
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=1)
    middle = (power[0] + line[0]) / 2
    hit = int(hits[-1].sum())
    below, above = np.abs(np.array(wilson_interval(hit, queries)) - hit / queries) / 2
    return Forecast(
        np.asarray(pairs, dtype=np.int64),
        middle,
        np.clip(np.minimum(low.min(axis=0), middle) - below, 0.0, 1.0),
        # What fewer pairs found is never excluded: the line comes near 1 and does not reach it.
        np.clip(np.maximum(np.maximum(high.max(axis=0), middle) + above, np.where(ahead >= n[-1], hit / queries, 0.0)), 0.0, 1.0),
        float(plateaus[0]),
    )


def _power_law(n: _Array, samples: _Array, errors: _Array, ahead: _Array) -> tuple[_Array, _Array]:
    """(m, p) recalls and (m,) plateaus, of the best exponent of a grid for each sample: given it, c and a are linear."""
    best = np.full(len(samples), np.inf)
    recalls, plateaus = np.zeros((len(samples), len(ahead))), np.zeros(len(samples))
    weights = errors**-2
    for exponent in EXPONENTS:
        fall = -(n**-exponent)
        mean_fall = np.average(fall, weights=weights)
        means = samples @ weights / weights.sum()
        slope = ((samples - means[:, None]) * weights) @ (fall - mean_fall) / (weights @ (fall - mean_fall) ** 2)
        plateau = means - slope * mean_fall
        # At the bounds the other coefficient is that of the bound: a >= 0, c <= 1.
        plateau = np.where(slope < 0, means, np.minimum(plateau, 1.0))
        slope = np.where(slope < 0, 0.0, np.where(plateau < 1.0, slope, ((samples - 1.0) * weights) @ fall / (weights @ fall**2)))
        left = ((samples - plateau[:, None] - slope[:, None] * fall) ** 2) @ weights
        better = left < best
        best[better], plateaus[better] = left[better], plateau[better]
        recalls[better] = (plateau[:, None] - slope[:, None] * ahead**-exponent)[better]
    return np.clip(recalls, 0.0, 1.0), plateaus


def _logit_line(n: _Array, samples: _Array, errors: _Array, ahead: _Array) -> _Array:
    """(m, p) recalls of the straight line of logit(r) in log(n); errors carried over to the logit."""
    bounded = np.clip(samples, _WEIGHT_FLOOR / 2, 1 - _WEIGHT_FLOOR / 2)
    logits, at = np.log(bounded / (1 - bounded)), np.log(n)
    weights = (bounded[0] * (1 - bounded[0]) / errors) ** 2
    mean_at, means = np.average(at, weights=weights), logits @ weights / weights.sum()
    slope = np.maximum(((logits - means[:, None]) * weights) @ (at - mean_at) / (weights @ (at - mean_at) ** 2), 0.0)
    line = means[:, None] + slope[:, None] * (np.log(ahead) - mean_at)
    recalls: _Array = 1 / (1 + np.exp(-line))
    return recalls
