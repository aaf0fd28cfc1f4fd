"""Upgrades: what a caller asks, and reports from messages."""

from collections.abc import Iterable, Mapping
from typing import Any

from consilience import _names
from consilience._codec.alignment import decode_interval
from consilience._codec.bridges import decode_learning_point, decode_retrieval
from consilience._codec.spaces import decode_space_use
from consilience._convert import to_ids
from consilience._numbers import real
from consilience._results.base import NO_DETAILS, CallDetails
from consilience._results.measured import Measured
from consilience._results.upgrade_report import RegainedPoint, SliceVerdict, UpgradeBridge, UpgradeReport, UpgradeStrategy, UpgradeTest
from consilience.errors import InvalidArgumentError
from consilience.v1 import bridge_pb2, upgrade_pb2


def encode_qrels(qrels: Any) -> list[upgrade_pb2.Judgement]:
    """Judgements: query id to a list of relevant ids, or to a mapping of ids to grades; None is none.

    Raises:
        InvalidArgumentError: anything else.
    """
    if qrels is None:
        return []
    if not isinstance(qrels, Mapping) or not qrels:
        raise InvalidArgumentError(
            "qrels is no mapping, or empty; give {query id: [relevant ids]} or {query id: {id: grade}}", field="judgements"
        )
    return [_judgement(_names.text(query, "qrels"), relevant) for query, relevant in qrels.items()]


def _judgement(query: str, relevant: Any) -> upgrade_pb2.Judgement:
    if isinstance(relevant, Mapping):
        grades = [real(grade, f"qrels[{query!r}]") for grade in relevant.values()]
        return upgrade_pb2.Judgement(query_id=query, item_ids=to_ids(list(relevant), f"qrels[{query!r}]"), grades=grades)
    listed = sorted(relevant) if isinstance(relevant, set | frozenset) else relevant
    return upgrade_pb2.Judgement(query_id=query, item_ids=to_ids(listed, f"qrels[{query!r}]"))


def encode_thresholds(thresholds: Any) -> list[upgrade_pb2.UpgradeThreshold]:
    """`{"recall@10": .9}`; InvalidArgumentError for anything but a mapping of measures to numbers."""
    if not isinstance(thresholds, Mapping) or not thresholds:
        raise InvalidArgumentError(
            f"thresholds is {thresholds!r}; give measures with numbers, such as {{'recall@10': .9}}", field="thresholds"
        )
    return [
        upgrade_pb2.UpgradeThreshold(measure=_names.text(measure, "thresholds"), least=real(least, f"thresholds[{measure!r}]"))
        for measure, least in thresholds.items()
    ]


def encode_query_spaces(query_spaces: Any) -> upgrade_pb2.QuerySpaces | None:
    """Queries under the old and the new encoder; None where items ask for each other."""
    if query_spaces is None:
        return None
    if not isinstance(query_spaces, tuple | list) or len(query_spaces) != 2:
        raise InvalidArgumentError(
            f"query_spaces is {query_spaces!r}; give two spaces: the queries under the old encoder, and under the new", field="query_spaces"
        )
    old, new = (_names.space_ref(space, f"query_spaces.{side}") for space, side in zip(query_spaces, ("old", "new"), strict=True))
    return upgrade_pb2.QuerySpaces(old=old, new=new)


def decode_upgrade(message: upgrade_pb2.UpgradeReport, details: CallDetails = NO_DETAILS) -> UpgradeReport:
    """An UpgradeReport."""
    return UpgradeReport(
        verdict=_names.UPGRADE_VERDICTS.to_name(message.verdict),
        queries_needed=_needed(message),
        strategies={each.strategy: each for each in map(_strategy, message.strategies)},
        slices={part.value: part for part in map(_slice, message.slices)},
        bridge=_bridge(message.bridge) if message.HasField("bridge") else None,
        reembed_first=tuple(message.reembed_first),
        missed=tuple(message.missed),
        regained=tuple(_point(point) for point in message.regained),
        chosen_on=message.chosen_on,
        measured_on=message.measured_on,
        queries=message.queries,
        gallery=message.gallery,
        old=decode_space_use(message.old),
        new=decode_space_use(message.new),
        old_queries=decode_space_use(message.old_queries) if message.HasField("old_queries") else None,
        new_queries=decode_space_use(message.new_queries) if message.HasField("new_queries") else None,
        dropped_old=message.dropped_old,
        dropped_new=message.dropped_new,
        clustered_by=message.clustered_by,
        notes=tuple(message.notes),
        details=details,
    )


def _needed(message: upgrade_pb2.UpgradeReport | upgrade_pb2.UpgradeTest) -> int | None:
    return message.queries_needed if message.HasField("queries_needed") else None


def _strategy(message: upgrade_pb2.StrategyReport) -> UpgradeStrategy:
    return UpgradeStrategy(_names.UPGRADE_STRATEGIES.to_name(message.strategy), _measures(message.measured), _measures(message.retained))


def _measures(entries: Iterable[upgrade_pb2.MeasuredBy]) -> dict[str, Measured]:
    return {entry.measure: _measured(entry.measured) for entry in entries}


def _slice(message: upgrade_pb2.SliceVerdict) -> SliceVerdict:
    verdict = _names.UPGRADE_VERDICTS.to_name(message.verdict)
    return SliceVerdict(message.value, message.queries, verdict, tuple(_test(test) for test in message.tests))


def _test(message: upgrade_pb2.UpgradeTest) -> UpgradeTest:
    return UpgradeTest(
        strategy=_names.UPGRADE_STRATEGIES.to_name(message.strategy),
        measure=message.measure,
        threshold=message.threshold,
        retained=_measured(message.retained),
        outcome=_names.UPGRADE_OUTCOMES.to_name(message.outcome),
        queries_needed=_needed(message),
    )


def _bridge(message: upgrade_pb2.UpgradeBridge) -> UpgradeBridge:
    return UpgradeBridge(
        name=_names.bare(message.name),
        method=_names.BRIDGE_METHODS.to_name(message.method),
        fit_pairs=message.fit_pairs,
        near_copies=message.near_copies,
        candidates=tuple(decode_retrieval(report) for report in message.candidates),
        learning_curve=tuple(decode_learning_point(point) for point in message.learning_curve),
    )


def _point(message: upgrade_pb2.RegainedPoint) -> RegainedPoint:
    return RegainedPoint(message.items, _measured(message.recall), _measured(message.gain), message.per_thousand, message.at_random)


def _measured(message: bridge_pb2.Measured) -> Measured:
    return Measured(message.value, decode_interval(message.interval) if message.HasField("interval") else None)
