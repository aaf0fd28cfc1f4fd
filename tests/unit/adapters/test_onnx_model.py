from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import onnx
import onnxruntime
import pytest

from consilience_server.adapters import onnx_model
from consilience_server.adapters.onnx_bridge import OnnxBridges
from consilience_server.adapters.onnx_model import OnnxExport
from consilience_server.adapters.onnx_nodes import GraphParts, nodes
from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.bridges.artefact import BridgeArtefact
from consilience_server.bridges.chain import ChainMap
from consilience_server.bridges.choose import METHODS
from consilience_server.bridges.closed_form import BridgeMap
from consilience_server.bridges.fit import fit_map
from consilience_server.bridges.stitching_map import StitchingMap
from consilience_server.core.control import Control
from consilience_server.core.errors import DeviceMissing, MessageTooLarge
from consilience_server.core.similarity import Similarity

N, LATENT = 120, 6
RNG = np.random.default_rng(11)
LATENTS = RNG.standard_normal((N, LATENT))


def view(width):
    rows = LATENTS @ RNG.standard_normal((LATENT, width)) + RNG.standard_normal(width) + 0.1 * RNG.standard_normal((N, width))
    return rows.astype(np.float32)


SIDES = {width: view(width) for width in (7, 12, 90)}


def artefact(bridge, method="ridge"):
    return BridgeArtefact(
        name="a-to-b",
        uid="u" * 32,
        method=method,
        map=bridge,
        source_name="a",
        source_uid="s" * 32,
        source_version=3,
        target_name="b",
        target_uid="t" * 32,
        target_version=4,
        target_similarity=Similarity.COSINE,
        fit_pairs=N,
        fit_ids_digest="d" * 64,
        held_out=None,
        candidates=(),
        seed=0,
        code_version="1.2",
        create_time=datetime(2026, 1, 2, tzinfo=UTC),
    )


def run(model, rows):
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: rows})[0]


def extremes(rows):
    """The rows at lengths from the smallest float32 to the largest, a single large entry among them."""
    scales = np.float32(10.0) ** np.linspace(-36, 36, len(rows), dtype=np.float32)
    stretched = np.array(rows * scales[:, None], dtype=np.float32)
    stretched[0] = 0.0
    stretched[0, 0] = 1e-45
    stretched[-1] = 1.0
    stretched[-1, 0] = 3e38
    return stretched


def assert_same_as_the_definition(bridge, source, target):
    export, ready = OnnxExport(), make_ready(bridge)
    for side, rows, apply in (("source", source, map_vectors), ("target", target, centre_gallery)):
        model = export.model(artefact(bridge), side)
        onnx.checker.check_model(model, full_check=True)
        for block in (rows, extremes(rows), rows[:1], rows[:0]):
            found = run(model, block)
            assert found.dtype == np.float32
            assert found.shape == (len(block), bridge.width)
            # Float64 within, rounded once: only the last bit of a float32 may differ, far below what is promised (1e-5).
            np.testing.assert_allclose(found, apply(ready, block, Control()), atol=2.0**-23, rtol=0)


@pytest.mark.parametrize("widths", [(12, 12), (7, 12), (12, 7), (90, 12)])
@pytest.mark.parametrize("method", METHODS)
def test_the_model_of_every_method_is_the_bridge(method, widths):
    source, target = (SIDES[width] for width in widths)
    bridge, _ = fit_map(method, source, target, [0.01], Control())
    assert_same_as_the_definition(bridge, source, target)


def layer(widths, hidden):
    """A stitching layer as training may leave it, with biases that no direction may be given by."""
    source, target = widths
    shapes = [(source, target), (target,), (source,), (target,), *([(source, hidden), (hidden,), (hidden, target)] if hidden else [])]
    weights, bias, source_mean, target_mean, *more = (RNG.standard_normal(shape) for shape in shapes)
    return StitchingMap(weights, bias, source_mean / 10, target_mean / 10, *more)


@pytest.mark.parametrize("widths", [(12, 12), (7, 12), (90, 7)])
@pytest.mark.parametrize("hidden", [0, 30])
def test_the_model_of_a_stitching_layer_is_the_layer(widths, hidden):
    made = layer(widths, hidden)
    assert_same_as_the_definition(made, *(SIDES[width] for width in widths))
    for lost in (np.zeros((1, widths[0]), np.float32),):
        assert not run(OnnxExport().model(artefact(made), "source"), lost).any()
        assert not make_ready(made).map_block(lost).any()


def test_a_chain_goes_through_a_stitching_layer():
    last, _ = fit_map("ridge", SIDES[12], SIDES[90], [0.01], Control())
    assert_same_as_the_definition(ChainMap((layer((7, 12), 20), last)), SIDES[7], SIDES[90])


def test_the_model_of_a_chain_is_the_chain():
    parts = [
        fit_map(method, SIDES[source], SIDES[target], [0.01], Control())[0]
        for method, source, target in (("ridge", 7, 12), ("mean_shift", 12, 12), ("csa", 12, 90))
    ]
    assert_same_as_the_definition(ChainMap(tuple(parts)), SIDES[7], SIDES[90])


@pytest.mark.parametrize("method", ["csa", "ridge"])
def test_what_loses_its_direction_comes_out_as_zeros(method):
    bridge, _ = fit_map(method, SIDES[12], SIDES[7], [0.01], Control())
    mean = SIDES[12][0].astype(np.float64)
    mean /= np.linalg.norm(mean)
    at_mean = replace(bridge, source_mean=mean)
    back, _ = fit_map("ridge", SIDES[7], SIDES[12], [0.01], Control())
    nothing = replace(bridge, weights=np.zeros_like(bridge.weights))
    assert not run(OnnxExport().model(artefact(bridge), "source"), np.zeros((1, 12), dtype=np.float32)).any()
    for lost in (at_mean, nothing, ChainMap((replace(at_mean, target_weights=None, correlations=None), back))):
        assert not run(OnnxExport().model(artefact(lost), "source"), SIDES[12][:1]).any()
        assert not make_ready(lost).map_block(SIDES[12][:1]).any()


def test_where_it_comes_from_travels_with_it():
    bridge, _ = fit_map("procrustes", SIDES[7], SIDES[12], [1.0], Control())
    told = artefact(bridge, "procrustes")
    written = OnnxExport().model(told, "source")
    assert OnnxExport().model(told, "source") == written
    model = onnx.load_model_from_string(written)
    props = {entry.key: entry.value for entry in model.metadata_props}
    assert list(props) == sorted(props)
    expected = {
        "bridge": "a-to-b", "bridge_uid": "u" * 32, "direction": "a -> b", "method": "procrustes", "side": "source", "source_dim": "7",
        "source_uid": "s" * 32, "source_version": "3", "target_dim": "12", "target_uid": "t" * 32, "target_version": "4", "width": "12",
        "code_version": "1.2", "fit_ids_digest": "d" * 64, "leads_into_target": "true",
    }  # fmt: skip
    assert {key: props[f"consilience.{key}"] for key in expected} == expected
    assert [entry.name for entry in (*model.graph.input, *model.graph.output)] == ["source", "mapped"]
    of_target = onnx.load_model_from_string(OnnxExport().model(told, "target"))
    assert [entry.name for entry in (*of_target.graph.input, *of_target.graph.output)] == ["target", "gallery"]
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "rows"
    assert (model.ir_version, model.opset_import[0].version) == (8, 17)


def test_what_no_protocol_buffer_holds_is_refused(monkeypatch):
    monkeypatch.setattr(onnx_model, "_MOST_BYTES", 100)
    with pytest.raises(MessageTooLarge, match="holds up to 100"):
        OnnxExport().model(artefact(BridgeMap(np.eye(9), np.zeros(9), np.zeros(9))), "source")


def test_a_step_without_nodes_is_named():
    with pytest.raises(TypeError, match="object has no ONNX nodes"):
        nodes(object(), GraphParts(), "rows")


def test_bridges_applied_by_onnxruntime_are_the_bridge():
    runtime = OnnxBridges(1, "cpu")
    assert runtime.name == "onnxruntime-cpu"
    bridge, _ = fit_map("csa", SIDES[12], SIDES[7], [0.01], Control())
    ready, plain = runtime.ready(bridge), make_ready(bridge)
    assert (ready.source_dim, ready.target_dim, ready.width, ready.nbytes) == (12, 7, bridge.width, 2 * bridge.nbytes)
    for apply, rows in ((map_vectors, SIDES[12]), (centre_gallery, SIDES[7])):
        np.testing.assert_allclose(apply(ready, rows, Control()), apply(plain, rows, Control()), atol=2.0**-23, rtol=0)


def test_a_gpu_that_onnxruntime_lacks_is_refused(monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(DeviceMissing, match="onnxruntime-gpu"):
        OnnxBridges(1, "cuda")
    assert OnnxBridges(1, "auto").name == "onnxruntime-cpu"
