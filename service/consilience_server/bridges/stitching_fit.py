"""Fitting a stitching layer on known pairs: some of them choose the epoch, a ridge regression on the others is where it starts."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.held_out_retrieval import HeldOutRetrieval
from consilience_server.bridges.ridge_penalty import choose_penalty
from consilience_server.bridges.space_map import SpaceMap
from consilience_server.bridges.stitching_map import StitchingMap
from consilience_server.bridges.stitching_options import StitchingReport
from consilience_server.bridges.stitching_training import Learned, Lesson, train
from consilience_server.bridges.training_host import TrainingPlan
from consilience_server.core.control import Control
from consilience_server.core.ridge import ridge_path

_Array = NDArray[np.float64]

_MOST_VALIDATION, _LEAST_VALIDATION = 1000, 10


def fit_stitching(
    x: _Array, y: _Array, means: tuple[_Array, _Array], penalties: Sequence[float], plan: TrainingPlan, control: Control
) -> tuple[StitchingMap, StitchingReport, float]:
    """A trained layer, how it was trained, and the penalty of the ridge regression that it started from.

    The last tenth of the pairs (10 at least, 1,000 at most) is not trained on: it chooses the epoch. They are in random order.

    Args:
        x: (n, d_x) float64, centred as for the fit, n >= 20, in random order.
        y: (n, d_y) float64, likewise.
        means: that were subtracted.
        penalties: candidates of the ridge regression, at least one.
        plan: options, seed and host.
        control: cancellation and progress.
    """
    validation = min(max(len(x) // 10, _LEAST_VALIDATION), _MOST_VALIDATION)
    trained = len(x) - validation
    penalty = choose_penalty(x[:trained], y[:trained], penalties, control)
    start = ridge_path(x[:trained], y[:trained]).weights(penalty)
    # Cosine knows no scale; Adam does.
    reach = float(np.sqrt(((x[:trained] @ start) ** 2).sum(axis=1)).mean())
    # A row without direction has no cosine to learn from.
    directed = np.flatnonzero(x[:trained].any(axis=1))
    lesson = Lesson(
        x=x[directed].astype(np.float32),
        y=y[directed].astype(np.float32),
        queries=x[trained:].astype(np.float32),
        partners=y[trained:].astype(np.float32),
        start=start / reach if reach > 0 else start,
        penalty=penalty,
    )
    learned = train(lesson, plan, control)
    options = plan.options
    report = StitchingReport(
        architecture=options.architecture,
        loss=options.loss,
        hidden=options.width(x.shape[1], y.shape[1]),
        relational_weight=options.relational_weight if options.loss == "cosine_relational" else 0.0,
        temperature=options.temperature if options.loss == "infonce" else 0.0,
        epochs=learned.epochs,
        best_epoch=learned.best_epoch,
        validation_pairs=validation,
        validation_recall=learned.recall,
        validation_reciprocal_rank=learned.reciprocal_rank,
        start_recall=learned.start_recall,
        device=learned.device,
    )
    return _map(learned, means), report, penalty


def with_information(report: StitchingReport, bridge: SpaceMap, measuring: HeldOutRetrieval, control: Control) -> StitchingReport:
    """The report with the bound on mutual information, where the layer was trained for it (`infonce`)."""
    if report.loss != "infonce":
        return report
    information, pairs = measuring.information(bridge, report.temperature, control)
    return replace(report, information=information, information_pairs=pairs)


def _map(learned: Learned, means: tuple[_Array, _Array]) -> StitchingMap:
    weights, bias, *hidden = learned.parameters
    return StitchingMap(weights, bias, *means, *hidden)
