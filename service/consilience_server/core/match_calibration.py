"""Probability that a match is the query's partner, learned from pairs that the bridge has not seen.

A query's k best scores compete with each other, and all of them with the possibility that the partner is none of them:

    P(j) = F exp(a z_j) / sum_i exp(a z_i),   F = 1 / (1 + exp(-b - c I)),   I = log sum_i exp(a z_i),   z = (s - centre) / scale

a nested logit (McFadden 1978) of two nests: what was found, and the rest. With a >= 0 and 0 <= c <= 1 it is monotone: a probability grows
with its own score and falls with every rival's, so the gap to the runner-up counts; the k of a query sum to F < 1. A c below 1 lets scores
order a query's matches well without telling as much across queries, as plain similarities do.

First a maximises the likelihood of partners that were found, then b and c that of having found them; both problems are convex, and a weak
Gaussian prior keeps them finite where all are found.

What it holds for: queries drawn like those pairs, with their partner in the gallery. It is fitted for one gallery, one correction and one
k: among more items the same score is more often a coincidence.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logsumexp, softmax

LEAST_PAIRS = 50
"""Held-out pairs below which nothing is calibrated."""

_FOLDS = 5
_BINS = 10
_PRIOR = 1e-3


@dataclass(frozen=True)
class MatchCalibration:
    """A fitted model, and what it was fitted on.

    Attributes:
        slope: a, at least 0.
        offset: b.
        across: c, 0 to 1.
        centre, scale: of the scores.
        pairs: held-out pairs.
        accuracy: share of them whose best match is the partner.
        error: expected calibration error of their best matches, each judged by a model that was fitted without it (five folds): the mean
            distance between probability and frequency, over ten bins of equal size. With m pairs pure chance leaves about 1 / sqrt(m).
    """

    slope: float
    offset: float
    across: float
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
        return _probabilities((scores - self.centre) / self.scale, self.slope, self.offset, self.across)


def fit_calibration(scores: NDArray[np.float64], places: NDArray[np.int64]) -> MatchCalibration:
    """The model of held-out pairs.

    Args:
        scores: (m, k) float64, the k best of each held-out query, m >= `LEAST_PAIRS`.
        places: (m,) int64, where its partner is among them, -1 where it is not.
    """
    centre, scale = float(scores[:, 0].mean()), float(scores.std()) or 1.0
    standard = (scores - centre) / scale
    fitted = _fitted(standard, places)
    judged = np.empty(len(scores))
    for fold in range(_FOLDS):
        held = np.arange(len(scores)) % _FOLDS == fold
        judged[held] = _probabilities(standard[held], *_fitted(standard[~held], places[~held]))[:, 0]
    right = places == 0
    error = expected_calibration_error(judged, right)
    return MatchCalibration(*fitted, centre, scale, len(scores), float(right.mean()), error)


def expected_calibration_error(probabilities: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Mean distance of probability and frequency over ten bins of equal size, by ascending probability."""
    order = np.argsort(probabilities, kind="stable")
    bins = [part for part in np.array_split(order, _BINS) if len(part)]
    return float(sum(len(part) * abs(probabilities[part].mean() - right[part].mean()) for part in bins) / len(order))


def _probabilities(standard: NDArray[np.float64], slope: float, offset: float, across: float) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = softmax(slope * standard, axis=1) * expit(offset + across * _inclusive(standard, slope))[:, None]
    return shares


def _inclusive(standard: NDArray[np.float64], slope: float) -> NDArray[np.float64]:
    """I: how much the matches of each query offer together."""
    value: NDArray[np.float64] = logsumexp(slope * standard, axis=1)
    return value


def _fitted(standard: NDArray[np.float64], places: NDArray[np.int64]) -> tuple[float, float, float]:
    """Slope, offset and weight across queries, of the largest posterior."""
    found = places >= 0
    rivals, partners = standard[found], standard[found, places[found]]

    def within(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        slope = parameters[0]
        value = (logsumexp(slope * rivals, axis=1) - slope * partners).sum() + _PRIOR * slope**2
        gradient = ((softmax(slope * rivals, axis=1) * rivals).sum() - partners.sum()) + 2 * _PRIOR * slope
        return float(value), np.array([gradient])

    slope = float(minimize(within, np.array([1.0]), jac=True, method="L-BFGS-B", bounds=[(0.0, None)]).x[0]) if found.any() else 0.0
    inclusive = _inclusive(standard, slope)

    def having_found(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        offset, across = parameters
        logits = offset + across * inclusive
        missed = expit(logits) - found
        value = np.logaddexp(0.0, logits).sum() - logits[found].sum() + _PRIOR * (offset**2 + across**2)
        return float(value), np.array([missed.sum(), (missed * inclusive).sum()]) + 2 * _PRIOR * parameters

    best = minimize(having_found, np.array([0.0, 0.5]), jac=True, method="L-BFGS-B", bounds=[(None, None), (0.0, 1.0)])
    return slope, float(best.x[0]), float(best.x[1])
