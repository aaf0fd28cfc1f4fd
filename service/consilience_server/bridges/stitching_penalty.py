"""The stitching penalty: what a classifier of the target space loses when a bridge feeds it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
    """

    native: Estimate
    bridged: Estimate
    mean_only: Estimate
    penalty: Estimate
    classes: int
    items: int


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
    own, bridged, mean_only = (Estimate(float(row.mean()), *wilson_interval(int(row.sum()), len(labels))) for row in right)
    return StitchingPenalty(own, bridged, mean_only, mean_estimate(right[0] - right[1], -1.0, 1.0), count, len(labels))
