"""Evaluations of bridges, from messages."""

from consilience._codec.alignment import decode_interval
from consilience._codec.bridges import decode_retrieval
from consilience._codec.spaces import decode_space_use
from consilience._results.base import NO_DETAILS, CallDetails
from consilience._results.bridge_evaluation import BridgeEvaluation, StitchingPenalty
from consilience._results.measured import Measured
from consilience.v1 import bridge_pb2


def decode_evaluation(message: bridge_pb2.EvaluateBridgeResponse, details: CallDetails = NO_DETAILS) -> BridgeEvaluation:
    """A BridgeEvaluation."""
    return BridgeEvaluation(
        report=decode_retrieval(message.report),
        baselines=tuple(decode_retrieval(report) for report in message.baselines),
        source=decode_space_use(message.source),
        target=decode_space_use(message.target),
        fitted_pairs=message.fitted_pairs,
        stitching=_stitching(message.stitching) if message.HasField("stitching") else None,
        notes=tuple(message.notes),
        details=details,
    )


def _stitching(message: bridge_pb2.StitchingPenalty) -> StitchingPenalty:
    return StitchingPenalty(
        native=_measured(message.native),
        bridged=_measured(message.bridged),
        mean_only=_measured(message.mean_only),
        penalty=_measured(message.penalty),
        classes=message.classes,
        items=message.items,
        own_head=message.own_head,
    )


def _measured(message: bridge_pb2.Measured) -> Measured:
    return Measured(message.value, decode_interval(message.interval))
