"""Choosing what a fit leaves open (penalty, rank, components) by retrieval among pairs that it did not see."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.joined_values import appearance
from consilience_server.core.centring import unit
from consilience_server.core.control import Control

Array = NDArray[np.float64]
Scores = Callable[[Array, Array], Iterator[Array]]
"""Of (queries, gallery), the similarities (q, g) under each option, one after the other."""

FOLDS = 5
_ENOUGH_QUERIES = 2000
_FOLD_QUERIES = 2000
_FOLD_GALLERY = 4000
_EQUAL = 1e-9
"""Differences below this share are rounding."""

Groups = NDArray[np.int64] | None
"""(n,) equal for pairs that no fold may tear apart; None: every pair stands alone."""


def fold_sizes(pairs: int) -> tuple[int, int, int]:
    """Folds that vote, the queries of each, and the targets that they are compared with."""
    queries = max(min(pairs // FOLDS, _FOLD_QUERIES), 1)
    return min(FOLDS, -(-_ENOUGH_QUERIES // queries)), queries, min(pairs, _FOLD_GALLERY)


@dataclass(frozen=True)
class Votes:
    """How each option fared, summed over the queries asked.

    Attributes:
        gains: (options,) float64, sums of reciprocal ranks.
        cosines: (options,) float64, sums of the similarities of partners.
        asked: queries.
    """

    gains: Array
    cosines: Array
    asked: int

    def best(self, of: Sequence[int]) -> NDArray[np.int64]:
        """Places in `of` of the options that retrieve best, ascending; more than one only where nothing tells them apart.

        Of options that reciprocal ranks do not tell apart, as where every partner comes first, those whose mapped sources lie nearest to
        their partners win.
        """
        gains, cosines = self.gains[of], self.cosines[of]
        best = np.flatnonzero(gains >= gains.max() * (1 - _EQUAL))
        nearest: NDArray[np.int64] = best[cosines[best] >= cosines[best].max() - _EQUAL * self.asked]
        return nearest


def best_options(
    x: Array, y: Array, options: int, fit: Callable[[Array, Array], Scores], control: Control, groups: Groups = None
) -> NDArray[np.int64]:
    """Positions of the options that retrieve best; see `retrieval_votes` and `Votes.best`."""
    return retrieval_votes(x, y, options, fit, control, groups).best(range(options))


def retrieval_votes(
    x: Array, y: Array, options: int, fit: Callable[[Array, Array], Scores], control: Control, groups: Groups = None
) -> Votes:
    """Cross-validation on retrieval: sources that a fit did not see look for their partners among all targets.

    The criterion is the mean reciprocal rank (it moves with every rank, where recall@k sees one threshold). Fold f is every fifth row from
    f on, or every fifth group in the order of their first rows, so that pairs which belong together choose nothing for each other. Folds
    are evaluated until 2,000 queries have voted (all five below 2,500 pairs, one from 10,000 on), each with at most 2,000 queries against
    4,000 targets, the fold's own first: more would not move the choice, whose standard error is then near .01.

    Args:
        x: (n, d_x) float64, centred as for the fit, n >= 10, in random order.
        y: (n, d_y) float64, likewise.
        options: how many there are.
        fit: told the kept rows of both sides; answers what scores the rest.
        control: cancellation.
        groups: (n,) int64, equal for pairs that no fold may tear apart; None, or all one: every pair is a group. A fold that holds more
            than half of the rows does not vote, as what is left is too little.
    """
    numbers = np.arange(len(x)) if groups is None else appearance(groups)
    if not numbers.any():
        numbers = np.arange(len(x))
    gains, cosines = np.zeros(options), np.zeros(options)
    asked = 0
    for fold in range(FOLDS):
        control.check()
        in_fold = numbers % FOLDS == fold
        held, kept = np.flatnonzero(in_fold), np.flatnonzero(~in_fold)
        if not len(held) or (len(held) > len(kept) and groups is not None):
            continue
        scores_of = fit(x[kept], y[kept])
        among, asking = np.concatenate((held, kept))[:_FOLD_GALLERY], held[:_FOLD_QUERIES]
        partners = None if groups is None else groups[asking, None] == groups[among]
        gallery, queries = unit(y[among]), x[asking]
        for position, scores in enumerate(scores_of(queries, gallery)):
            control.check()
            own = np.diagonal(scores) if partners is None else scores.max(axis=1, where=partners, initial=-np.inf)
            gains[position] += (1.0 / (1 + (scores > own[:, None]).sum(axis=1))).sum()
            cosines[position] += own.sum()
        asked += len(queries)
        if asked >= _ENOUGH_QUERIES:
            break
    return Votes(gains, cosines, asked)
