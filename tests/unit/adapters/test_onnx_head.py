import numpy as np
import pytest
from onnx import TensorProto, helper, load_model_from_string, numpy_helper
from support.onnx_heads import label_head, linear_head, model, rows

from consilience_server.adapters.onnx_head import OnnxHeads
from consilience_server.core import errors
from consilience_server.core.control import Control

RNG = np.random.default_rng(1)
WEIGHTS = RNG.standard_normal((5, 3)).astype(np.float32)
X = RNG.standard_normal((2500, 5)).astype(np.float32)
HEADS = OnnxHeads(1)


def test_the_best_score_names_the_class():
    expected = (X @ WEIGHTS).argmax(axis=1)
    found = HEADS.load(linear_head(WEIGHTS), 5, ["cat", "dog", "owl"]).classify(X, Control())
    assert found.tolist() == [["cat", "dog", "owl"][column] for column in expected]
    unnamed = HEADS.load(linear_head(WEIGHTS), 5, ())
    assert unnamed.classes == ("0", "1", "2")
    assert unnamed.classify(X, Control()).tolist() == [str(column) for column in expected]


def test_labels_are_told_as_they_are():
    head = HEADS.load(label_head(WEIGHTS), 5, ())
    assert head.classes is None
    assert head.classify(X, Control()).tolist() == [str(column) for column in (X @ WEIGHTS).argmax(axis=1)]


def with_external_data():
    """Its weights would be read from a file of the server."""
    parsed = load_model_from_string(linear_head(WEIGHTS))
    tensor = parsed.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../etc/passwd"
    return parsed.SerializeToString()


def with_external_constant_inside():
    """The same in a branch of an If."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[5, 3], data_location=TensorProto.EXTERNAL)
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "weights.bin"
    inner = helper.make_graph([helper.make_node("Constant", [], ["w"], value=tensor)], "inner", [], [rows("w", 3, count=5)])
    nodes = [
        helper.make_node("If", ["yes"], ["v"], then_branch=inner, else_branch=inner),
        helper.make_node("MatMul", ["x", "v"], ["y"]),
    ]
    return model(nodes, [numpy_helper.from_array(np.array(True), "yes")], [rows("x", 5)], [rows("y", 3)])


def with_loop():
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"])],
        "body",
        [helper.make_tensor_value_info("i", TensorProto.INT64, []), helper.make_tensor_value_info("go", TensorProto.BOOL, [])],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, [])],
    )
    nodes = [helper.make_node("Loop", ["", "yes"], [], body=body), helper.make_node("Identity", ["x"], ["y"])]
    return model(nodes, [numpy_helper.from_array(np.array(True), "yes")], [rows("x", 5)], [rows("y", 5)])


def reshaped(shape):
    nodes = [helper.make_node("Reshape", ["x", "s"], ["y"])]
    return model(nodes, [numpy_helper.from_array(np.array(shape), "s")], [rows("x", 5)], [helper.make_tensor_value_info("y", 1, None)])


TWO_INPUTS = model([helper.make_node("Add", ["a", "b"], ["y"])], [], [rows("a", 5), rows("b", 5)], [rows("y", 5)])
UNKNOWN = model([helper.make_node("NoSuchOperator", ["x"], ["y"])], [], [rows("x", 5)], [rows("y", 5)])
BAD = [
    (b"no model", (), errors.InvalidArgument, "no ONNX model"),
    (b"", (), errors.InvalidArgument, "no ONNX model"),
    (UNKNOWN, (), errors.InvalidArgument, "does not load"),
    (with_external_data(), (), errors.InvalidArgument, "files beside it"),
    (with_external_constant_inside(), (), errors.InvalidArgument, "files beside it"),
    (with_loop(), (), errors.InvalidArgument, "must not loop"),
    (TWO_INPUTS, (), errors.ShapeMismatch, "takes one input"),
    (linear_head(WEIGHTS, count=1), (), errors.ShapeMismatch, "any number of rows"),
    (linear_head(WEIGHTS[:4]), (), errors.DimensionMismatch, "width 4; the target space has 5"),
    (linear_head(WEIGHTS[:, :1]), (), errors.ShapeMismatch, r"\(2, 1\) for 2 rows"),
    (reshaped([-1]), (), errors.ShapeMismatch, "for 2 rows"),
    (linear_head(WEIGHTS), ("a", "b"), errors.ShapeMismatch, "2 head_classes came for 3 outputs"),
    (linear_head(WEIGHTS), ("a", "b", "b"), errors.ShapeMismatch, "all different"),
    (label_head(WEIGHTS), ("a", "b", "c"), errors.InvalidArgument, "leave them out"),
]


@pytest.mark.parametrize(("head", "classes", "error", "message"), BAD)
def test_bad_heads(head, classes, error, message):
    with pytest.raises(error, match=message):
        HEADS.load(head, 5, classes)


def test_scores_must_be_finite():
    head = HEADS.load(linear_head(WEIGHTS * np.float32(1e30)), 5, ())
    with pytest.raises(errors.NotFinite):
        head.classify(np.full((1, 5), 1e30, dtype=np.float32), Control())
