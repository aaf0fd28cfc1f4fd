"""Operations of the use cases as google.longrunning.Operation."""

from google.longrunning import operations_pb2
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

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
from consilience_server.app.ports import OperationRecord
from consilience_server.core import errors
from consilience_server.rpc.convert.times import timestamp
from consilience_server.rpc.errors import DOMAIN, code_of, code_of_reason

RESPONSES: dict[str, type[Message]] = {
    "align": alignment_pb2.AlignResponse,
    "align_matrix": alignment_pb2.AlignMatrixResponse,
    "classify": classify_pb2.ClassifyResponse,
    "compare_alignments": comparison_pb2.CompareAlignmentsResponse,
    "trend": alignment_pb2.TrendResponse,
    "consensus": alignment_pb2.ConsensusResponse,
    "gallery_curve": alignment_pb2.GalleryCurveResponse,
    "measure_noise_ceiling": noise_ceiling_pb2.MeasureNoiseCeilingResponse,
    "create_pmi_space": pmi_pb2.CreatePmiSpaceResponse,
    "fit_bridge": bridge_pb2.FitBridgeResponse,
    "evaluate_bridge": bridge_pb2.EvaluateBridgeResponse,
    "evaluate_upgrade": upgrade_pb2.EvaluateUpgradeResponse,
    "compose_bridges": bridge_algebra_pb2.ComposeBridgesResponse,
    "invert_bridge": bridge_algebra_pb2.InvertBridgeResponse,
    "match": match_pb2.MatchResponse,
    "mutual_pairs": match_pb2.MutualPairsResponse,
    "create_watch": watch_pb2.CreateWatchResponse,
    "run_watch": watch_pb2.RunWatchResponse,
    "rebaseline_watch": watch_pb2.RebaselineWatchResponse,
}
"""The message that an operation of each kind ends with."""
_UNFINISHED: dict[str, type[errors.DomainError]] = {"cancelled": errors.Cancelled, "aborted": errors.ServerRestarted}


def write_operation(record: OperationRecord) -> operations_pb2.Operation:
    """How an operation stands, with its response or its error once it has ended."""
    operation = operations_pb2.Operation(name=record.name, done=record.state != "running")
    operation.metadata.Pack(
        operation_pb2.OperationMetadata(
            kind=record.kind,
            progress=record.progress,
            create_time=timestamp(record.create_time),
            update_time=timestamp(record.update_time),
        )
    )
    if record.state == "done":
        # The stored bytes are the message's own: they travel as they are.
        url = f"type.googleapis.com/{RESPONSES[record.kind].DESCRIPTOR.full_name}"
        operation.response.CopyFrom(AnyMessage(type_url=url, value=record.response))
    elif record.state != "running":
        operation.error.CopyFrom(_status(record))
    return operation


def _status(record: OperationRecord) -> status_pb2.Status:
    kind = _UNFINISHED.get(record.state, errors.DomainError)
    reason, message = record.error or (kind.reason, f"the operation ended {record.state}")
    code = code_of_reason(reason) if record.error else code_of(kind)
    status = status_pb2.Status(code=code.value[0], message=message)
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN))
    return status
