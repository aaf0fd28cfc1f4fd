"""How many of the pairs found are right, judged by known ones: precision and recall, and the threshold that would have served best."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.retrieval import wilson_interval

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Proportion:
    """`successes` of `trials` (at least 1), with Wilson's 95% interval: as if the trials were independent."""

    value: float
    low: float
    high: float
    successes: int
    trials: int


@dataclass(frozen=True)
class PairAgreement:
    """Pairs found against known pairs.

    Attributes:
        known_sources: sources that have a known partner.
        precision: right pairs among the judged, None where none is judged. A pair is judged where its source or its target has a known
            partner: of the others nobody knows, and they count neither for nor against.
        recall: sources that are in a right pair among those that have a known partner.
        best_threshold: the score from which on the pairs have the best F1, None where none is right. Chosen on these known pairs: what it
            promises flatters, so measure it on others.
        best_f1: harmonic mean of precision and recall there.
        fitted: sources with a known partner that were left out because a bridge was fitted on them.
    """

    known_sources: int
    precision: Proportion | None
    recall: Proportion
    best_threshold: float | None
    best_f1: float | None
    fitted: int = 0


def pair_agreement(
    sources: NDArray[np.int64],
    targets: NDArray[np.int64],
    scores: NDArray[np.float64],
    source_groups: NDArray[np.int64],
    target_groups: NDArray[np.int64],
) -> PairAgreement:
    """Judge pairs; (a, b) is known where both have the same group.

    Args:
        sources: (p,) rows of the pairs found, in descending order of score.
        targets: (p,) likewise.
        scores: (p,) float64, descending.
        source_groups: (m,) the group of each source, -1 where unknown.
        target_groups: (n,) likewise.

    At least one source must have a partner.

    Source: the evaluation of bitext mining (Zweigenbaum et al., BUCC 2017), for known pairs that need not be all there are.
    """
    source_known = (source_groups >= 0) & np.isin(source_groups, target_groups)
    target_known = (target_groups >= 0) & np.isin(target_groups, source_groups)
    judged = source_known[sources] | target_known[targets]
    right = source_known[sources] & (source_groups[sources] == target_groups[targets])
    # Of several right pairs of one source the first finds it.
    found = np.zeros(len(sources), dtype=bool)
    found[np.flatnonzero(right)[np.unique(sources[right], return_index=True)[1]]] = True
    known = int(source_known.sum())
    precision = _proportion(int(right.sum()), int(judged.sum())) if judged.any() else None
    threshold, best = _best(np.cumsum(judged), np.cumsum(right), np.cumsum(found), scores, known)
    return PairAgreement(known, precision, _proportion(int(found.sum()), known), threshold, best)


def _proportion(successes: int, trials: int) -> Proportion:
    return Proportion(successes / trials, *wilson_interval(successes, trials, CONFIDENCE), successes, trials)


def _best(
    judged: NDArray[np.int64], right: NDArray[np.int64], found: NDArray[np.int64], scores: NDArray[np.float64], known: int
) -> tuple[float | None, float | None]:
    """The highest threshold of the best F1, and that F1; pairs of equal score come and go together."""
    if not len(scores) or not right[-1]:
        return None, None
    last_of_score = np.append(scores[1:] != scores[:-1], True)
    precision = right / np.maximum(judged, 1)
    recall = found / known
    f1 = np.where(last_of_score & (right > 0), 2.0 * precision * recall / np.maximum(precision + recall, 1e-300), -1.0)
    best = int(np.argmax(f1))
    return float(scores[best]), float(f1[best])
