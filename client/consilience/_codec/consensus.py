"""Consensus: answers as a result."""

from collections.abc import Iterable

import numpy as np

from consilience import _names
from consilience._codec.alignment import decode_report
from consilience._codec.measurement import decode_measurement
from consilience._codec.spaces import decode_space, decode_space_use
from consilience._convert import from_matrix
from consilience._results.base import NO_DETAILS, CallDetails
from consilience._results.consensus_report import ConsensusReport, ItemAgreement
from consilience.v1 import alignment_pb2


def decode_consensus(message: alignment_pb2.ConsensusResponse, details: CallDetails = NO_DETAILS) -> ConsensusReport:
    """A ConsensusReport."""
    told = message.report
    versions = tuple(decode_space_use(use) for use in told.spaces)
    return ConsensusReport(
        method=_names.CONSENSUS_METHODS.to_name(told.method),
        spaces=tuple(use.name for use in versions),
        versions=versions,
        weights=tuple(told.weights),
        n=told.n,
        dim=told.dim,
        kept=told.kept,
        exact=told.exact,
        ratio=told.ratio,
        iterations=told.iterations,
        converged=told.converged,
        leave_one_out=tuple(decode_report(report) for report in told.leave_one_out),
        k=told.k,
        ids=list(told.ids),
        agreement=from_matrix(told.agreement)[:, 0] if told.HasField("agreement") else np.empty(0),
        mean_agreement=told.mean_agreement,
        chance=told.chance,
        most=_items(told.most),
        least=_items(told.least),
        space=decode_space(message.space) if message.HasField("space") else None,
        preprocess=_names.PREPROCESS.to_name(told.preprocess),
        engine=told.engine,
        warnings=tuple(told.warnings),
        rank=told.rank,
        kernel_rules=tuple(told.kernel_rules),
        measurement=decode_measurement(told),
        details=details,
    )


def _items(told: Iterable[alignment_pb2.ItemAgreement]) -> tuple[ItemAgreement, ...]:
    return tuple(ItemAgreement(each.id, each.agreement) for each in told)
