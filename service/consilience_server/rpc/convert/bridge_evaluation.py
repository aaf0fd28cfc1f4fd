"""Evaluations of bridges, of the contract to and from those of the use case."""

from consilience.v1 import bridge_pb2, space_pb2
from consilience_server.app.bridge_evaluation import BridgeEvaluation, EvaluationQuery
from consilience_server.app.reports import SpaceUse
from consilience_server.bridges.stitching_penalty import StitchingPenalty
from consilience_server.rpc.convert.bridge import write_measured, write_retrieval
from consilience_server.rpc.convert.names import bridge_id


def read_evaluation(request: bridge_pb2.EvaluateBridgeRequest) -> EvaluationQuery:
    """What to measure."""
    return EvaluationQuery(
        bridge=bridge_id(request.name, "name"),
        item_ids=tuple(request.pairs.item_ids),
        target_ids=tuple(request.pairs.target_ids),
        attribute=request.pairs.attribute,
        labels_attribute=request.labels_attribute,
        labels=tuple(request.labels),
        head=request.head,
        head_classes=tuple(request.head_classes),
    )


def write_evaluation(found: BridgeEvaluation) -> bridge_pb2.EvaluateBridgeResponse:
    """What was measured."""
    return bridge_pb2.EvaluateBridgeResponse(
        report=write_retrieval(found.report),
        baselines=[write_retrieval(report) for report in found.baselines],
        source=_use(found.source),
        target=_use(found.target),
        fitted_pairs=found.fitted_pairs,
        stitching=None if found.stitching is None else _stitching(found.stitching),
        notes=found.notes,
    )


def _use(use: SpaceUse) -> space_pb2.SpaceUse:
    return space_pb2.SpaceUse(name=use.name, uid=use.uid, version=use.version)


def _stitching(found: StitchingPenalty) -> bridge_pb2.StitchingPenalty:
    return bridge_pb2.StitchingPenalty(
        native=write_measured(found.native),
        bridged=write_measured(found.bridged),
        mean_only=write_measured(found.mean_only),
        penalty=write_measured(found.penalty),
        classes=found.classes,
        items=found.items,
        own_head=found.own_head,
    )
