"""How right a classification is: accuracy, per class, per first k, with intervals and against chance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.estimate import CONFIDENCE, Estimate
from consilience_server.core.intervals import score_limits
from consilience_server.core.permutation import permutation
from consilience_server.core.retention import kept_share
from consilience_server.core.retrieval import wilson_interval


@dataclass(frozen=True)
class Accuracy:
    """What predictions are worth, beside what they would be worth without knowing anything.

    Attributes:
        accuracy: share of items whose first class is theirs.
        balanced: mean recall of the classes that have items.
        top_k: by k, share of items whose class is among the first k.
        majority: share of the most frequent label.
        chance: sum over classes of (share predicted) (share of labels): expected accuracy of these predictions paired at random.
        p_value: share of random pairings, the observed one counted, that are as accurate; None without permutations.
        recalls: of each class, None for one without items.
        sizes: (C,) items of each class.
        confusion: (C, C) int64, items of the class of the row that were put into the class of the column.
    """

    accuracy: Estimate
    balanced: Estimate
    top_k: dict[int, Estimate]
    majority: float
    chance: float
    p_value: float | None
    recalls: Sequence[Estimate | None]
    sizes: NDArray[np.int64]
    confusion: NDArray[np.int64]


def accuracy_of(
    predictions: NDArray[np.integer],
    labels: NDArray[np.int64],
    count: int,
    top_ks: Sequence[int],
    clusters: NDArray[np.int64] | None,
    permutations: int,
    seed: int,
    control: Control,
) -> Accuracy:
    """Hold predictions against labels.

    Intervals are Wilson's over items (`core/retrieval.py`); of items in clusters those of `core/retention.py`, each cluster a draw. That of
    the balanced accuracy is the score interval with the variance of a mean of independent recalls. Random pairings permute the labels; of
    items in clusters those of the first of each, since items of one cluster are no exchangeable draws.

    Args:
        predictions: (n, depth) classes, best first, depth >= max(top_ks); n >= 1.
        labels: (n,) int64 in [0, C).
        count: number of classes C.
        top_ks: of the top-k accuracies.
        clusters: (n,) whole numbers from 0, or None.
        permutations: of the p-value; 0 for none.
        seed: of the permutations.
        control: cancellation and progress of the permutations, each of which sorts n numbers.
    """
    first = predictions[:, 0]
    right = first == labels
    n = len(labels)
    confusion = np.bincount(labels * count + first, minlength=count * count).reshape(count, count).astype(np.int64)
    sizes = confusion.sum(axis=1)
    hits = np.diagonal(confusion)
    recalls = _recalls(right, labels, sizes, clusters)
    within = (predictions == labels[:, None]).cumsum(axis=1) > 0
    return Accuracy(
        accuracy=_share(right, clusters),
        balanced=_balanced(hits, sizes) if clusters is None else _balanced_of_clusters(right, labels, sizes, clusters),
        top_k={k: _share(within[:, k - 1], clusters) for k in top_ks},
        majority=float(sizes.max() / n),
        chance=float(confusion.sum(axis=0) @ sizes) / n**2,
        p_value=_p_value(first, labels, clusters, permutations, seed, control) if permutations else None,
        recalls=recalls,
        sizes=sizes,
        confusion=confusion,
    )


def _share(right: NDArray[np.bool_], clusters: NDArray[np.int64] | None) -> Estimate:
    value = float(right.mean())
    if clusters is None:
        return Estimate(value, *wilson_interval(int(right.sum()), len(right)))
    low, high = kept_share(right.astype(np.float64), np.ones(len(right)), clusters).limits(CONFIDENCE)
    return Estimate(value, low, min(high, 1.0))


def _recalls(
    right: NDArray[np.bool_], labels: NDArray[np.int64], sizes: NDArray[np.int64], clusters: NDArray[np.int64] | None
) -> list[Estimate | None]:
    """`_share` of the items of each class, in one sort of the items."""
    parts = np.split(np.argsort(labels, kind="stable"), np.cumsum(sizes)[:-1])
    found: list[Estimate | None] = []
    for rows in parts:
        of = None if clusters is None else np.unique(clusters[rows], return_inverse=True)[1].astype(np.int64)
        found.append(_share(right[rows], of) if len(rows) else None)
    return found


def _balanced_of_clusters(
    right: NDArray[np.bool_], labels: NDArray[np.int64], sizes: NDArray[np.int64], clusters: NDArray[np.int64]
) -> Estimate:
    """The mean recall r as a sum over clusters of its items' (hit - r_c) / (C n_c), each cluster a draw.

    Variance G / (G - 1) sum_g (its sum)^2 of G clusters (Liang and Zeger, Biometrika 73, 1986), and
    where nothing varies 1 / sum_g w_g^2 draws alike, w_g the sum of its weights 1 / (C n_c).
    """
    there = sizes > 0
    classes, of = int(there.sum()), np.unique(clusters, return_inverse=True)[1]
    count = int(of.max()) + 1
    recalls = np.bincount(labels, weights=right, minlength=len(sizes)) / np.maximum(sizes, 1)
    mean = float(recalls[there].mean())
    if count < 2:
        return Estimate(mean, 0.0, 1.0)
    weights = 1.0 / (classes * sizes[labels])
    sums = np.bincount(of, weights=weights * (right - recalls[labels]))
    variance = count / (count - 1.0) * float(sums @ sums)
    alike = 1.0 / float((np.bincount(of, weights=weights) ** 2).sum())
    return Estimate(mean, *score_limits(mean, variance, alike, count - 1.0, CONFIDENCE, 0.0, 1.0))


def _balanced(hits: NDArray[np.int64], sizes: NDArray[np.int64]) -> Estimate:
    """The mean recall r of C classes: variance sum_c r_c (1 - r_c) / (n_c - 1) / C^2, where nothing varies C^2 / sum 1/n_c draws alike."""
    there = sizes > 0
    shares, of = hits[there] / sizes[there], sizes[there].astype(np.float64)
    count = len(of)
    mean = float(shares.mean())
    degrees = float(of.sum() - count)
    if degrees < 1:
        return Estimate(mean, 0.0, 1.0)
    variance = float((shares * (1.0 - shares) / np.maximum(of - 1.0, 1.0)).sum()) / count**2
    return Estimate(mean, *score_limits(mean, variance, count**2 / float((1.0 / of).sum()), degrees, CONFIDENCE, 0.0, 1.0))


def _p_value(
    first: NDArray[np.integer],
    labels: NDArray[np.int64],
    clusters: NDArray[np.int64] | None,
    permutations: int,
    seed: int,
    control: Control,
) -> float:
    if clusters is not None:
        some = np.unique(clusters, return_index=True)[1]
        first, labels = first[some], labels[some]
    observed = int((first == labels).sum())
    as_good = 0
    for index in range(permutations):
        control.check()
        as_good += int((first == labels[permutation(seed, index, len(labels))]).sum()) >= observed
        control.progress((index + 1) / permutations)
    return (1 + as_good) / (permutations + 1)
