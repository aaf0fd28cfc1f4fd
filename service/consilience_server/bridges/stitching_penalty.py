"""The stitching penalty: what a classifier of the target space loses when a bridge feeds it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.centring import uncentred
from consilience_server.core.control import Control
from consilience_server.core.estimate import Estimate, mean_estimate
from consilience_server.core.linear_probe import fit_probe
from consilience_server.core.retrieval import wilson_interval

FOLDS = 5


@dataclass(frozen=True)
class StitchingPenalty:
    """Accuracies on the same items, each with its interval.

    Attributes:
        native: of the probe on the items' own target vectors.
        bridged: of the same probe on their mapped source vectors.
        mean_only: of the same probe told the mean target vector for every item: what a bridge reaches that knows nothing.
        penalty: native - bridged, its interval that of paired differences; smaller is better.
        classes: number of classes.
        items: classified.
        own_head: by the caller's own classifier, not by a probe.
    """

    native: Estimate
    bridged: Estimate
    mean_only: Estimate
    penalty: Estimate
    classes: int
    items: int
    own_head: bool = False


def stitching_penalty(
    mapped: NDArray[np.float32], native: NDArray[np.float32], labels: NDArray[np.int64], control: Control
) -> StitchingPenalty:
    """Train a linear probe on target vectors of four fifths of the items, and ask it for the rest: once with their own, once bridged.

    Every item is classified once, by a probe that saw neither its vector nor its label (`core/linear_probe.py`).

    Args:
        mapped: (n, d) float32, source vectors where they meet the target's.
        native: (n, d) float32, the items' own target vectors there, in random order.
        labels: (n,) int64 in [0, C), at least two classes.
        control: cancellation.

    Source: Lenc and Vedaldi, CVPR 2015; Bansal, Nakkiran and Barak, "Revisiting model stitching", NeurIPS 2021.
    """
    count = int(labels.max()) + 1
    right = np.zeros((3, len(labels)))
    for fold in range(FOLDS):
        control.check()
        held = np.arange(fold, len(labels), FOLDS)
        kept = np.setdiff1d(np.arange(len(labels)), held, assume_unique=True)
        probe = fit_probe(native[kept], labels[kept], count)
        centre = np.broadcast_to(native[kept].astype(np.float64).mean(axis=0), native[held].shape)
        for row, features in enumerate((native[held], mapped[held], centre)):
            right[row, held] = probe.predict(features) == labels[held]
    return _told(right, count, own_head=False)


def head_penalty(
    classify: Callable[[NDArray[np.float32]], NDArray[np.object_]],
    bridged: NDArray[np.float32],
    native: NDArray[np.float32],
    labels: NDArray[np.object_],
) -> StitchingPenalty:
    """Ask a classifier of the target space that the caller trained: once with the items' own vectors, once bridged.

    Whether it was trained on these items cannot be known here; where it was, `native` flatters it, and the penalty with it.

    Args:
        classify: (m, d) float32 vectors of the target space to (m,) labels.
        bridged: (n, d) float32, source vectors brought there (`in_target_space`).
        native: (n, d) float32, the items' own target vectors as they are kept.
        labels: (n,) text, at least two classes.
    """
    mean = native.astype(np.float64).mean(axis=0, keepdims=True).astype(np.float32)
    right = np.stack([classify(rows) == labels for rows in (native, bridged)] + [labels == classify(mean)[0]]).astype(np.float64)
    return _told(right, len(set(labels.tolist())), own_head=True)


def in_target_space(mapped: NDArray[np.float32], target_mean: NDArray[np.float64], native: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mapped vectors where they stand in the target space itself, (n, d): no longer centred, and as long as its vectors are in the mean.

    Args:
        mapped: (n, d) float32 of unit length, in the centred target space.
        target_mean: (d,) float64, what was subtracted there.
        native: (m, d) float32, vectors of the target space as they are kept.
    """
    length = float(np.sqrt((native.astype(np.float64) ** 2).sum(axis=1)).mean())
    placed: NDArray[np.float32] = (length * uncentred(mapped.astype(np.float64), target_mean)).astype(np.float32)
    return placed


def _told(right: NDArray[np.float64], classes: int, *, own_head: bool) -> StitchingPenalty:
    """From (3, n): whether each item was classified rightly natively, bridged, and by the mean alone."""
    items = right.shape[1]
    native, bridged, mean_only = (Estimate(float(row.mean()), *wilson_interval(int(row.sum()), items)) for row in right)
    return StitchingPenalty(native, bridged, mean_only, mean_estimate(right[0] - right[1], -1.0, 1.0), classes, items, own_head)
