"""The calls of the contract: path, messages, and whether repeating one is safe."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.longrunning import operations_pb2
from google.protobuf import empty_pb2

from consilience.v1 import (
    alignment_pb2,
    bridge_algebra_pb2,
    bridge_estimate_pb2,
    bridge_pb2,
    classify_pb2,
    comparison_pb2,
    estimate_pb2,
    geometry_pb2,
    items_pb2,
    match_pb2,
    noise_ceiling_pb2,
    pmi_pb2,
    server_pb2,
    space_pb2,
    upgrade_pb2,
    watch_pb2,
)

Request = TypeVar("Request")
Response = TypeVar("Response")


@dataclass(frozen=True)
class Method(Generic[Request, Response]):
    """One RPC.

    Attributes:
        path: `/package.Service/Method`.
        encode: a request to bytes.
        decode: bytes to a response.
        is_repeatable: it only reads, or its request id makes a repetition answer the same.
    """

    path: str
    encode: Callable[[Request], bytes]
    decode: Callable[[bytes], Response]
    is_repeatable: bool


def _encode(message: Any) -> bytes:
    return bytes(message.SerializeToString())


def _method(
    service: str, name: str, _request: type[Request], response: type[Response], *, repeatable: bool = True
) -> Method[Request, Response]:
    decode: Callable[[bytes], Response] = response.FromString  # type: ignore[attr-defined]  # every message has it
    package = "google.longrunning" if service == "Operations" else "consilience.v1"
    return Method(f"/{package}.{service}/{name}", _encode, decode, repeatable)


def _itself(encoded: bytes) -> bytes:
    return encoded


def is_serving(response: bytes) -> bool:
    """Whether a HealthCheckResponse says SERVING: field 1, value 1."""
    return response == b"\x08\x01"


CREATE_SPACE = _method("SpaceService", "CreateSpace", space_pb2.CreateSpaceRequest, space_pb2.CreateSpaceResponse)
GET_SPACE = _method("SpaceService", "GetSpace", space_pb2.GetSpaceRequest, space_pb2.GetSpaceResponse)
LIST_SPACES = _method("SpaceService", "ListSpaces", space_pb2.ListSpacesRequest, space_pb2.ListSpacesResponse)
DELETE_SPACE = _method("SpaceService", "DeleteSpace", space_pb2.DeleteSpaceRequest, space_pb2.DeleteSpaceResponse)
GET_UPLOAD = _method("SpaceService", "GetUpload", space_pb2.GetUploadRequest, space_pb2.GetUploadResponse)
GET_EMBEDDINGS = _method("SpaceService", "GetEmbeddings", space_pb2.GetEmbeddingsRequest, space_pb2.GetEmbeddingsResponse)
DELETE_EMBEDDINGS = _method("SpaceService", "DeleteEmbeddings", space_pb2.DeleteEmbeddingsRequest, space_pb2.DeleteEmbeddingsResponse)
UPSERT_EMBEDDINGS: Method[bytes, space_pb2.UpsertEmbeddingsResponse] = Method(
    "/consilience.v1.SpaceService/UpsertEmbeddings", _itself, space_pb2.UpsertEmbeddingsResponse.FromString, is_repeatable=False
)
"""Takes requests already encoded (`_wire.py`). Not repeated as a call: `upload.py` goes on from what is staged."""

ALIGN = _method("AlignmentService", "Align", alignment_pb2.AlignRequest, alignment_pb2.AlignResponse)
ALIGN_MATRIX = _method("AlignmentService", "AlignMatrix", alignment_pb2.AlignMatrixRequest, alignment_pb2.AlignMatrixResponse)
CONSENSUS = _method("AlignmentService", "Consensus", alignment_pb2.ConsensusRequest, alignment_pb2.ConsensusResponse)
COMPARE_ALIGNMENTS = _method(
    "ComparisonService", "CompareAlignments", comparison_pb2.CompareAlignmentsRequest, comparison_pb2.CompareAlignmentsResponse
)
TREND = _method("AlignmentService", "Trend", alignment_pb2.TrendRequest, alignment_pb2.TrendResponse)
GALLERY_CURVE = _method("AlignmentService", "GalleryCurve", alignment_pb2.GalleryCurveRequest, alignment_pb2.GalleryCurveResponse)
ALIGN_ARRAYS: Method[bytes, alignment_pb2.AlignArraysResponse] = Method(
    "/consilience.v1.AlignmentService/AlignArrays", _itself, alignment_pb2.AlignArraysResponse.FromString, is_repeatable=True
)
"""Takes requests already encoded (`_wire.py`)."""

ESTIMATE_ALIGNMENT = _method(
    "EstimateService", "EstimateAlignment", estimate_pb2.EstimateAlignmentRequest, estimate_pb2.EstimateAlignmentResponse
)
ALIGN_ITEMS = _method("ItemService", "AlignItems", items_pb2.AlignItemsRequest, items_pb2.AlignItemsResponse)
MEASURE_NOISE_CEILING = _method(
    "NoiseCeilingService",
    "MeasureNoiseCeiling",
    noise_ceiling_pb2.MeasureNoiseCeilingRequest,
    noise_ceiling_pb2.MeasureNoiseCeilingResponse,
)
MEASURE_RELIABILITY = _method(
    "NoiseCeilingService",
    "MeasureReliability",
    noise_ceiling_pb2.MeasureReliabilityRequest,
    noise_ceiling_pb2.MeasureReliabilityResponse,
)
COMPARE_VERSIONS = _method("ItemService", "CompareVersions", items_pb2.CompareVersionsRequest, items_pb2.CompareVersionsResponse)

CREATE_PMI_SPACE: Method[bytes, pmi_pb2.CreatePmiSpaceResponse] = Method(
    "/consilience.v1.PmiService/CreatePmiSpace", _itself, pmi_pb2.CreatePmiSpaceResponse.FromString, is_repeatable=True
)
"""Takes requests already encoded."""
DESCRIBE_SPACE = _method("GeometryService", "DescribeSpace", geometry_pb2.DescribeSpaceRequest, geometry_pb2.DescribeSpaceResponse)

FIT_BRIDGE = _method("BridgeService", "FitBridge", bridge_pb2.FitBridgeRequest, bridge_pb2.FitBridgeResponse)
GET_BRIDGE = _method("BridgeService", "GetBridge", bridge_pb2.GetBridgeRequest, bridge_pb2.GetBridgeResponse)
LIST_BRIDGES = _method("BridgeService", "ListBridges", bridge_pb2.ListBridgesRequest, bridge_pb2.ListBridgesResponse)
DELETE_BRIDGE = _method("BridgeService", "DeleteBridge", bridge_pb2.DeleteBridgeRequest, bridge_pb2.DeleteBridgeResponse)
EVALUATE_BRIDGE = _method("BridgeService", "EvaluateBridge", bridge_pb2.EvaluateBridgeRequest, bridge_pb2.EvaluateBridgeResponse)
ESTIMATE_BRIDGE = _method(
    "BridgeEstimateService", "EstimateBridge", bridge_estimate_pb2.EstimateBridgeRequest, bridge_estimate_pb2.EstimateBridgeResponse
)
COMPOSE_BRIDGES = _method(
    "BridgeAlgebraService", "ComposeBridges", bridge_algebra_pb2.ComposeBridgesRequest, bridge_algebra_pb2.ComposeBridgesResponse
)
INVERT_BRIDGE = _method(
    "BridgeAlgebraService", "InvertBridge", bridge_algebra_pb2.InvertBridgeRequest, bridge_algebra_pb2.InvertBridgeResponse
)
EXPORT_BRIDGE = _method("BridgeService", "ExportBridge", bridge_pb2.ExportBridgeRequest, bridge_pb2.ExportBridgeResponse)

CLASSIFY = _method("ClassificationService", "Classify", classify_pb2.ClassifyRequest, classify_pb2.ClassifyResponse)
EVALUATE_UPGRADE = _method("UpgradeService", "EvaluateUpgrade", upgrade_pb2.EvaluateUpgradeRequest, upgrade_pb2.EvaluateUpgradeResponse)

MATCH = _method("MatchService", "Match", match_pb2.MatchRequest, match_pb2.MatchResponse)
MUTUAL_PAIRS = _method("MatchService", "MutualPairs", match_pb2.MutualPairsRequest, match_pb2.MutualPairsResponse)
TRANSLATE = _method("MatchService", "Translate", match_pb2.TranslateRequest, match_pb2.TranslateResponse)

CREATE_WATCH = _method("WatchService", "CreateWatch", watch_pb2.CreateWatchRequest, watch_pb2.CreateWatchResponse)
GET_WATCH = _method("WatchService", "GetWatch", watch_pb2.GetWatchRequest, watch_pb2.GetWatchResponse)
LIST_WATCHES = _method("WatchService", "ListWatches", watch_pb2.ListWatchesRequest, watch_pb2.ListWatchesResponse)
RUN_WATCH = _method("WatchService", "RunWatch", watch_pb2.RunWatchRequest, watch_pb2.RunWatchResponse)
REBASELINE_WATCH = _method("WatchService", "RebaselineWatch", watch_pb2.RebaselineWatchRequest, watch_pb2.RebaselineWatchResponse)
LIST_WATCH_RESULTS = _method("WatchService", "ListWatchResults", watch_pb2.ListWatchResultsRequest, watch_pb2.ListWatchResultsResponse)
DELETE_WATCH = _method("WatchService", "DeleteWatch", watch_pb2.DeleteWatchRequest, watch_pb2.DeleteWatchResponse)

GET_SERVER_INFO = _method("ServerService", "GetServerInfo", server_pb2.GetServerInfoRequest, server_pb2.GetServerInfoResponse)
HEALTH_CHECK: Method[bytes, bytes] = Method("/grpc.health.v1.Health/Check", _itself, _itself, is_repeatable=True)
"""An empty request asks for the whole server; `is_serving` reads the answer. Bytes, so that the SDK needs no stubs of grpc.health."""

LIST_OPERATIONS = _method("Operations", "ListOperations", operations_pb2.ListOperationsRequest, operations_pb2.ListOperationsResponse)
GET_OPERATION = _method("Operations", "GetOperation", operations_pb2.GetOperationRequest, operations_pb2.Operation)
WAIT_OPERATION = _method("Operations", "WaitOperation", operations_pb2.WaitOperationRequest, operations_pb2.Operation)
CANCEL_OPERATION = _method("Operations", "CancelOperation", operations_pb2.CancelOperationRequest, empty_pb2.Empty)
DELETE_OPERATION = _method("Operations", "DeleteOperation", operations_pb2.DeleteOperationRequest, empty_pb2.Empty)
