"""What each way of an upgrade keeps, by measure and slice, and the verdict that follows. Arrays in, a report out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.upgrade_query import DEPTH, RECALLS
from consilience_server.bridges.upgrade_lists import Strategy
from consilience_server.core.estimate import Estimate
from consilience_server.core.relevance import Relevance, ndcgs_at, recalls_at, reciprocal_ranks_at
from consilience_server.core.retention import kept_share
from consilience_server.core.slices import Slices
from consilience_server.core.upgrade_verdict import CONFIDENCE, Outcome, ShareTest, Verdict, all_of, decide, judge_share

Values = Mapping[str, NDArray[np.float64]]
"""By measure, (m,) float64 in [0, 1]: one a query."""

DECIDING: tuple[Strategy, ...] = ("identity", "bridge")
"""Strategies that a verdict may rest on; the others stand beside them."""

ALL = ""
"""Names the slice of all queries."""


@dataclass(frozen=True)
class StrategyReport:
    """One way to make the change.

    Attributes:
        strategy: which.
        measured: by measure, its mean over queries; recall@1/5/10, mrr@10, and ndcg@10 where there are judgements.
        retained: by measure, its ratio to full re-embedding, paired; absent where that finds nothing.
    """

    strategy: Strategy
    measured: Mapping[str, Estimate]
    retained: Mapping[str, Estimate]


@dataclass(frozen=True)
class SliceVerdict:
    """The verdict on some of the queries.

    Attributes:
        value: of the slice; empty for all queries.
        queries: in it.
        verdict: by its own tests.
        tests: of each deciding strategy.
    """

    value: str
    queries: int
    verdict: Verdict
    tests: Mapping[Strategy, Sequence[ShareTest]]


def measure(lists: NDArray[np.integer], reembedded: NDArray[np.integer], judged: Relevance | None) -> dict[str, NDArray[np.float64]]:
    """Every measure of one strategy's lists.

    Args:
        lists: (m, 10) what it finds.
        reembedded: (m, 10) what full re-embedding finds: without judgements its first k are what recall@k looks for, and its first is
            what the reciprocal rank looks for.
        judged: relevant items of each query, or None.
    """
    values = {}
    for name, k in RECALLS.items():
        relevance = Relevance.of_lists(reembedded[:, :k]) if judged is None else judged
        values[name] = recalls_at(relevance.gains(lists), relevance.sizes, k)
    relevance = Relevance.of_lists(reembedded[:, :1]) if judged is None else judged
    values["mrr@10"] = reciprocal_ranks_at(relevance.gains(lists), DEPTH)
    if judged is not None:
        values["ndcg@10"] = ndcgs_at(judged.gains(lists), judged, DEPTH)
    return values


def report_strategy(strategy: Strategy, values: Values, whole: Values, clusters: NDArray[np.int64] | None) -> StrategyReport:
    """Means and retained shares, with 95% intervals over queries (`core/retention.py`)."""
    measured, retained = {}, {}
    for name, each in values.items():
        measured[name] = _estimate(each, np.ones(len(each)), clusters)
        if whole[name].any():
            retained[name] = _estimate(each, whole[name], clusters)
    return StrategyReport(strategy, measured, retained)


def judge(
    values: Mapping[Strategy, Values],
    thresholds: Mapping[str, float],
    slices: Slices | None,
    clusters: NDArray[np.int64] | None,
    *,
    enough_pairs: bool,
    judged: bool,
) -> tuple[Verdict, tuple[SliceVerdict, ...]]:
    """The verdict, and one for all queries and each slice.

    A strategy passes where it does for all queries and in every slice, and fails where it fails in one; the tests of a failure are as many
    as there are thresholds and slices.
    """
    m = len(values["reembed"]["recall@10"])
    members = [(ALL, np.arange(m))]
    if slices is not None:
        members += [(value, np.flatnonzero(slices.of == at)) for at, value in enumerate(slices.values)]
    count = len(members) * len(thresholds)
    found = []
    for value, rows in members:
        of = None if clusters is None else np.unique(clusters[rows], return_inverse=True)[1].astype(np.int64)
        tests: dict[Strategy, Sequence[ShareTest]] = {}
        for strategy in DECIDING:
            if strategy in values:
                shares = {name: kept_share(values[strategy][name][rows], values["reembed"][name][rows], of) for name in thresholds}
                tests[strategy] = [judge_share(name, least, shares[name], len(rows), count) for name, least in thresholds.items()]
        by_strategy = {strategy: all_of(told) for strategy, told in tests.items()}
        found.append(SliceVerdict(value, len(rows), decide(by_strategy, enough_pairs=enough_pairs), tests))
    outcomes = _together(found)
    worse = judged and _new_is_worse(values, thresholds, clusters)
    return decide(outcomes, enough_pairs=enough_pairs, new_is_worse=worse), tuple(found)


def queries_needed(verdict: Verdict, slices: Sequence[SliceVerdict]) -> int | None:
    """Queries in all that would decide, if shares stay as they are: the most that any undecided slice asks, by its part of the queries.

    0 where it is decided; None where no number would, or where pairs are wanting rather than queries.
    """
    if verdict != "undecided":
        return 0
    whole = slices[0].queries
    most = 0
    for part in slices:
        undecided = [test for test in part.tests.get("bridge", part.tests.get("identity", ())) if test.outcome == "undecided"]
        for test in undecided:
            if test.queries_needed is None:
                return None
            most = max(most, round(test.queries_needed * whole / max(part.queries, 1)))
    return most or None


def _together(slices: Sequence[SliceVerdict]) -> dict[Strategy, Outcome]:
    return {
        strategy: all_of([test for part in slices for test in part.tests[strategy]]) for strategy in DECIDING if strategy in slices[0].tests
    }


def _new_is_worse(values: Mapping[Strategy, Values], thresholds: Mapping[str, float], clusters: NDArray[np.int64] | None) -> bool:
    """Whether full re-embedding finds less than the old encoder did, by every measure of the decision."""
    shares = [kept_share(values["reembed"][name], values["keep_old"][name], clusters) for name in thresholds]
    return all(share.limits(CONFIDENCE)[1] < 1.0 for share in shares)


def _estimate(kept: NDArray[np.float64], whole: NDArray[np.float64], clusters: NDArray[np.int64] | None) -> Estimate:
    share = kept_share(kept, whole, clusters)
    return Estimate(share.value, *share.limits(CONFIDENCE))
