"""How well any model could score against repeats that do not agree among themselves: the noise ceiling of RSA."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import ConstantFeatures, TooFewItems
from consilience_server.core.kendall import concordance
from consilience_server.core.rsa import RdmComparison, codes_of, unit_pairs

LEAST_PAIRS = 6
"""Pairs that two matrices must have in common to be compared: those of four items."""


@dataclass(frozen=True)
class NoiseCeiling:
    """Between these two lies the score of the true model, were it known.

    Attributes:
        lower: mean over repeats of each with the mean of the others: what the data themselves achieve on data that they have not seen.
        upper: mean over repeats of each with the mean of all, itself included: no fixed matrix does better on these very data, but for
            Kendall's tau, of which the mean of ranks is only a good approximation of the best.
        by_repeat_lower: (R,) the terms of `lower`.
        by_repeat_upper: (R,) the terms of `upper`.
    """

    lower: float
    upper: float
    by_repeat_lower: NDArray[np.float64]
    by_repeat_upper: NDArray[np.float64]


def noise_ceiling(repeats: NDArray[np.float64], comparison: RdmComparison, name: str = "x") -> NoiseCeiling:
    """The noise ceiling of several dissimilarity matrices of the same items.

    Matrices are averaged after each is brought to one scale, so that the mean is the matrix that maximises the mean comparison with them:
    their unit lengths for `cosine`, z-scores for `pearson`, z-scored ranks for `spearman` and Kendall's taus. An average is over the
    matrices that have an entry, a comparison over the pairs that both sides have.

    Args:
        repeats: (R, m) condensed, R >= 2, m = n (n-1) / 2, NaN where a repeat lacks a pair.
        comparison: as in `core/rsa.py`.
        name: of the space, for refusals.

    Raises:
        TooFewItems: fewer than two repeats, or fewer than six pairs in common.
        ConstantFeatures: a repeat whose entries are all equal.

    Source:
        Nili et al. 2014 (PLoS Computational Biology 10(4): e1003553), "Estimating the noise ceiling".
    """
    if len(repeats) < 2:
        raise TooFewItems(f"a noise ceiling needs two repeats, {name} has {len(repeats)}", field=name)
    scaled = np.array([one_scale(repeat, comparison, f"{name}, repeat {at}") for at, repeat in enumerate(repeats)])
    known = ~np.isnan(scaled)
    total, count = np.where(known, scaled, 0.0).sum(axis=0), known.sum(axis=0)
    lower, upper = np.empty(len(repeats)), np.empty(len(repeats))
    for at, repeat in enumerate(repeats):
        upper[at] = compare_known(_ratio(total, count), repeat, comparison, name)
        others = _ratio(total - np.where(known[at], scaled[at], 0.0), count - known[at])
        lower[at] = compare_known(others, repeat, comparison, name)
    return NoiseCeiling(float(lower.mean()), float(upper.mean()), lower, upper)


def compare_known(u: NDArray[np.float64], v: NDArray[np.float64], comparison: RdmComparison, name: str = "x") -> float:
    """`core/rsa.py: compare_rdms` over the pairs that both sides have.

    Args:
        u: (m,) condensed, NaN where a pair is missing.
        v: (m,) likewise.
        comparison: by name.
        name: of the space, for refusals.

    Raises:
        TooFewItems: fewer than six pairs in common.
        ConstantFeatures: all of them are equal on a side.
    """
    known = ~(np.isnan(u) | np.isnan(v))
    pairs = int(known.sum())
    if pairs < LEAST_PAIRS:
        raise TooFewItems(f"only {pairs} pairs of items were measured on both sides of {name}; {LEAST_PAIRS} are needed", field=name)
    left, right = (u, v) if pairs == len(u) else (u[known], v[known])
    if comparison in ("kendall_tau_a", "kendall_tau_b"):
        found = concordance(codes_of(left, name), codes_of(right, name))
        return found.tau_a if comparison == "kendall_tau_a" else found.tau_b
    product = float(unit_pairs(left, comparison, name) @ unit_pairs(right, comparison, name))
    return min(max(product, -1.0), 1.0)


def one_scale(repeat: NDArray[np.float64], comparison: RdmComparison, name: str) -> NDArray[np.float64]:
    """The entries that a repeat has, of mean square 1; centred but for `cosine`, ranked for rank comparisons. NaN elsewhere."""
    known = ~np.isnan(repeat)
    if known.sum() < 2:
        raise ConstantFeatures(f"{name} has fewer than two pairs of items", field=name)
    by_rank: RdmComparison = "spearman" if comparison in ("kendall_tau_a", "kendall_tau_b") else comparison
    scaled = np.full(len(repeat), np.nan)
    scaled[known] = unit_pairs(repeat[known], by_rank, name) * math.sqrt(int(known.sum()))
    return scaled


def _ratio(total: NDArray[np.float64], count: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mean where there is anything to average, NaN elsewhere."""
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
