"""Bridges of the contract to and from those of the use cases."""

from consilience.v1 import alignment_pb2, bridge_convergence_pb2, bridge_pb2, space_pb2
from consilience_server.app.fit_query import FitQuery
from consilience_server.bridges.artefact import BridgeArtefact, BridgeListing, Derivation, LearningPoint, MethodName, RetrievalReport
from consilience_server.bridges.choose import MethodChoice
from consilience_server.bridges.convergence import Convergence
from consilience_server.core.errors import UnknownMethod
from consilience_server.core.estimate import CONFIDENCE, Estimate
from consilience_server.rpc.convert.bridge_stitching import read_stitching, write_stitching
from consilience_server.rpc.convert.enums import served
from consilience_server.rpc.convert.names import bridge_name, space_name, space_query
from consilience_server.rpc.convert.spaces import write_similarity
from consilience_server.rpc.convert.times import timestamp

METHODS: dict[bridge_pb2.BridgeMethod, MethodChoice] = {
    bridge_pb2.BRIDGE_METHOD_AUTO: "auto",
    bridge_pb2.BRIDGE_METHOD_IDENTITY: "identity",
    bridge_pb2.BRIDGE_METHOD_MEAN_SHIFT: "mean_shift",
    bridge_pb2.BRIDGE_METHOD_RIDGE: "ridge",
    bridge_pb2.BRIDGE_METHOD_PROCRUSTES: "procrustes",
    bridge_pb2.BRIDGE_METHOD_SCALED_PROCRUSTES: "scaled_procrustes",
    bridge_pb2.BRIDGE_METHOD_AFFINE: "affine",
    bridge_pb2.BRIDGE_METHOD_RELATIVE: "relative",
    bridge_pb2.BRIDGE_METHOD_WHITENED: "whitened",
    bridge_pb2.BRIDGE_METHOD_CCA: "cca",
    bridge_pb2.BRIDGE_METHOD_CSA: "csa",
    bridge_pb2.BRIDGE_METHOD_STITCHING_LAYER: "stitching_layer",
    bridge_pb2.BRIDGE_METHOD_UNSUPERVISED: "unsupervised",
}
METHOD_VALUES = {name: value for value, name in METHODS.items()} | {"composed": bridge_pb2.BRIDGE_METHOD_COMPOSED}
_DERIVATIONS: dict[Derivation, bridge_pb2.BridgeDerivation] = {
    "fitted": bridge_pb2.BRIDGE_DERIVATION_FITTED,
    "composed": bridge_pb2.BRIDGE_DERIVATION_COMPOSED,
    "inverted": bridge_pb2.BRIDGE_DERIVATION_INVERTED,
}
_DEFAULT_HELD_OUT = 0.2
FORMAT_VERSION = 3
"""`Bridge.version`: grows with the format of the artefact."""


def read_fit(request: bridge_pb2.FitBridgeRequest) -> FitQuery:
    """What to fit, the contract's defaults filled in.

    Raises:
        UnknownMethod: unspecified, or none of the contract's.
        NotServed: another method of the contract.
    """
    if request.method == bridge_pb2.BRIDGE_METHOD_COMPOSED:
        raise UnknownMethod("composed bridges are made of others, not fitted: compose them", field="method")
    return FitQuery(
        name=request.bridge_id,
        source=space_query(request.source, "source"),
        target=space_query(request.target, "target"),
        method=served(bridge_pb2.BridgeMethod, request.method, METHODS, "method", what="method", unknown=UnknownMethod),
        item_ids=tuple(request.pairs.item_ids),
        target_ids=tuple(request.pairs.target_ids),
        attribute=request.pairs.attribute,
        held_out_fraction=request.held_out_fraction or _DEFAULT_HELD_OUT,
        seed=request.seed,
        penalties=tuple(request.penalties),
        keep_unconverged=request.keep_unconverged,
        request_id=request.request_id,
        stitching=read_stitching(request),
    )


def write_bridge(artefact: BridgeArtefact | BridgeListing) -> bridge_pb2.Bridge:
    """A bridge with where it came from; the map itself stays on the server."""
    return bridge_pb2.Bridge(
        name=bridge_name(artefact.name),
        uid=artefact.uid,
        version=FORMAT_VERSION,
        source=space_pb2.SpaceUse(name=space_name(artefact.source_name), uid=artefact.source_uid, version=artefact.source_version),
        target=space_pb2.SpaceUse(name=space_name(artefact.target_name), uid=artefact.target_uid, version=artefact.target_version),
        method=METHOD_VALUES[artefact.method],
        source_dim=artefact.source_dim,
        target_dim=artefact.target_dim,
        fit_pairs=artefact.fit_pairs,
        fit_ids_digest=artefact.fit_ids_digest,
        held_out=None if artefact.held_out is None else write_retrieval(artefact.held_out),
        candidates=[write_retrieval(report) for report in artefact.candidates],
        seed=artefact.seed,
        code_version=artefact.code_version,
        create_time=timestamp(artefact.create_time),
        target_similarity=write_similarity(artefact.target_similarity),
        near_copies=artefact.near_copies,
        split_by=artefact.split_by,
        leads_into_target=artefact.leads_into_target,
        learning_curve=[write_point(point) for point in artefact.learning_curve],
        derivation=_DERIVATIONS[artefact.derivation],
        parents=[
            bridge_pb2.ParentBridge(name=bridge_name(parent.name), uid=parent.uid, method=METHOD_VALUES[parent.method])
            for parent in artefact.parents
        ],
        notes=artefact.notes,
        convergence=None if artefact.convergence is None else _write_convergence(artefact.convergence),
        pair_attribute=artefact.pair_attribute,
        pairs_left_out=artefact.pairs_left_out,
        stitching=write_stitching(artefact.stitching),
    )


def _write_convergence(told: Convergence) -> bridge_convergence_pb2.BridgeConvergence:
    return bridge_convergence_pb2.BridgeConvergence(
        converged=told.converged,
        agreement=told.agreement.value,
        interval=_write_interval(told.agreement),
        chance=told.chance,
        queries=told.queries,
        fits=told.fits,
    )


def write_method(method: MethodName) -> bridge_pb2.BridgeMethod:
    """A method of a map."""
    return METHOD_VALUES[method]


def write_retrieval(report: RetrievalReport) -> bridge_pb2.RetrievalReport:
    """The report of one method."""
    return bridge_pb2.RetrievalReport(
        method=METHOD_VALUES[report.method],
        recalls=_write_recalls(report),
        mean_reciprocal_rank=report.mean_reciprocal_rank,
        median_rank=report.median_rank,
        queries=report.queries,
        gallery=report.gallery,
        penalty=report.penalty,
        components=report.components,
        mean_reciprocal_rank_interval=_write_interval(report.reciprocal_rank),
        median_rank_interval=_write_interval(report.rank),
        foscttm=write_measured(report.foscttm),
        neighbour_retention=write_measured(report.neighbour_retention),
        hubness=write_measured(report.hubness),
        hubness_csls=write_measured(report.hubness_csls),
        values=report.values,
    )


def write_measured(estimate: Estimate | None) -> bridge_pb2.Measured | None:
    """A number with its interval; None where there is none."""
    return None if estimate is None else bridge_pb2.Measured(value=estimate.value, interval=_write_interval(estimate))


def _write_interval(estimate: Estimate | None) -> alignment_pb2.Interval | None:
    return None if estimate is None else _interval(estimate.low, estimate.high)


def _interval(low: float, high: float) -> alignment_pb2.Interval:
    return alignment_pb2.Interval(low=low, high=high, confidence=CONFIDENCE, kind=alignment_pb2.INTERVAL_KIND_QUERIES)


def write_point(point: LearningPoint) -> bridge_pb2.LearningPoint:
    """A point of a learning curve."""
    return bridge_pb2.LearningPoint(pairs=point.pairs, recalls=_write_recalls(point))


def _write_recalls(told: RetrievalReport | LearningPoint) -> list[bridge_pb2.RecallAtK]:
    return [_write_recall(k, recall, told.intervals[k]) for k, recall in sorted(told.recalls.items())]


def _write_recall(k: int, recall: float, bounds: tuple[float, float]) -> bridge_pb2.RecallAtK:
    return bridge_pb2.RecallAtK(k=k, recall=recall, interval=_interval(*bounds))
