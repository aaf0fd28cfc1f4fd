"""Probability that a match is the query's partner, learned from pairs that the bridge has not seen.

A query's k best scores s_1 >= ... >= s_k compete with each other and with the possibility that the partner is none of them:

    P(j) = exp(a z_j + b) / (1 + sum_i exp(a z_i + b)),   z = (s - centre) / scale,   a >= 0

a conditional logistic model (McFadden 1974) with an outside option. It is monotone: it grows with a match's own score and falls with every
rival's, so the gap to the runner-up counts; the k of a query sum to less than 1, and the rest is the probability that none of them is
right. a and b maximise the likelihood of held-out pairs, with a weak Gaussian prior on a that keeps it finite where they are all found.

What it holds for: queries drawn like those pairs, with their partner in the gallery. It is fitted for one gallery, one correction and one
k: among more items the same score is more often a coincidence.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

LEAST_PAIRS = 50
"""Held-out pairs below which nothing is calibrated."""

_FOLDS = 5
_BINS = 10
_PRIOR = 1e-3
_MOST_EXPONENT = 500.0


@dataclass(frozen=True)
class MatchCalibration:
    """A fitted model, and what it was fitted on.

    Attributes:
        slope: a, at least 0.
        offset: b.
        centre, scale: of the scores.
        pairs: held-out pairs.
        accuracy: share of them whose best match is the partner.
        error: expected calibration error of their best matches, each judged by a model that was fitted without it (five folds): the mean
            distance between probability and frequency, over ten bins of equal size. With m pairs pure chance leaves about 1 / sqrt(m).
    """

    slope: float
    offset: float
    centre: float
    scale: float
    pairs: int
    accuracy: float
    error: float

    @property
    def nbytes(self) -> int:
        """Bytes held, about."""
        return 100

    def probabilities(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """P of every match, (m, k) float64, from (m, k) scores."""
        return _probabilities((scores - self.centre) / self.scale, self.slope, self.offset)


def fit_calibration(scores: NDArray[np.float64], places: NDArray[np.int64]) -> MatchCalibration:
    """The model of held-out pairs.

    Args:
        scores: (m, k) float64, the k best of each held-out query, m >= `LEAST_PAIRS`.
        places: (m,) int64, where its partner is among them, -1 where it is not.
    """
    centre, scale = float(scores[:, 0].mean()), float(scores.std()) or 1.0
    standard = (scores - centre) / scale
    slope, offset = _fitted(standard, places)
    judged = np.empty(len(scores))
    for fold in range(_FOLDS):
        held = np.arange(len(scores)) % _FOLDS == fold
        judged[held] = _probabilities(standard[held], *_fitted(standard[~held], places[~held]))[:, 0]
    right = places == 0
    error = expected_calibration_error(judged, right)
    return MatchCalibration(slope, offset, centre, scale, len(scores), float(right.mean()), error)


def expected_calibration_error(probabilities: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Mean distance of probability and frequency over ten bins of equal size, by ascending probability."""
    order = np.argsort(probabilities, kind="stable")
    bins = [part for part in np.array_split(order, _BINS) if len(part)]
    return float(sum(len(part) * abs(probabilities[part].mean() - right[part].mean()) for part in bins) / len(order))


def _probabilities(standard: NDArray[np.float64], slope: float, offset: float) -> NDArray[np.float64]:
    exponents = np.clip(slope * standard + offset, -_MOST_EXPONENT, _MOST_EXPONENT)
    largest = np.maximum(exponents.max(axis=1, keepdims=True), 0.0)
    parts = np.exp(exponents - largest)
    shares: NDArray[np.float64] = parts / (np.exp(-largest) + parts.sum(axis=1, keepdims=True))
    return shares


def _fitted(standard: NDArray[np.float64], places: NDArray[np.int64]) -> tuple[float, float]:
    """The slope and offset of the largest posterior; the problem is convex."""
    m = len(standard)
    found = places >= 0
    partners = standard[found, places[found]].sum()

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        slope, offset = parameters
        exponents = slope * standard + offset
        largest = np.maximum(exponents.max(axis=1), 0.0)
        totals = np.exp(-largest) + np.exp(exponents - largest[:, None]).sum(axis=1)
        shares = np.exp(exponents - largest[:, None]) / totals[:, None]
        value = (largest + np.log(totals)).sum() - slope * partners - offset * found.sum() + _PRIOR * (slope**2 + offset**2)
        gradient = np.array([(shares * standard).sum() - partners, shares.sum() - found.sum()]) + 2 * _PRIOR * parameters
        return float(value / m), gradient / m

    best = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0.0, None), (None, None)])
    return float(best.x[0]), float(best.x[1])
