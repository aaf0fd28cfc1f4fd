"""Matches: answers as results."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from consilience import _names
from consilience._codec.alignment import decode_certificate
from consilience._codec.spaces import decode_space_use
from consilience._convert import from_matrix
from consilience._results.base import NO_DETAILS, CallDetails
from consilience._results.certificate import Certificate
from consilience._results.match_result import IndexRecall, MatchCalibration, MatchResult
from consilience.v1 import match_pb2


def decode_match(message: match_pb2.MatchReport, details: CallDetails = NO_DETAILS) -> MatchResult:
    """A MatchResult."""
    ids = np.empty(len(message.ids), dtype=object)
    ids[:] = list(message.ids)
    return MatchResult(
        ids=ids.reshape(message.queries, message.k),
        similarities=from_matrix(message.similarities),
        scores=from_matrix(message.scores),
        correction=_names.CORRECTIONS.to_name(message.correction),
        gallery=decode_space_use(message.gallery),
        bridge=_names.bare(message.bridge),
        bridge_uid=message.bridge_uid,
        certificate=decode_certificate(message, "certificate"),
        engine=message.engine,
        measured_recall=message.measured_recall if message.HasField("measured_recall") else None,
        source=decode_space_use(message.source) if message.HasField("source") else None,
        index=_names.INDEXES.to_name(message.index or match_pb2.INDEX_KIND_EXACT),
        index_parameters={field.name: value for field, value in message.index_parameters.ListFields()},
        recall=_decode_recall(message.recall) if message.HasField("recall") else None,
        gallery_items=message.gallery_items,
        correction_k=message.correction_k,
        beta=message.beta,
        probability=from_matrix(message.probabilities) if message.HasField("probabilities") else None,
        calibration=_decode_calibration(message.calibration) if message.HasField("calibration") else None,
        warnings=tuple(message.warnings),
        one_to_one=message.one_to_one,
        details=details,
    )


def _decode_recall(message: match_pb2.IndexRecall) -> IndexRecall:
    return IndexRecall(message.value, message.low, message.high, message.confidence, message.k, message.probe_queries)


def _decode_calibration(message: match_pb2.MatchCalibration) -> MatchCalibration:
    return MatchCalibration(message.pairs, message.accuracy, message.error)


def join_matches(parts: Sequence[MatchResult]) -> MatchResult:
    """One result from those of consecutive queries; the details are the last part's."""
    if len(parts) == 1:
        return parts[0]
    return replace(
        parts[-1],
        ids=np.concatenate([part.ids for part in parts]),
        similarities=np.concatenate([part.similarities for part in parts]),
        scores=np.concatenate([part.scores for part in parts]),
        probability=_joined_probability([part.probability for part in parts]),
        certificate=_joined([part.certificate for part in parts if part.certificate is not None]),
    )


def _joined_probability(parts: Sequence[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
    found = [part for part in parts if part is not None]
    return np.concatenate(found) if len(found) == len(parts) else None


def _joined(certificates: Sequence[Certificate]) -> Certificate | None:
    if not certificates:
        return None
    return replace(
        certificates[-1],
        error_bound=max(told.error_bound for told in certificates),
        certified_rows=sum(told.certified_rows for told in certificates),
        refined_rows=sum(told.refined_rows for told in certificates),
        exact_dots=sum(told.exact_dots for told in certificates),
    )
