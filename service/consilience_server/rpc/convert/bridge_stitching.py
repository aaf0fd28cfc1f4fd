"""Stitching layers of the contract to and from those of the use cases."""

from consilience.v1 import alignment_pb2, bridge_pb2, bridge_stitching_pb2
from consilience_server.bridges.stitching_options import Architecture, Loss, StitchingOptions, StitchingReport
from consilience_server.core.estimate import CONFIDENCE
from consilience_server.rpc.convert.enums import served

_ARCHITECTURES: dict[bridge_stitching_pb2.StitchingArchitecture, Architecture] = {
    bridge_stitching_pb2.STITCHING_ARCHITECTURE_UNSPECIFIED: "linear",
    bridge_stitching_pb2.STITCHING_ARCHITECTURE_LINEAR: "linear",
    bridge_stitching_pb2.STITCHING_ARCHITECTURE_RESIDUAL_MLP: "residual_mlp",
}
_LOSSES: dict[bridge_stitching_pb2.StitchingLoss, Loss] = {
    bridge_stitching_pb2.STITCHING_LOSS_UNSPECIFIED: "cosine_relational",
    bridge_stitching_pb2.STITCHING_LOSS_COSINE_RELATIONAL: "cosine_relational",
    bridge_stitching_pb2.STITCHING_LOSS_INFONCE: "infonce",
}
# The default stands first, so that its name leads to the number that says it.
_ARCHITECTURE_VALUES = {name: value for value, name in _ARCHITECTURES.items()}
_LOSS_VALUES = {name: value for value, name in _LOSSES.items()}
_DEFAULTS = StitchingOptions()


def read_stitching(request: bridge_pb2.FitBridgeRequest) -> StitchingOptions | None:
    """How a layer is trained, the contract's defaults filled in; None where the request does not say. InvalidArgument: an unknown enum."""
    if not request.HasField("stitching"):
        return None
    told = request.stitching
    return StitchingOptions(
        architecture=served(
            bridge_stitching_pb2.StitchingArchitecture, told.architecture, _ARCHITECTURES, "architecture", what="architecture"
        ),
        loss=served(bridge_stitching_pb2.StitchingLoss, told.loss, _LOSSES, "loss", what="loss"),
        hidden=told.hidden,
        relational_weight=told.relational_weight if told.HasField("relational_weight") else _DEFAULTS.relational_weight,
        temperature=told.temperature if told.HasField("temperature") else _DEFAULTS.temperature,
        max_epochs=told.max_epochs or _DEFAULTS.max_epochs,
    )


def write_stitching(report: StitchingReport | None) -> bridge_stitching_pb2.StitchingReport | None:
    """How a layer was trained; None for bridges of other methods."""
    if report is None:
        return None
    told = bridge_stitching_pb2.StitchingReport(
        architecture=_ARCHITECTURE_VALUES[report.architecture],
        loss=_LOSS_VALUES[report.loss],
        hidden=report.hidden,
        relational_weight=report.relational_weight,
        temperature=report.temperature,
        epochs=report.epochs,
        best_epoch=report.best_epoch,
        validation_pairs=report.validation_pairs,
        validation_recall=report.validation_recall,
        validation_reciprocal_rank=report.validation_reciprocal_rank,
        start_recall=report.start_recall,
        device=report.device,
        information_pairs=report.information_pairs,
    )
    if report.information is not None:
        found = report.information
        told.information = found.value
        told.information_interval.CopyFrom(
            alignment_pb2.Interval(low=found.low, high=found.high, confidence=CONFIDENCE, kind=alignment_pb2.INTERVAL_KIND_QUERIES)
        )
    return told
