"""Small ONNX classifiers, good and bad."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper


def model(nodes, constants, inputs, outputs):
    graph = helper.make_graph(nodes, "head", inputs, outputs, constants)
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


def rows(name, width, kind=TensorProto.FLOAT, count="rows"):
    return helper.make_tensor_value_info(name, kind, [count, *([] if width is None else [width])])


def linear_head(weights, bias=None, *, count="rows"):
    """Scores x @ weights + bias."""
    weights = np.asarray(weights, dtype=np.float32)
    bias = np.zeros(weights.shape[1]) if bias is None else bias
    constants = [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(np.asarray(bias, dtype=np.float32), "b")]
    nodes = [helper.make_node("MatMul", ["x", "w"], ["p"]), helper.make_node("Add", ["p", "b"], ["y"])]
    return model(nodes, constants, [rows("x", weights.shape[0], count=count)], [rows("y", weights.shape[1], count=count)])


def label_head(weights):
    """The number of the best column of x @ weights, as a label."""
    weights = np.asarray(weights, dtype=np.float32)
    constants = [numpy_helper.from_array(weights, "w")]
    nodes = [helper.make_node("MatMul", ["x", "w"], ["p"]), helper.make_node("ArgMax", ["p"], ["y"], axis=1, keepdims=0)]
    return model(nodes, constants, [rows("x", weights.shape[0])], [rows("y", None, TensorProto.INT64)])
