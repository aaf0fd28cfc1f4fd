"""Evaluations of upgrades, of the contract to and from those of the use case."""

from collections.abc import Iterable, Mapping

from consilience.v1 import alignment_pb2, bridge_pb2, upgrade_pb2
from consilience_server.app.upgrade_fit import FittedUpgrade
from consilience_server.app.upgrade_measures import SliceVerdict, StrategyReport
from consilience_server.app.upgrade_query import DEFAULT_THRESHOLDS, REEMBED, SAMPLE, UpgradeQuery
from consilience_server.app.upgrade_report import UpgradeReport
from consilience_server.bridges.reembedding import RegainedPoint
from consilience_server.bridges.upgrade_lists import Strategy
from consilience_server.core.errors import DuplicateId, InvalidArgument, ShapeMismatch, UnknownMethod
from consilience_server.core.estimate import Estimate
from consilience_server.core.upgrade_verdict import CONFIDENCE, Outcome, ShareTest, Verdict
from consilience_server.rpc.convert.bridge import METHODS, write_measured, write_method, write_point, write_retrieval
from consilience_server.rpc.convert.enums import served
from consilience_server.rpc.convert.names import bridge_id, bridge_name, space_query, space_use

_VERDICTS: dict[Verdict, upgrade_pb2.UpgradeVerdict] = {
    "drop_in": upgrade_pb2.UPGRADE_VERDICT_DROP_IN,
    "bridge": upgrade_pb2.UPGRADE_VERDICT_BRIDGE,
    "reembed": upgrade_pb2.UPGRADE_VERDICT_REEMBED,
    "keep": upgrade_pb2.UPGRADE_VERDICT_KEEP,
    "undecided": upgrade_pb2.UPGRADE_VERDICT_UNDECIDED,
}
_STRATEGIES: dict[Strategy, upgrade_pb2.UpgradeStrategy] = {
    "identity": upgrade_pb2.UPGRADE_STRATEGY_IDENTITY,
    "mean_shift": upgrade_pb2.UPGRADE_STRATEGY_MEAN_SHIFT,
    "bridge": upgrade_pb2.UPGRADE_STRATEGY_BRIDGE,
    "keep_old": upgrade_pb2.UPGRADE_STRATEGY_KEEP_OLD,
    "reembed": upgrade_pb2.UPGRADE_STRATEGY_REEMBED,
}
_OUTCOMES: dict[Outcome, upgrade_pb2.UpgradeOutcome] = {
    "passes": upgrade_pb2.UPGRADE_OUTCOME_PASSES,
    "fails": upgrade_pb2.UPGRADE_OUTCOME_FAILS,
    "undecided": upgrade_pb2.UPGRADE_OUTCOME_UNDECIDED,
}


def read_upgrade(request: upgrade_pb2.EvaluateUpgradeRequest) -> UpgradeQuery:
    """What to evaluate, the contract's defaults filled in.

    Raises:
        UnknownMethod, NotServed: the method.
        DuplicateId, ShapeMismatch: judgements that say a thing twice, or grades that are not one an item.
        InvalidArgument: a measure with two thresholds; InvalidName.
    """
    spaces = None
    if request.HasField("query_spaces"):
        spaces = (
            space_query(request.query_spaces.old, "query_spaces.old"),
            space_query(request.query_spaces.new, "query_spaces.new"),
        )
    method = request.method or bridge_pb2.BRIDGE_METHOD_AUTO
    return UpgradeQuery(
        old=space_query(request.old, "old"),
        new=space_query(request.new, "new"),
        query_spaces=spaces,
        query_ids=tuple(request.query_ids),
        sample_queries=request.sample_queries or SAMPLE,
        judgements=_judgements(request.judgements),
        thresholds=_thresholds(request.thresholds),
        bridge=bridge_id(request.bridge, "bridge") if request.bridge else "",
        method=served(bridge_pb2.BridgeMethod, method, METHODS, "method", what="method", unknown=UnknownMethod),
        slice_by=request.slice_by,
        slice_prefix=request.slice_prefix,
        seed=request.seed,
        reembed_limit=request.reembed_limit if request.HasField("reembed_limit") else REEMBED,
    )


def _judgements(told: Iterable[upgrade_pb2.Judgement]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for judgement in told:
        if judgement.query_id in found:
            raise DuplicateId(f"query {judgement.query_id!r} is judged twice; give all its items at once", field="judgements")
        grades = list(judgement.grades) or [1.0] * len(judgement.item_ids)
        if len(grades) != len(judgement.item_ids):
            raise ShapeMismatch(
                f"query {judgement.query_id!r} has {len(judgement.item_ids):,} items and {len(grades):,} grades; give one an item, or none",
                field="judgements",
            )
        found[judgement.query_id] = dict(zip(judgement.item_ids, grades, strict=True))
        if len(found[judgement.query_id]) != len(grades):
            raise DuplicateId(f"an item is judged twice for query {judgement.query_id!r}; give each once", field="judgements")
    return found


def _thresholds(told: Iterable[upgrade_pb2.UpgradeThreshold]) -> dict[str, float]:
    found: dict[str, float] = {}
    for threshold in told:
        if threshold.measure in found:
            raise InvalidArgument(f"{threshold.measure} has two thresholds; give one", field="thresholds")
        found[threshold.measure] = threshold.least
    return found or dict(DEFAULT_THRESHOLDS)


def write_upgrade(report: UpgradeReport) -> upgrade_pb2.UpgradeReport:
    """What was measured, and the verdict."""
    regained = report.reembedding
    return upgrade_pb2.UpgradeReport(
        verdict=_VERDICTS[report.verdict],
        queries_needed=report.queries_needed,
        strategies=[_strategy(strategy) for strategy in report.strategies],
        slices=[_slice(part) for part in report.slices],
        bridge=None if report.bridge is None else _bridge(report.bridge),
        reembed_first=report.reembed_ids,
        missed=[] if regained is None else regained.missed[: len(report.reembed_ids)].tolist(),
        regained=[] if regained is None else [_point(point) for point in regained.curve],
        chosen_on=0 if regained is None else regained.chosen_on,
        measured_on=0 if regained is None else regained.measured_on,
        queries=report.queries,
        gallery=report.gallery,
        old=space_use(report.old),
        new=space_use(report.new),
        old_queries=None if report.old_queries is None else space_use(report.old_queries),
        new_queries=None if report.new_queries is None else space_use(report.new_queries),
        dropped_old=report.dropped_old,
        dropped_new=report.dropped_new,
        clustered_by=report.clustered_by,
        notes=report.notes,
    )


def _strategy(report: StrategyReport) -> upgrade_pb2.StrategyReport:
    return upgrade_pb2.StrategyReport(
        strategy=_STRATEGIES[report.strategy], measured=_measures(report.measured), retained=_measures(report.retained)
    )


def _measures(told: Mapping[str, Estimate]) -> list[upgrade_pb2.MeasuredBy]:
    return [upgrade_pb2.MeasuredBy(measure=name, measured=write_measured(estimate)) for name, estimate in told.items()]


def _slice(part: SliceVerdict) -> upgrade_pb2.SliceVerdict:
    return upgrade_pb2.SliceVerdict(
        value=part.value,
        queries=part.queries,
        verdict=_VERDICTS[part.verdict],
        tests=[_test(strategy, test) for strategy, tests in part.tests.items() for test in tests],
    )


def _test(strategy: Strategy, test: ShareTest) -> upgrade_pb2.UpgradeTest:
    interval = alignment_pb2.Interval(low=test.low, high=test.high, confidence=CONFIDENCE, kind=alignment_pb2.INTERVAL_KIND_QUERIES)
    return upgrade_pb2.UpgradeTest(
        strategy=_STRATEGIES[strategy],
        measure=test.measure,
        threshold=test.threshold,
        retained=bridge_pb2.Measured(value=test.kept, interval=interval),
        outcome=_OUTCOMES[test.outcome],
        queries_needed=test.queries_needed,
    )


def _bridge(fitted: FittedUpgrade) -> upgrade_pb2.UpgradeBridge:
    return upgrade_pb2.UpgradeBridge(
        name=bridge_name(fitted.name),
        method=write_method(fitted.method),
        fit_pairs=fitted.fit_pairs,
        near_copies=fitted.near_copies,
        candidates=[write_retrieval(report) for report in fitted.candidates],
        learning_curve=[write_point(point) for point in fitted.learning_curve],
    )


def _point(point: RegainedPoint) -> upgrade_pb2.RegainedPoint:
    return upgrade_pb2.RegainedPoint(
        items=point.items,
        recall=write_measured(point.recall),
        gain=write_measured(point.gain),
        per_thousand=point.per_thousand,
        at_random=point.at_random,
    )
