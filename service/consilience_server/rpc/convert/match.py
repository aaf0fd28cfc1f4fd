"""Matches of the contract to and from those of the use cases."""

from dataclasses import asdict
from typing import Literal

from consilience.v1 import match_pb2
from consilience_server.app.correction import CorrectionName
from consilience_server.app.match_query import MatchQuery
from consilience_server.app.reports import MatchReport
from consilience_server.core.errors import InvalidArgument, UnknownMethod
from consilience_server.core.inverted_softmax import DEFAULT_BETA
from consilience_server.core.match_calibration import MatchCalibration
from consilience_server.engine.approximate import EFFORTS, ApproximateName, IndexChoice
from consilience_server.rpc.convert.alignment import write_certificate
from consilience_server.rpc.convert.enums import served
from consilience_server.rpc.convert.matrix import read_vectors, write_matrix
from consilience_server.rpc.convert.names import bridge_id, bridge_name, expected_bridge, space_query, space_use, version_number

CORRECTIONS: dict[match_pb2.Correction, CorrectionName] = {
    match_pb2.CORRECTION_UNSPECIFIED: "none",
    match_pb2.CORRECTION_NONE: "none",
    match_pb2.CORRECTION_CSLS: "csls",
    match_pb2.CORRECTION_INVERTED_SOFTMAX: "inverted_softmax",
    match_pb2.CORRECTION_MARGIN_RATIO: "margin_ratio",
    match_pb2.CORRECTION_MARGIN_DISTANCE: "margin_distance",
}
INDEXES: dict[match_pb2.IndexKind, Literal["exact"] | ApproximateName] = {
    match_pb2.INDEX_KIND_UNSPECIFIED: "exact",
    match_pb2.INDEX_KIND_EXACT: "exact",
    match_pb2.INDEX_KIND_HNSW: "hnsw",
    match_pb2.INDEX_KIND_IVF: "ivf",
    match_pb2.INDEX_KIND_CAGRA: "cagra",
    match_pb2.INDEX_KIND_GPU_FLAT: "gpu_flat",
}
_INDEX_VALUES = {name: value for value, name in INDEXES.items()}
CORRECTION_VALUES = {name: value for value, name in CORRECTIONS.items()}
_DEFAULT_K = 10
_DEFAULT_CORRECTION_K = 10


def read_match(request: match_pb2.MatchRequest) -> MatchQuery:
    """What to match, the contract's defaults filled in.

    Raises:
        DtypeNotAccepted, ShapeMismatch: query vectors unsound in themselves.
        UnknownMethod: a correction that the contract does not have.
        InvalidArgument: an index that the contract does not have, or a parameter of another index.
    """
    queries, route = request.WhichOneof("queries"), request.WhichOneof("route")
    return MatchQuery(
        vectors=read_vectors(request.vectors, "vectors") if queries == "vectors" else None,
        ids=tuple(request.ids.ids),
        bridge=bridge_id(request.bridge, "bridge") if route == "bridge" else "",
        space=space_query(request.space, "space") if route == "space" else None,
        k=request.k or (1 if request.one_to_one else _DEFAULT_K),
        correction=read_correction(request.correction),
        correction_k=request.correction_k or _DEFAULT_CORRECTION_K,
        beta=request.beta or DEFAULT_BETA,
        gallery_version=version_number(request.gallery_version, "gallery_version"),
        index=_read_index(request),
        gallery_ids=tuple(request.gallery_ids.ids) if request.HasField("gallery_ids") else None,
        exclude_ids=tuple(request.exclude_ids.ids),
        filter=request.filter,
        probability=request.probability,
        one_to_one=request.one_to_one,
        expected=expected_bridge(request.expected_bridge),
    )


def _read_index(request: match_pb2.MatchRequest) -> IndexChoice | None:
    """The index that is named, its parameter filled in; None for exact."""
    name = served(match_pb2.IndexKind, request.index, INDEXES, "index", what="index")
    effort = None if name == "exact" else EFFORTS.get(name)
    for field, value in request.index_parameters.ListFields():
        if effort is None or field.name != effort.name:
            owner = next(index for index, known in EFFORTS.items() if known.name == field.name)
            raise InvalidArgument(
                f"{field.name} = {value} is a parameter of the index {owner!r}, and the index is {name!r}; leave it out",
                field=f"index_parameters.{field.name}",
            )
    if name == "exact":
        return None
    return IndexChoice(name, 0 if effort is None else getattr(request.index_parameters, effort.name) or effort.default)


def read_correction(value: int) -> CorrectionName:
    """The correction that is named; UnknownMethod, NotServed."""
    return served(match_pb2.Correction, value, CORRECTIONS, "correction", what="correction", unknown=UnknownMethod)


def write_match(report: MatchReport) -> match_pb2.MatchReport:
    """The k best of each query."""
    queries, k = report.scores.shape
    return match_pb2.MatchReport(
        queries=queries,
        k=k,
        ids=report.ids,
        similarities=write_matrix(report.similarities),
        scores=write_matrix(report.scores),
        correction=CORRECTION_VALUES[report.correction],
        gallery=space_use(report.gallery),
        bridge=bridge_name(report.bridge),
        bridge_uid=report.bridge_uid,
        certificate=write_certificate(report.certificate) if report.certificate else None,
        engine=report.engine,
        source=space_use(report.source) if report.source else None,
        measured_recall=report.recall.value if report.recall else None,
        index=_INDEX_VALUES[report.index.name if report.index else "exact"],
        index_parameters=_write_parameters(report.index),
        recall=match_pb2.IndexRecall(**asdict(report.recall)) if report.recall else None,
        gallery_items=report.gallery_items,
        beta=report.beta,
        correction_k=report.correction_k,
        probabilities=None if report.probabilities is None else write_matrix(report.probabilities),
        calibration=_write_calibration(report.calibration),
        warnings=report.warnings,
        one_to_one=report.one_to_one,
    )


def _write_calibration(calibration: MatchCalibration | None) -> match_pb2.MatchCalibration | None:
    if calibration is None:
        return None
    return match_pb2.MatchCalibration(pairs=calibration.pairs, accuracy=calibration.accuracy, error=calibration.error)


def _write_parameters(index: IndexChoice | None) -> match_pb2.IndexParameters | None:
    if index is None:
        return None
    effort = EFFORTS.get(index.name)
    return match_pb2.IndexParameters(**({effort.name: index.effort} if effort else {}))
