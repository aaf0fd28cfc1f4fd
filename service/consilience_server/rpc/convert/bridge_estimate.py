"""Estimates of bridges, of the contract to and from those of the use case."""

from consilience.v1 import bridge_estimate_pb2, bridge_pb2, space_pb2
from consilience_server.app.bridge_estimate import BridgeEstimate, BridgeEstimateQuery
from consilience_server.app.reports import SpaceUse
from consilience_server.bridges.artefact import LearningPoint
from consilience_server.bridges.feasibility import LearningForecast
from consilience_server.core.errors import NotServed, UnknownMethod
from consilience_server.rpc.convert.bridge import METHOD_VALUES, METHODS, write_point
from consilience_server.rpc.convert.enums import served
from consilience_server.rpc.convert.names import space_query

_DEFAULT_RECALL = 0.9


def read_estimate(request: bridge_estimate_pb2.EstimateBridgeRequest) -> BridgeEstimateQuery:
    """What to foresee, the contract's defaults filled in; UnknownMethod, NotServed."""
    if request.pairs.attribute:
        raise NotServed(
            "pairs joined by an attribute are not served by this version; give item_ids and target_ids", field="pairs.attribute"
        )
    return BridgeEstimateQuery(
        source=space_query(request.source, "source"),
        target=space_query(request.target, "target"),
        method=served(bridge_pb2.BridgeMethod, request.method, METHODS, "method", what="method", unknown=UnknownMethod),
        item_ids=tuple(request.pairs.item_ids),
        target_ids=tuple(request.pairs.target_ids),
        recall=request.recall or _DEFAULT_RECALL,
        k=request.k or 1,
        seed=request.seed,
    )


def write_estimate(told: BridgeEstimate) -> bridge_estimate_pb2.EstimateBridgeResponse:
    """What was measured and foreseen."""
    response = bridge_estimate_pb2.EstimateBridgeResponse(
        source=_use(told.source),
        target=_use(told.target),
        pairs=told.pairs,
        methods=[
            bridge_estimate_pb2.MethodSupport(method=METHOD_VALUES[one.method], needed_pairs=one.needed, supported=one.supported)
            for one in told.methods
        ],
        seconds=told.seconds,
        peak_bytes=told.peak_bytes,
        notes=told.notes,
    )
    if told.alignment is not None:
        found = told.alignment
        response.alignment.CopyFrom(
            bridge_estimate_pb2.PairAlignment(
                mutual_knn=found.mutual_knn, chance=found.chance, p_value=found.p_value, cka=found.cka, items=found.items
            )
        )
    if told.learning is not None:
        _write_learning(told.learning, response)
    return response


def _write_learning(told: LearningForecast, response: bridge_estimate_pb2.EstimateBridgeResponse) -> None:
    response.method = METHOD_VALUES[told.method]
    response.measured.extend(write_point(point) for point in told.measured)
    ahead = next(iter(told.forecasts.values())).pairs
    for at, pairs in enumerate(ahead):
        recalls = {k: float(found.recall[at]) for k, found in told.forecasts.items()}
        intervals = {k: (float(found.low[at]), float(found.high[at])) for k, found in told.forecasts.items()}
        response.foreseen.append(write_point(LearningPoint(int(pairs), recalls, intervals)))
    response.plateaus.extend(bridge_pb2.RecallAtK(k=k, recall=found.plateau) for k, found in told.forecasts.items())
    need = told.need
    for field, value in (("needed_pairs", need.pairs), ("needed_pairs_low", need.least), ("needed_pairs_high", need.most)):
        if value is not None:
            setattr(response, field, value)
    response.queries, response.gallery = told.queries, told.gallery


def _use(use: SpaceUse) -> space_pb2.SpaceUse:
    return space_pb2.SpaceUse(name=use.name, uid=use.uid, version=use.version)
