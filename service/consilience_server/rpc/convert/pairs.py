"""Mutual pairs of the contract to and from those of the use cases."""

from consilience.v1 import alignment_pb2, match_pb2
from consilience_server.app.pairs_query import KnownPartners, MutualPairsQuery
from consilience_server.app.reports import PairBlock, PairsSummary
from consilience_server.core.errors import UnknownMethod
from consilience_server.core.pair_agreement import CONFIDENCE, PairAgreement, Proportion
from consilience_server.core.pair_modes import PairMode
from consilience_server.rpc.convert.enums import served
from consilience_server.rpc.convert.match import CORRECTION_VALUES, read_correction
from consilience_server.rpc.convert.matrix import write_matrix
from consilience_server.rpc.convert.names import bridge_id, bridge_name, space_query, space_use

PAIR_MODES: dict[match_pb2.PairMode, PairMode] = {
    match_pb2.PAIR_MODE_UNSPECIFIED: "intersect",
    match_pb2.PAIR_MODE_FORWARD: "forward",
    match_pb2.PAIR_MODE_BACKWARD: "backward",
    match_pb2.PAIR_MODE_INTERSECT: "intersect",
    match_pb2.PAIR_MODE_MAX: "max",
}
_MODE_VALUES = {name: value for value, name in PAIR_MODES.items()}


def read_mutual_pairs(request: match_pb2.MutualPairsRequest) -> MutualPairsQuery:
    """What to pair, the contract's defaults filled in.

    Raises:
        UnknownMethod, NotServed: the mode, the correction.
        InvalidName: a space or the bridge.
    """
    return MutualPairsQuery(
        source=space_query(request.source, "source"),
        target=space_query(request.target, "target"),
        bridge=bridge_id(request.bridge, "bridge") if request.bridge else "",
        correction=read_correction(request.correction),
        correction_k=request.correction_k,
        limit=request.limit,
        mode=served(match_pb2.PairMode, request.mode, PAIR_MODES, "mode", what="mode", unknown=UnknownMethod),
        threshold=request.threshold if request.HasField("threshold") else None,
        known=_read_known(request.known) if request.HasField("known") else None,
        resume_token=request.resume_token,
    )


def _read_known(message: match_pb2.KnownPartners) -> KnownPartners:
    return KnownPartners(tuple(message.item_ids), tuple(message.target_ids), message.attribute)


def write_found_pairs(summary: PairsSummary, resume_token: str) -> match_pb2.MutualPairsResponse:
    """The answer of an operation: the totals, and the token that tells the pairs."""
    return match_pb2.MutualPairsResponse(summary=_write_summary(summary), resume_token=resume_token)


def write_pair_block(block: PairBlock) -> match_pb2.MutualPairsResponse:
    """Consecutive pairs."""
    return match_pb2.MutualPairsResponse(
        source_ids=block.source_ids,
        target_ids=block.target_ids,
        scores=write_matrix(block.scores),
        similarities=write_matrix(block.similarities),
        first=block.first,
        resume_token=block.resume_token,
        summary=None if block.summary is None else _write_summary(block.summary),
    )


def _write_summary(summary: PairsSummary) -> match_pb2.MutualPairsSummary:
    return match_pb2.MutualPairsSummary(
        pairs=summary.pairs,
        source_items=summary.source_items,
        target_items=summary.target_items,
        source=space_use(summary.source),
        target=space_use(summary.target),
        bridge=bridge_name(summary.bridge),
        bridge_uid=summary.bridge_uid,
        correction=CORRECTION_VALUES[summary.correction],
        correction_k=summary.correction_k,
        mode=_MODE_VALUES[summary.mode],
        threshold=summary.threshold,
        engine=summary.engine,
        agreement=None if summary.agreement is None else _write_agreement(summary.agreement),
    )


def _write_agreement(agreement: PairAgreement) -> match_pb2.PairAgreement:
    precision, recall = agreement.precision, agreement.recall
    return match_pb2.PairAgreement(
        known_sources=agreement.known_sources,
        judged=0 if precision is None else precision.trials,
        right=0 if precision is None else precision.successes,
        found=recall.successes,
        precision=None if precision is None else precision.value,
        precision_interval=_write_interval(precision),
        recall=recall.value,
        recall_interval=_write_interval(recall),
        best_threshold=agreement.best_threshold,
        best_f1=agreement.best_f1,
        fitted=agreement.fitted,
    )


def _write_interval(told: Proportion | None) -> alignment_pb2.Interval | None:
    if told is None:
        return None
    return alignment_pb2.Interval(low=told.low, high=told.high, confidence=CONFIDENCE, kind=alignment_pb2.INTERVAL_KIND_QUERIES)
