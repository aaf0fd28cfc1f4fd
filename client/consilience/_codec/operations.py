"""Operations: answers as results, and the answer inside one that is done."""

from collections.abc import Callable
from typing import Any

from consilience._codec.alignment import decode_matrix, decode_report
from consilience._codec.bridge_evaluation import decode_evaluation
from consilience._codec.bridges import decode_bridge
from consilience._codec.classification import decode_classification
from consilience._codec.comparisons import decode_comparison
from consilience._codec.consensus import decode_consensus
from consilience._codec.gallery_curve import decode_gallery_curve
from consilience._codec.matches import decode_match
from consilience._codec.mutual_pairs import decode_summary
from consilience._codec.noise_ceiling import decode_ceiling
from consilience._codec.pmi import decode_pmi
from consilience._codec.times import to_datetime
from consilience._codec.trend import decode_trend
from consilience._codec.upgrade import decode_upgrade
from consilience._codec.watches import decode_watch
from consilience._results.base import NO_DETAILS, CallDetails, Result
from consilience._results.operation import Operation
from consilience._status import error_of_status
from consilience.errors import ServerError
from consilience.v1 import (
    alignment_pb2,
    bridge_algebra_pb2,
    bridge_pb2,
    classify_pb2,
    comparison_pb2,
    match_pb2,
    noise_ceiling_pb2,
    operation_pb2,
    pmi_pb2,
    upgrade_pb2,
    watch_pb2,
)

_ANSWERS: dict[str, tuple[Any, str, Callable[[Any, CallDetails], Result]]] = {
    "consilience.v1.AlignResponse": (alignment_pb2.AlignResponse, "report", decode_report),
    "consilience.v1.AlignMatrixResponse": (alignment_pb2.AlignMatrixResponse, "matrix", decode_matrix),
    "consilience.v1.ClassifyResponse": (classify_pb2.ClassifyResponse, "classification", decode_classification),
    "consilience.v1.CompareAlignmentsResponse": (comparison_pb2.CompareAlignmentsResponse, "comparison", decode_comparison),
    "consilience.v1.TrendResponse": (alignment_pb2.TrendResponse, "", decode_trend),
    "consilience.v1.ConsensusResponse": (alignment_pb2.ConsensusResponse, "", decode_consensus),
    "consilience.v1.GalleryCurveResponse": (alignment_pb2.GalleryCurveResponse, "", decode_gallery_curve),
    "consilience.v1.MeasureNoiseCeilingResponse": (noise_ceiling_pb2.MeasureNoiseCeilingResponse, "report", decode_ceiling),
    "consilience.v1.CreatePmiSpaceResponse": (pmi_pb2.CreatePmiSpaceResponse, "report", decode_pmi),
    "consilience.v1.FitBridgeResponse": (bridge_pb2.FitBridgeResponse, "bridge", decode_bridge),
    "consilience.v1.EvaluateBridgeResponse": (bridge_pb2.EvaluateBridgeResponse, "", decode_evaluation),
    "consilience.v1.EvaluateUpgradeResponse": (upgrade_pb2.EvaluateUpgradeResponse, "report", decode_upgrade),
    "consilience.v1.ComposeBridgesResponse": (bridge_algebra_pb2.ComposeBridgesResponse, "bridge", decode_bridge),
    "consilience.v1.InvertBridgeResponse": (bridge_algebra_pb2.InvertBridgeResponse, "bridge", decode_bridge),
    "consilience.v1.MatchResponse": (match_pb2.MatchResponse, "report", decode_match),
    "consilience.v1.MutualPairsResponse": (match_pb2.MutualPairsResponse, "", decode_summary),
    "consilience.v1.CreateWatchResponse": (watch_pb2.CreateWatchResponse, "watch", decode_watch),
    "consilience.v1.RunWatchResponse": (watch_pb2.RunWatchResponse, "watch", decode_watch),
    "consilience.v1.RebaselineWatchResponse": (watch_pb2.RebaselineWatchResponse, "watch", decode_watch),
}
"""By the type's name in the Any: the message, its field (empty: the whole message), and how that becomes a result."""


def decode_operation(message: Any, details: CallDetails = NO_DETAILS) -> Operation:
    """An Operation; its metadata is an OperationMetadata."""
    told = operation_pb2.OperationMetadata()
    message.metadata.Unpack(told)
    failed = message.done and message.HasField("error")
    return Operation(
        name=message.name,
        kind=told.kind,
        done=message.done,
        progress=told.progress,
        error=str(error_of_status(message.error)) if failed else None,
        create_time=to_datetime(told, "create_time"),
        update_time=to_datetime(told, "update_time"),
        details=details,
    )


def decode_outcome(message: Any, details: CallDetails = NO_DETAILS) -> Result:
    """What an operation that is done answers; the error that it ended with is raised."""
    if message.HasField("error"):
        raise error_of_status(message.error, details.request_id)
    kind = message.response.TypeName()
    if kind not in _ANSWERS:
        raise ServerError(f"{message.name} answers with {kind or 'nothing'}, which this SDK does not know; update it", reason="INTERNAL")
    response_type, field, decode = _ANSWERS[kind]
    response = response_type.FromString(message.response.value)
    return decode(getattr(response, field) if field else response, details)
