"""A side of a bridge as an ONNX model: float32 rows in, float32 rows out, float64 between; the same bytes whenever it is written."""

from collections.abc import Mapping

from onnx import ModelProto, TensorProto, helper

from consilience_server.adapters.onnx_nodes import GraphParts, nodes
from consilience_server.bridges.artefact import BridgeArtefact
from consilience_server.bridges.space_map import SpaceMap
from consilience_server.bridges.steps import SideName
from consilience_server.core.errors import MessageTooLarge

OPSET, IR_VERSION = 17, 8
"""Old enough for onnxruntime 1.13, new enough for what `adapters/onnx_nodes.py` uses."""

NAMES: Mapping[SideName, tuple[str, str]] = {"source": ("source", "mapped"), "target": ("target", "gallery")}
"""Input and output of the model of either side."""

_MOST_BYTES = 2**31 - 2**20
"""Of one protocol buffer, less room for all that is not weights."""


class OnnxExport:
    """`BridgeExport` to ONNX."""

    def model(self, artefact: BridgeArtefact, side: SideName) -> bytes:
        """The model of a side, its origin in `metadata_props`; MessageTooLarge above 2 GiB."""
        if artefact.map.nbytes > _MOST_BYTES:
            raise MessageTooLarge(
                f"the map of bridge {artefact.name!r} takes {artefact.map.nbytes:,} bytes; an ONNX model holds up to {_MOST_BYTES:,}",
                field="name",
            )
        model = side_model(artefact.map, side)
        model.producer_name, model.producer_version, model.domain = "consilience", artefact.code_version, "consilience"
        model.doc_string = model.graph.doc_string = _doc_string(artefact, side)
        helper.set_model_props(model, _metadata(artefact, side))
        return bytes(model.SerializeToString(deterministic=True))


def side_model(bridge: SpaceMap, side: SideName) -> ModelProto:
    """The graph of a side: (rows, width of the space) float32 to (rows, width of the map) float32 of unit length.

    A row without a direction (zero, the very mean, or one that the map sends to nothing) comes out as zeros: a graph can refuse nothing.
    """
    given, told = NAMES[side]
    parts = GraphParts()
    rows = parts.add("Cast", given, to=TensorProto.DOUBLE)
    for step in bridge.steps(side):
        rows = nodes(step, parts, rows)
    parts.nodes.append(helper.make_node("Cast", [rows], [told], name="rounded", to=TensorProto.FLOAT))
    width = len(bridge.source_mean if side == "source" else bridge.target_mean)
    graph = helper.make_graph(
        parts.nodes,
        "bridge",
        [helper.make_tensor_value_info(given, TensorProto.FLOAT, ["rows", width])],
        [helper.make_tensor_value_info(told, TensorProto.FLOAT, ["rows", bridge.width])],
        parts.constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def _doc_string(artefact: BridgeArtefact, side: SideName) -> str:
    direction = f"from {artefact.source_name!r} into {artefact.target_name!r}"
    where = f"the centred space {artefact.target_name!r}" if artefact.leads_into_target else "a space of the bridge's own"
    of = "items searched by what the source's side yields" if side == "target" else "queries"
    return (
        f"Bridge {artefact.name!r} ({artefact.method}) {direction}, the {side}'s side: {of}. Rows come out with unit length in {where}; "
        "compare both sides by cosine. A row without a direction comes out as zeros."
    )


def _metadata(artefact: BridgeArtefact, side: SideName) -> dict[str, str]:
    """Where the model comes from; keys ascending, so that the bytes are always the same."""
    told: dict[str, object] = {
        "bridge": artefact.name,
        "bridge_uid": artefact.uid,
        "side": side,
        "direction": f"{artefact.source_name} -> {artefact.target_name}",
        "method": artefact.method,
        "derivation": artefact.derivation,
        "leads_into_target": str(artefact.leads_into_target).lower(),
        "source_space": artefact.source_name,
        "source_uid": artefact.source_uid,
        "source_version": artefact.source_version,
        "source_dim": artefact.source_dim,
        "target_space": artefact.target_name,
        "target_uid": artefact.target_uid,
        "target_version": artefact.target_version,
        "target_dim": artefact.target_dim,
        "width": artefact.map.width,
        "fit_pairs": artefact.fit_pairs,
        "fit_ids_digest": artefact.fit_ids_digest,
        "code_version": artefact.code_version,
        "create_time": artefact.create_time.isoformat(),
    }
    return {f"consilience.{key}": str(told[key]) for key in sorted(told)}
