"""Fit what was asked and what it must be compared with, measure all on pairs none has seen, keep the best."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.bridges.artefact import BridgeMap, MethodName, RetrievalReport
from consilience_server.bridges.fit import EQUAL_WIDTHS, NEEDED_PAIRS, fit_map
from consilience_server.core.control import Control
from consilience_server.core.errors import DimensionMismatch, TooFewPairs
from consilience_server.core.retrieval import mean_reciprocal_rank, median_rank, partner_ranks, recall_at_k, wilson_interval

MethodChoice = Literal["auto", "identity", "mean_shift", "ridge", "procrustes"]

METHODS: tuple[MethodName, ...] = ("identity", "mean_shift", "procrustes", "ridge")
"""From the simplest on: of equally good methods the first is kept."""

REPORTED_KS = (1, 5, 10)

MAX_HELD_OUT_QUERIES = 4096
"""Held-out pairs that are asked, by hash: recall is then known to .008 (one standard error), whatever the number held out."""


@dataclass(frozen=True)
class FitProblem:
    """Pairs, split, and the gallery that held-out sources are searched in.

    Attributes:
        x: (f, d_x) float32, source rows of the fit in random order.
        y: (f, d_y) float32, their partners.
        queries: (h, d_x) float32, held-out source rows in random order.
        partners: (h,) int64, the gallery row of each held-out partner.
        gallery: (n, d_y) float32, all items of the target space, raw.
        query_ids: (h,) names of the held-out source items, for messages.
        gallery_ids: (n,) names of the gallery's items, for messages.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    queries: NDArray[np.float32]
    partners: NDArray[np.int64]
    gallery: NDArray[np.float32]
    query_ids: NDArray[np.object_]
    gallery_ids: NDArray[np.object_]


@dataclass(frozen=True)
class FittedBridge:
    """The bridge kept, and how all candidates fared on the same held-out pairs."""

    method: MethodName
    map: BridgeMap
    held_out: RetrievalReport
    candidates: tuple[RetrievalReport, ...]


def candidate_methods(method: MethodChoice, fit_pairs: int, source_dim: int, target_dim: int) -> tuple[MethodName, ...]:
    """What will be fitted: the method asked, or all that the pairs support; the baselines always where widths are equal.

    Raises:
        DimensionMismatch: a method for equal widths, asked by name.
        TooFewPairs: fewer pairs left for the fit than the method needs; for `auto`, than any learned method needs.
    """
    equal = source_dim == target_dim
    if method in EQUAL_WIDTHS and not equal:
        raise DimensionMismatch(
            f"{method} joins spaces of equal width; these have {source_dim} and {target_dim}: use ridge or procrustes",
            field="method",
            source_dim=source_dim,
            target_dim=target_dim,
        )
    needed = min(NEEDED_PAIRS["procrustes"], NEEDED_PAIRS["ridge"]) if method == "auto" else NEEDED_PAIRS[method]
    if fit_pairs < needed:
        raise TooFewPairs(
            f"{fit_pairs} known pairs are left for the fit; {method} needs at least {needed}: give more pairs, or hold out fewer",
            field="pairs",
            fit_pairs=fit_pairs,
            needed=needed,
        )
    baselines = tuple(name for name in METHODS if name in EQUAL_WIDTHS and equal and fit_pairs >= NEEDED_PAIRS[name])
    learned = tuple(name for name in METHODS if name not in EQUAL_WIDTHS and method in ("auto", name) and fit_pairs >= NEEDED_PAIRS[name])
    return baselines + learned


def fit_and_choose(problem: FitProblem, method: MethodChoice, penalties: Sequence[float], control: Control) -> FittedBridge:
    """Fit every candidate, rank the held-out partners among the whole gallery, keep the method asked or the best.

    `auto` keeps the greatest recall@1; equal: the greatest mean reciprocal rank; equal: the simplest. The kept map never sees the held-out
    pairs. Its report is of the pairs it was chosen on, so with several close candidates it flatters slightly (by less than one standard
    error for four candidates).

    Args:
        problem: pairs and gallery.
        method: `auto`, or one by name.
        penalties: candidates for ridge, at least one.
        control: cancellation and progress.

    Raises:
        DimensionMismatch, TooFewPairs, ZeroVector.
    """
    names = candidate_methods(method, len(problem.x), problem.x.shape[1], problem.y.shape[1])
    fitted: dict[MethodName, tuple[BridgeMap, RetrievalReport]] = {}
    galleries: dict[bytes, NDArray[np.float32]] = {}
    for done, name in enumerate(names):
        part = control.part(done / len(names), (done + 1) / len(names))
        bridge, penalty = fit_map(name, problem.x, problem.y, penalties, part)
        fitted[name] = (bridge, _measure(name, bridge, penalty, problem, galleries, part))
    candidates = tuple(report for _, report in fitted.values())
    # max keeps the first of equals, and the simplest comes first.
    greatest = max(candidates, key=lambda report: (report.recalls[1], report.mean_reciprocal_rank)).method
    best = greatest if method == "auto" else method
    return FittedBridge(best, *fitted[best], candidates)


def _measure(
    method: MethodName,
    bridge: BridgeMap,
    penalty: float,
    problem: FitProblem,
    galleries: dict[bytes, NDArray[np.float32]],
    control: Control,
) -> RetrievalReport:
    """Held-out retrieval of one map; `galleries` shares the centred copies between maps of the same target mean."""
    ready = make_ready(bridge)
    mean = bridge.target_mean.tobytes()
    if mean not in galleries:
        galleries[mean] = centre_gallery(ready, problem.gallery, control.part(0.5, 0.8), problem.gallery_ids)
    asked = slice(0, MAX_HELD_OUT_QUERIES)
    mapped = map_vectors(ready, problem.queries[asked], control.part(0.8, 1.0), problem.query_ids[asked])
    ranks = partner_ranks(mapped, galleries[mean], problem.partners[asked], control.check)
    return RetrievalReport(
        method=method,
        recalls={k: recall_at_k(ranks, k) for k in REPORTED_KS},
        intervals={k: wilson_interval(int((ranks <= k).sum()), len(ranks)) for k in REPORTED_KS},
        mean_reciprocal_rank=mean_reciprocal_rank(ranks),
        median_rank=median_rank(ranks),
        queries=len(ranks),
        gallery=len(problem.gallery),
        penalty=penalty,
    )
