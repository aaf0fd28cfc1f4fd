"""Requests for bridges made of others."""

from consilience.v1 import bridge_algebra_pb2, bridge_pb2
from consilience_server.app.bridge_derivation import DeriveQuery
from consilience_server.core.errors import NotServed
from consilience_server.rpc.convert.names import bridge_id


def read_compose(request: bridge_algebra_pb2.ComposeBridgesRequest) -> DeriveQuery:
    """What to compose; InvalidName, NotServed."""
    parents = tuple(bridge_id(name, "bridges") for name in request.bridges)
    return DeriveQuery(request.bridge_id, parents, "composed", *_pairs(request.pairs), request.request_id)


def read_invert(request: bridge_algebra_pb2.InvertBridgeRequest) -> DeriveQuery:
    """What to invert; InvalidName, NotServed."""
    return DeriveQuery(request.bridge_id, (bridge_id(request.bridge, "bridge"),), "inverted", *_pairs(request.pairs), request.request_id)


def _pairs(pairs: bridge_pb2.PairSelection) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if pairs.attribute:
        raise NotServed(
            "bridges made of others are measured on pairs by id; give item_ids and target_ids (evaluate_bridge measures by an attribute)",
            field="pairs.attribute",
        )
    return tuple(pairs.item_ids), tuple(pairs.target_ids)
