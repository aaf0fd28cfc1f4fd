"""Fit what was asked and what it must be compared with, measure all on pairs none has seen, keep the best."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.artefact import LearningPoint, MethodName, RetrievalReport
from consilience_server.bridges.choice_notes import choice_notes, left_out_notes
from consilience_server.bridges.fit import BASELINES, Fits, needed_pairs
from consilience_server.bridges.gallery_copies import gallery_notes
from consilience_server.bridges.held_out_retrieval import MAX_HELD_OUT_QUERIES, FitProblem, HeldOutRetrieval
from consilience_server.bridges.learning_curve import learning_curve
from consilience_server.bridges.space_map import SpaceMap
from consilience_server.bridges.stitching_fit import with_information
from consilience_server.bridges.stitching_options import StitchingReport
from consilience_server.bridges.training_host import TrainingPlan, can_train
from consilience_server.core.control import Control
from consilience_server.core.counted import counted
from consilience_server.core.errors import DimensionMismatch, TooFewPairs, ZeroVector
from consilience_server.core.units import unit_means
from consilience_server.engine.protocol import NeighbourEngine

MethodChoice = Literal[MethodName, "auto"]

METHODS: tuple[MethodName, ...] = tuple(
    name for name in get_args(MethodName) if name not in {"stitching_layer", "unsupervised", "composed"}
)
"""What has a closed form on pairs, from the simplest on: of equally good methods the first is kept."""

TRAINED: tuple[MethodName, ...] = ("stitching_layer",)
"""What is trained on pairs, where the server has what that needs."""

AUTO_TRAINED_PAIRS = 100_000
"""Pairs from which `auto` trains: a layer that is not linear rarely beats ridge on fewer."""


@dataclass(frozen=True)
class FittedBridge:
    """The bridge kept, how all candidates fared on the same held-out pairs, and how the kept method fared with fewer.

    `notes` tell, in plain sentences, what weakens the report and the choice.
    `stitching` tells how a kept stitching layer was trained; None for other methods.
    """

    method: MethodName
    map: SpaceMap
    held_out: RetrievalReport
    candidates: tuple[RetrievalReport, ...]
    learning_curve: tuple[LearningPoint, ...]
    notes: tuple[str, ...] = ()
    stitching: StitchingReport | None = None


def candidate_methods(
    method: MethodChoice, fit_pairs: int, source_dim: int, target_dim: int, *, joined: bool = False, trains: bool = False
) -> tuple[MethodName, ...]:
    """What will be fitted: the method asked, or all that the pairs support; the baselines beside either.

    `fit_pairs` are independent draws: of pairs `joined` by an attribute their groups. `auto` takes what is trained where
    `trains`, from `AUTO_TRAINED_PAIRS` on.

    Raises:
        DimensionMismatch: a baseline asked by name for spaces of unequal width.
        TooFewPairs: fewer pairs left for the fit than the method needs; for `auto`, than any learned method needs.
    """
    if method in BASELINES and source_dim != target_dim:
        raise DimensionMismatch(
            f"{method} joins spaces of equal width; these have {source_dim} and {target_dim}: use ridge or procrustes",
            field="method",
            source_dim=source_dim,
            target_dim=target_dim,
        )
    needs = {name: needed_pairs(name, source_dim, target_dim) for name in (*METHODS, *TRAINED)}
    needed = min(need for name, need in needs.items() if name not in BASELINES) if method == "auto" else needs[method]
    if fit_pairs < needed:
        what = ("group of joined pairs is", "groups of joined pairs are") if joined else ("known pair is", "known pairs are")
        left = counted(fit_pairs, *what)
        raise TooFewPairs(
            f"{left} left for the fit; {method} needs at least {needed}: give more pairs, hold out fewer"
            f"{_other_methods(fit_pairs, source_dim, target_dim)}",
            field="pairs",
            fit_pairs=fit_pairs,
            needed=needed,
        )
    closed = tuple(name for name in METHODS if (name in BASELINES or method in ("auto", name)) and fit_pairs >= needs[name])
    return closed + tuple(name for name in TRAINED if method == name or (method == "auto" and trains and fit_pairs >= AUTO_TRAINED_PAIRS))


def check_count(method: MethodChoice, pairs: int, fraction: float, source_dim: int, target_dim: int) -> None:
    """TooFewPairs, with the number to give, where fewer pairs than the method needs are left once `round(fraction * pairs)` are held out.

    Args:
        method: as asked; the least that any learned method needs for `auto`.
        pairs: known ones.
        fraction: held out, in (0, 1); at least one pair is.
        source_dim: width of the source space.
        target_dim: of the target space.
    """
    learned = [name for name in METHODS if name not in BASELINES] if method == "auto" else [method]
    needed = max(min(needed_pairs(name, source_dim, target_dim) for name in learned), 1)
    held_out = max(1, round(fraction * pairs))
    if pairs - held_out >= needed:
        return
    total = max(math.ceil(needed / (1.0 - fraction)), needed + 1)
    left = pairs - held_out
    raise TooFewPairs(
        f"of {counted(pairs, 'known pair', 'known pairs')} {counted(held_out, 'is', 'are')} held out, which leaves {left:,} for the fit; "
        f"{method} needs at least {needed:,}: give {total:,} pairs or more{_other_methods(left, source_dim, target_dim)}",
        field="pairs",
        pairs=pairs,
        needed=total,
    )


def _other_methods(fit_pairs: int, source_dim: int, target_dim: int) -> str:
    """The end of a refusal: which learned methods so many pairs suffice for; empty for none."""
    fewer = [name for name in METHODS if name not in BASELINES and needed_pairs(name, source_dim, target_dim) <= fit_pairs]
    return f", or use a method that needs fewer ({', '.join(fewer)})" if fewer else ""


def fit_and_choose(
    problem: FitProblem,
    method: MethodChoice,
    penalties: Sequence[float],
    engine: NeighbourEngine,
    control: Control,
    plan: TrainingPlan | None = None,
) -> FittedBridge:
    """Fit every candidate, rank the held-out partners among the whole gallery, keep the method asked or the best.

    `auto` keeps the greatest recall@1; equal: the greatest mean reciprocal rank; equal: the simplest. Where that is a map of both sides
    into a space of their own, the best map into the target space is kept instead if it is worse by no more than one standard error of the
    paired difference: its vectors can be stored, composed and exported. The kept map never sees the held-out pairs. Its report is of the
    pairs it was chosen on, so with several close candidates it flatters slightly (by about one standard error at most for these). A
    baseline of unequal widths that leaves a held-out item without direction is left out.

    Args:
        problem: pairs and gallery.
        method: `auto`, or one by name.
        penalties: candidates for ridge, at least one.
        engine: searches neighbourhoods.
        control: cancellation and progress.
        plan: of stitching layers; None where none are trained.

    Raises:
        DimensionMismatch, TooFewPairs, ZeroVector, ConstantFeatures.
        NotServed: a stitching layer where none can be trained.
    """
    trains = plan is not None and can_train(plan.host)
    joined = problem.joined is not None
    names = candidate_methods(method, problem.fitted, problem.x.shape[1], problem.y.shape[1], joined=joined, trains=trains)
    fitted: dict[MethodName, _Candidate] = {}
    measuring = HeldOutRetrieval(problem, engine, control)
    fits = Fits(problem.x, problem.y, penalties, control, problem.folds, plan)
    for done, name in enumerate(names):
        part = control.part(0.9 * done / len(names), 0.9 * (done + 1) / len(names))
        bridge, tuning = fits.fit(name, part.part(0.0, 0.5))
        try:
            fitted[name] = _Candidate(bridge, *measuring.measure(name, bridge, tuning, part))
        except ZeroVector:
            if name == method or name not in BASELINES:
                raise
    best = _best(tuple(fitted.values()), problem) if method == "auto" else fitted[method]
    stitching = None
    if best.report.method in TRAINED and fits.stitching is not None:
        stitching = with_information(fits.stitching, best.map, measuring, control.silent())
    curve = learning_curve(problem, best.report.method, best.report, penalties, measuring, control, plan)
    if plan is not None:
        plan.finish()
    candidates = tuple(candidate.report for candidate in fitted.values())
    notes = left_out_notes([name for name in names if name not in fitted])
    if method == "auto":
        notes += choice_notes(best.report, candidates)
    notes += gallery_notes(problem.gallery, problem.partners[:MAX_HELD_OUT_QUERIES])
    control.progress(1.0)
    return FittedBridge(best.report.method, best.map, best.report, candidates, curve, notes, stitching)


@dataclass(frozen=True)
class _Candidate:
    """A map with its report and the ranks it comes from."""

    map: SpaceMap
    report: RetrievalReport
    ranks: NDArray[np.int64]


def _best(candidates: Sequence[_Candidate], problem: FitProblem) -> _Candidate:
    # max keeps the first of equals, and the simplest comes first.
    best = max(candidates, key=_merit)
    if best.map.leads_into_target:
        return best
    other = max((candidate for candidate in candidates if candidate.map.leads_into_target), key=_merit)
    firsts = (best.ranks == 1).astype(np.float64) - (other.ranks == 1)
    differences = unit_means(firsts, problem.units(len(firsts)))
    error = float(differences.std(ddof=1)) / len(differences) ** 0.5 if len(differences) > 1 else 0.0
    return other if differences.mean() <= error else best


def _merit(candidate: _Candidate) -> tuple[float, float]:
    return candidate.report.recalls[1], candidate.report.mean_reciprocal_rank
