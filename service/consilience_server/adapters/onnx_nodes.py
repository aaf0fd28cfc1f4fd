"""The ONNX nodes of every step of a map: the arithmetic of `bridges/steps.py`, in float64, for any number of rows."""

from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from consilience_server.bridges.steps import Affine, Centre, Coordinates, Linear, ResidualMlp, Step, Uncentre, Unit
from consilience_server.core.centring import NO_DIRECTION

_TINY = 2.0**-1000
"""Below the length of every float32 row but the zero row, which so divides to zero."""


class GraphParts:
    """Nodes and constants of a graph as it grows; names follow from the order alone."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """A node; the name of its output."""
        name = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name, **attributes))
        return name

    def constant(self, value: NDArray[np.float64] | NDArray[np.int64] | float) -> str:
        """The name of a constant."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(np.asarray(value)), name))
        return name

    def sums(self, rows: str) -> str:
        """The sum of each row, a column."""
        return self.add("ReduceSum", rows, self.constant(np.array([-1])), keepdims=1)

    def squares(self, rows: str) -> str:
        """The squared length of each row, a column."""
        return self.sums(self.add("Mul", rows, rows))

    def where_not_below(self, values: str, floor: float) -> str:
        """1.0 where a value is at least `floor`, else 0.0."""
        return self.add("Cast", self.add("GreaterOrEqual", values, self.constant(floor)), to=TensorProto.DOUBLE)

    def unit(self, rows: str, squares: str) -> str:
        """Rows by their lengths; a zero row stays zero."""
        return self.add("Div", rows, self.add("Max", self.add("Sqrt", squares), self.constant(_TINY)))


@singledispatch
def nodes(step: Step, graph: GraphParts, rows: str) -> str:
    """Add the nodes of a step; the name of the rows that they yield.

    Args:
        step: of a registered type; TypeError for another.
        graph: to add to.
        rows: name of the (n, a) float64 rows that the step is given.
    """
    del graph, rows
    raise TypeError(f"{type(step).__name__} has no ONNX nodes: register a function for it in adapters/onnx_nodes.py")


@nodes.register
def _unit(_step: Unit, graph: GraphParts, rows: str) -> str:
    return graph.unit(rows, graph.squares(rows))


@nodes.register
def _centre(step: Centre, graph: GraphParts, rows: str) -> str:
    lengths = graph.squares(rows)
    offsets = graph.add("Sub", graph.unit(rows, lengths), graph.constant(step.mean))
    squares = graph.squares(offsets)
    kept = graph.add("Mul", graph.where_not_below(squares, NO_DIRECTION**2), graph.where_not_below(lengths, _TINY))
    return graph.add("Mul", graph.unit(offsets, squares), kept)


@nodes.register
def _uncentre(step: Uncentre, graph: GraphParts, rows: str) -> str:
    along = graph.sums(graph.add("Mul", rows, graph.constant(step.mean)))
    room = graph.constant(1.0 - float(step.mean @ step.mean))
    reach = graph.add("Sub", graph.add("Sqrt", graph.add("Add", graph.add("Mul", along, along), room)), along)
    found = graph.add("Add", graph.add("Mul", rows, reach), graph.constant(step.mean))
    # Rows here have unit length or none.
    return graph.add("Mul", found, graph.where_not_below(graph.squares(rows), 0.5))


@nodes.register
def _linear(step: Linear, graph: GraphParts, rows: str) -> str:
    return graph.add("MatMul", rows, graph.constant(step.weights))


@nodes.register
def _coordinates(step: Coordinates, graph: GraphParts, rows: str) -> str:
    placed = graph.add("Mul", rows, graph.constant(np.sqrt(step.correlations)))
    left = graph.add("Max", graph.add("Sub", graph.constant(1.0), graph.squares(placed)), graph.constant(0.0))
    rest = graph.add("Mul", graph.add("Sqrt", left), graph.where_not_below(graph.squares(rows), 0.5))
    nothing = graph.add("Mul", rest, graph.constant(0.0))
    return graph.add("Concat", placed, *((rest, nothing) if step.side == "source" else (nothing, rest)), axis=-1)


@nodes.register
def _affine(step: Affine, graph: GraphParts, rows: str) -> str:
    product = graph.add("MatMul", rows, graph.constant(step.weights))
    return _directed(graph.add("Add", product, graph.constant(step.bias)), graph, rows)


@nodes.register
def _residual_mlp(step: ResidualMlp, graph: GraphParts, rows: str) -> str:
    into = graph.add("MatMul", rows, graph.constant(step.hidden_weights))
    hidden = graph.add("Max", graph.add("Add", into, graph.constant(step.hidden_bias)), graph.constant(0.0))
    straight = graph.add("Add", graph.add("MatMul", rows, graph.constant(step.weights)), graph.constant(step.bias))
    reached = graph.add("Add", straight, graph.add("MatMul", hidden, graph.constant(step.output_weights)))
    return _directed(reached, graph, rows)


def _directed(mapped: str, graph: GraphParts, rows: str) -> str:
    """Without the bias where there was no direction: rows here have unit length or none."""
    return graph.add("Mul", mapped, graph.where_not_below(graph.squares(rows), 0.5))
