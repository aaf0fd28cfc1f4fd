"""A caller's ONNX classifier, checked before it runs: what it reads, what it tells, and that it stands alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, load_model_from_string

from consilience_server.adapters.onnx_bridge import run_session
from consilience_server.core.control import Control
from consilience_server.core.errors import DimensionMismatch, InvalidArgument, NotFinite, ShapeMismatch

_BLOCK_ROWS = 1024
_LOOPS = frozenset({"Loop", "Scan"})
_SCORES, _LABELS = frozenset({"tensor(float)", "tensor(double)", "tensor(float16)"}), frozenset({"tensor(int64)", "tensor(string)"})
_EXPECTED = (
    "a head takes one input, (rows, width) float32 with any number of rows, "
    "and its first output is (rows, classes) scores or (rows,) labels"
)


class OnnxHeads:
    """`HeadLoader` of onnxruntime on the CPU; `threads` of one session."""

    def __init__(self, threads: int) -> None:
        self._threads = threads

    def load(self, model: bytes, width: int, classes: Sequence[str]) -> "OnnxHead":
        """A session, once the model has passed.

        Raises:
            InvalidArgument: no ONNX model, one that onnxruntime does not load, that reads files beside it, or that loops.
            DimensionMismatch: for vectors of another width.
            ShapeMismatch: other inputs and outputs; another number of classes than names.
        """
        _check_alone(_parsed(model))
        try:
            session = run_session(model, self._threads, ["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own exceptions have no common base
            raise InvalidArgument(f"onnxruntime does not load the head: {_first_line(error)}", field="head") from error
        given = [(entry.name, entry.type, list(entry.shape)) for entry in session.get_inputs()]
        name, kind, shape = given[0] if given else ("", "", [])
        if len(given) != 1 or kind != "tensor(float)" or len(shape) != 2 or isinstance(shape[0], int):
            told = ", ".join(f"{kind} {shape}" for _, kind, shape in given) or "nothing"
            raise ShapeMismatch(f"{_EXPECTED}; this one takes {told}", field="head")
        taken = shape[1]
        if isinstance(taken, int) and taken != width:
            raise DimensionMismatch(f"the head takes vectors of width {taken}; the target space has {width}", field="head")
        return OnnxHead(session, name, *_outputs(session, name, width, classes))


@dataclass(frozen=True)
class OnnxHead:
    """`Head` of one session. `classes` are the names of score columns, or None where the model tells labels itself."""

    session: onnxruntime.InferenceSession
    input: str
    output: str
    classes: tuple[str, ...] | None

    def classify(self, rows: NDArray[np.float32], control: Control) -> NDArray[np.object_]:
        """The best of its classes for each row; the first of equals."""
        found: list[NDArray[np.object_]] = []
        for first in range(0, len(rows), _BLOCK_ROWS):
            control.check()
            block = np.ascontiguousarray(rows[first : first + _BLOCK_ROWS])
            told = _run(self.session, self.output, self.input, block)
            if self.classes is None:
                found.append(np.array([str(label) for label in told.ravel()], dtype=object))
            else:
                if not np.isfinite(told).all():
                    raise NotFinite("the head's scores are not all finite", field="head")
                found.append(np.array(self.classes, dtype=object)[told.argmax(axis=1)])
        return np.concatenate(found)


def _outputs(session: onnxruntime.InferenceSession, name: str, width: int, classes: Sequence[str]) -> tuple[str, tuple[str, ...] | None]:
    """Its first output, and what the columns are called: seen on two rows, as shapes need not be declared."""
    first = session.get_outputs()[0]
    probe = np.eye(2, width, dtype=np.float32)
    told = _run(session, first.name, name, probe)
    if first.type in _LABELS and told.shape in {(2,), (2, 1)}:
        if classes:
            raise InvalidArgument("the head tells labels itself; head_classes name columns of scores: leave them out", field="head_classes")
        return first.name, None
    if first.type not in _SCORES or told.ndim != 2 or told.shape[0] != 2 or told.shape[1] < 2:
        raise ShapeMismatch(f"{_EXPECTED}; this one tells {first.type} of shape {told.shape} for 2 rows", field="head")
    names = tuple(classes) or tuple(str(number) for number in range(told.shape[1]))
    if len(names) != told.shape[1] or len(set(names)) != len(names):
        raise ShapeMismatch(
            f"{len(names)} head_classes came for {told.shape[1]} outputs; give a name to each, all different", field="head_classes"
        )
    return first.name, names


def _run(session: onnxruntime.InferenceSession, output: str, name: str, rows: NDArray[np.float32]) -> np.ndarray:
    try:
        (told,) = session.run([output], {name: rows})
    except Exception as error:  # as in load
        raise InvalidArgument(
            f"the head fails on {len(rows):,} rows of width {rows.shape[1]}: {_first_line(error)}", field="head"
        ) from error
    if not isinstance(told, np.ndarray) or not told.ndim or len(told) != len(rows):
        shape = getattr(told, "shape", type(told).__name__)
        raise ShapeMismatch(f"{_EXPECTED}; this one tells {shape} for {len(rows)} rows", field="head")
    return told


def _parsed(model: bytes) -> ModelProto:
    try:
        parsed = load_model_from_string(model)
    except Exception as error:  # protobuf's, of several kinds
        raise InvalidArgument("the head is no ONNX model: it cannot be parsed", field="head") from error
    if not parsed.graph.node:
        raise InvalidArgument("the head is no ONNX model: it has no nodes", field="head")
    return parsed


def _check_alone(model: ModelProto) -> None:
    """No tensors in files beside it, which would be the server's files; no loops, which need not end."""
    nodes = [*_nodes(model.graph), *(node for function in model.functions for node in _with_inner(function.node))]
    loops = sorted({node.op_type for node in nodes} & _LOOPS)
    if loops:
        raise InvalidArgument(f"the head has {' and '.join(loops)}; a classifier that is run for you must not loop", field="head")
    kept = [tensor for graph in _graphs(model.graph) for tensor in graph.initializer]
    kept += [part for graph in _graphs(model.graph) for sparse in graph.sparse_initializer for part in (sparse.values, sparse.indices)]
    kept += [tensor for node in nodes for attribute in node.attribute for tensor in (attribute.t, *attribute.tensors)]
    if any(tensor.data_location == TensorProto.EXTERNAL for tensor in kept):
        raise InvalidArgument("the head keeps tensors in files beside it; save it as one file, without external data", field="head")


def _graphs(graph: GraphProto) -> Iterator[GraphProto]:
    yield graph
    for node in graph.node:
        for inner in _inner(node):
            yield from _graphs(inner)


def _nodes(graph: GraphProto) -> Iterator[NodeProto]:
    return _with_inner(graph.node)


def _with_inner(nodes: Sequence[NodeProto]) -> Iterator[NodeProto]:
    for node in nodes:
        yield node
        for inner in _inner(node):
            yield from _with_inner(inner.node)


def _inner(node: NodeProto) -> Iterator[GraphProto]:
    for attribute in node.attribute:
        if attribute.type == AttributeProto.GRAPH:
            yield attribute.g
        yield from attribute.graphs


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]
