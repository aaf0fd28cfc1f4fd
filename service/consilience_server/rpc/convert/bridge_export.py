"""Exports of bridges of the contract to and from those of the use case."""

from consilience.v1 import bridge_pb2
from consilience_server.app.bridge_export import ExportFormat, ExportPart, ExportQuery
from consilience_server.bridges.steps import SideName
from consilience_server.rpc.convert.enums import served
from consilience_server.rpc.convert.names import bridge_id

SIDES: dict[int, SideName] = {0: "source", bridge_pb2.BRIDGE_SIDE_SOURCE: "source", bridge_pb2.BRIDGE_SIDE_TARGET: "target"}
FORMATS: dict[int, ExportFormat] = {0: "onnx", bridge_pb2.EXPORT_FORMAT_ONNX: "onnx", bridge_pb2.EXPORT_FORMAT_SAFETENSORS: "safetensors"}


def read_export(request: bridge_pb2.ExportBridgeRequest) -> ExportQuery:
    """What to export; InvalidName, InvalidArgument."""
    return ExportQuery(
        bridge_id(request.name, "name"),
        served(bridge_pb2.BridgeSide, request.side, SIDES, "side", what="side"),
        served(bridge_pb2.ExportFormat, request.format, FORMATS, "format", what="format"),
        request.offset,
        request.uid,
    )


def write_export(part: ExportPart, query: ExportQuery) -> bridge_pb2.ExportBridgeResponse:
    """The bytes, in the field of their format."""
    response = bridge_pb2.ExportBridgeResponse(total_bytes=part.total, uid=part.uid)
    setattr(response, query.format, part.content)
    return response
