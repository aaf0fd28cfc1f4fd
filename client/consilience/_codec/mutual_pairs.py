"""Mutual pairs: requests and answers."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from consilience import _names
from consilience._codec.spaces import decode_space_use
from consilience._convert import from_matrix, to_ids
from consilience._numbers import real, whole
from consilience._results.alignment_at_k import Interval
from consilience._results.base import NO_DETAILS, CallDetails
from consilience._results.mutual_pairs import MutualPairs, PairAgreement, PairsSummary
from consilience.errors import InvalidArgumentError, ServerError
from consilience.v1 import match_pb2


def pairs_request(
    source: Any,
    target: Any,
    *,
    bridge: Any,
    mode: str,
    correction: str,
    correction_k: Any,
    threshold: Any,
    limit: Any,
    known_pair_ids: Any,
    known_target_ids: Any,
    known_attribute: str | None,
    wait: bool = True,
) -> match_pb2.MutualPairsRequest:
    """A request as the contract has it; InvalidArgumentError."""
    request = match_pb2.MutualPairsRequest(
        source=_names.space_ref(source, "source"),
        target=_names.space_ref(target, "target"),
        bridge="" if bridge is None else _names.bridge_name(bridge),
        correction=_names.CORRECTIONS.to_number(correction),
        correction_k=0 if correction_k is None else whole(correction_k, "correction_k", least=1, reason="INVALID_K"),
        limit=whole(limit, "limit"),
        mode=_names.PAIR_MODES.to_number(mode),
        execution=_names.execution_mode(wait=wait),
    )
    if threshold is not None:
        request.threshold = real(threshold, "threshold")
    if known_target_ids is not None and known_pair_ids is None:
        raise InvalidArgumentError("known_target_ids need the known_pair_ids that they are partners of", field="known_pair_ids")
    if known_pair_ids is not None and known_attribute is not None:
        raise InvalidArgumentError("give either known_pair_ids or known_attribute", field="known_attribute")
    if known_pair_ids is not None:
        targets = [] if known_target_ids is None else to_ids(known_target_ids, "known_target_ids")
        ids = to_ids(known_pair_ids, "known_pair_ids")
        if not ids:
            raise InvalidArgumentError("known_pair_ids is empty; name pairs, or leave it out", field="known_pair_ids")
        request.known.CopyFrom(match_pb2.KnownPartners(item_ids=ids, target_ids=targets))
    elif known_attribute is not None:
        request.known.attribute = _names.text(known_attribute, "known_attribute")
    return request


def decode_summary(message: match_pb2.MutualPairsResponse, details: CallDetails = NO_DETAILS) -> PairsSummary:
    """A PairsSummary with the message's resume token."""
    summary = message.summary
    return PairsSummary(
        pairs=summary.pairs,
        source_items=summary.source_items,
        target_items=summary.target_items,
        source=decode_space_use(summary.source),
        target=decode_space_use(summary.target),
        bridge=_names.bare(summary.bridge),
        bridge_uid=summary.bridge_uid,
        correction=_names.CORRECTIONS.to_name(summary.correction),
        correction_k=summary.correction_k,
        mode=_names.PAIR_MODES.to_name(summary.mode or match_pb2.PAIR_MODE_INTERSECT),
        threshold=summary.threshold if summary.HasField("threshold") else None,
        agreement=_decode_agreement(summary.agreement) if summary.HasField("agreement") else None,
        engine=summary.engine,
        resume_token=message.resume_token,
        details=details,
    )


def decode_pairs(message: match_pb2.MutualPairsResponse, summary: PairsSummary, details: CallDetails = NO_DETAILS) -> MutualPairs:
    """The pairs of one block."""
    shared = {item.name: getattr(summary, item.name) for item in fields(PairsSummary) if item.name not in _OWN}
    return MutualPairs(
        source_ids=list(message.source_ids),
        target_ids=list(message.target_ids),
        scores=from_matrix(message.scores).ravel() if message.source_ids else np.empty(0),
        similarities=from_matrix(message.similarities).ravel() if message.HasField("similarities") else np.empty(0),
        details=details,
        **shared,
    )


_OWN = {"pairs", "resume_token", "details"}


def join_pairs(parts: Sequence[MutualPairs], summary: PairsSummary | None, details: CallDetails = NO_DETAILS) -> MutualPairs:
    """All blocks of an answer as one.

    Raises:
        ServerError: the stream brought no summary, or fewer pairs than it told.
    """
    count = sum(len(part) for part in parts)
    if summary is None or count != summary.pairs:
        told = "no summary" if summary is None else f"{summary.pairs:,} pairs"
        raise ServerError(f"the stream of pairs told {told} and brought {count:,} pairs", reason="INTERNAL")
    shared = {item.name: getattr(summary, item.name) for item in fields(PairsSummary) if item.name not in _OWN}
    return MutualPairs(
        source_ids=[item for part in parts for item in part.source_ids],
        target_ids=[item for part in parts for item in part.target_ids],
        scores=np.concatenate([part.scores for part in parts]) if parts else np.empty(0),
        similarities=np.concatenate([part.similarities for part in parts]) if parts else np.empty(0),
        details=details,
        **shared,
    )


def _decode_agreement(message: match_pb2.PairAgreement) -> PairAgreement:
    def interval(told: Any) -> Interval:
        return Interval(told.low, told.high)

    return PairAgreement(
        known_sources=message.known_sources,
        judged=message.judged,
        right=message.right,
        found=message.found,
        precision=message.precision if message.HasField("precision") else None,
        precision_interval=interval(message.precision_interval) if message.HasField("precision") else None,
        recall=message.recall,
        recall_interval=interval(message.recall_interval),
        best_threshold=message.best_threshold if message.HasField("best_threshold") else None,
        best_f1=message.best_f1 if message.HasField("best_f1") else None,
        fitted=message.fitted,
    )
