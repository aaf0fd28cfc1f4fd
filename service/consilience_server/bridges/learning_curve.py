"""What more pairs would bring: the kept method fitted on parts of its pairs, measured on the same held-out ones."""

from collections.abc import Sequence

from consilience_server.bridges.artefact import LearningPoint, MethodName, RetrievalReport
from consilience_server.bridges.fit import BASELINES, Fits, needed_pairs
from consilience_server.bridges.held_out_retrieval import FitProblem, HeldOutRetrieval
from consilience_server.bridges.training_host import TrainingPlan
from consilience_server.core.control import Control

FRACTIONS = (0.125, 0.25, 0.5)
"""Of the pairs of the fit; all of them are the last point."""


def learning_curve(
    problem: FitProblem,
    method: MethodName,
    full: RetrievalReport,
    penalties: Sequence[float],
    measuring: HeldOutRetrieval,
    control: Control,
    plan: TrainingPlan | None = None,
) -> tuple[LearningPoint, ...]:
    """Recall by number of pairs, ascending; empty for the baselines, which learn at most a mean.

    Each part is the first rows of the fit, which stand in random order (of pairs joined by an attribute, those of the first values), and
    chooses its penalty, rank or components anew. A part with fewer pairs (or values) than the method needs is left out. Costs less than
    fitting the method once more.

    Args:
        problem: pairs and gallery.
        method: kept.
        full: its report.
        penalties: candidates for ridge and affine.
        measuring: of the same held-out pairs.
        control: cancellation.
        plan: of stitching layers.
    """
    if method in BASELINES:
        return ()
    needed = needed_pairs(method, problem.x.shape[1], problem.y.shape[1])
    points = []
    for fraction in FRACTIONS:
        if int(fraction * problem.fitted) < needed:
            continue
        control.check()
        rows = problem.first_of_fit(fraction)
        groups = None if problem.folds is None else problem.folds[rows]
        bridge, _ = Fits(problem.x[rows], problem.y[rows], penalties, control.silent(), groups, plan).fit(method)
        points.append(LearningPoint(len(rows), *measuring.recalls(bridge, control.silent())))
    return (*points, LearningPoint(len(problem.x), full.recalls, full.intervals))
