"""The arithmetic of maps, step by step: what a side of a bridge does to a row, as data.

Every kind of map tells the steps of either side (`SpaceMap.steps`). `bridges/apply.py` runs them in float64; `adapters/onnx_nodes.py` has
the ONNX nodes of each. A new kind of step is a class with `ready`, and a function there under `@nodes.register`; nothing else has to know.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.centring import centred, uncentred, unit
from consilience_server.core.csa import csa_coordinates
from consilience_server.core.exact_product import cut, exact_product

Rows = NDArray[np.float64]
SideName = Literal["source", "target"]


class Step(Protocol):
    """(n, a) float64 rows to (n, b) float64 rows, each row by itself; a row of zeros has no direction and stays zero."""

    def ready(self) -> Callable[[Rows], Rows]:
        """The step as a function, with what can be prepared once prepared. A row's result may not depend on the other rows."""
        ...


@dataclass(frozen=True)
class Unit:
    """x / |x|."""

    def ready(self) -> Callable[[Rows], Rows]:
        """`core/centring.py: unit`."""
        return unit


@dataclass(frozen=True)
class Centre:
    """unit(unit(x) - mean); zero where the unit row is the mean."""

    mean: Rows

    def ready(self) -> Callable[[Rows], Rows]:
        """`core/centring.py: centred`."""
        return lambda rows: centred(rows, self.mean)


@dataclass(frozen=True)
class Uncentre:
    """The unit row that `Centre` takes to x."""

    mean: Rows

    def ready(self) -> Callable[[Rows], Rows]:
        """`core/centring.py: uncentred`."""
        return lambda rows: uncentred(rows, self.mean)


@dataclass(frozen=True)
class Linear:
    """x @ weights, every bit the same on every machine."""

    weights: Rows

    def ready(self) -> Callable[[Rows], Rows]:
        """`core/exact_product.py`; the weights are cut once (768 x 768: about 10 ms)."""
        weights = cut(self.weights, inner_axis=0)
        return lambda rows: exact_product(cut(rows, inner_axis=1), weights)


@dataclass(frozen=True)
class Coordinates:
    """What CSA compares: coordinates weighted by their correlations, two columns more (`core/csa.py`)."""

    correlations: Rows
    side: SideName

    def ready(self) -> Callable[[Rows], Rows]:
        """`core/csa.py: csa_coordinates`."""
        return lambda rows: csa_coordinates(rows, self.correlations, self.side)


@dataclass(frozen=True)
class Affine:
    """x @ weights + bias, every bit the same on every machine."""

    weights: Rows
    bias: Rows

    def ready(self) -> Callable[[Rows], Rows]:
        """`core/exact_product.py`, then one addition an entry."""
        product = Linear(self.weights).ready()
        return lambda rows: _directed(product(rows) + self.bias, rows)


@dataclass(frozen=True)
class ResidualMlp:
    """x @ weights + bias + relu(x @ hidden_weights + hidden_bias) @ output_weights, every bit the same on every machine.

    relu(z) = max(z, 0): unlike smooth activations it is exact, so NumPy, ONNX and torch agree on it.
    """

    weights: Rows
    bias: Rows
    hidden_weights: Rows
    hidden_bias: Rows
    output_weights: Rows

    def ready(self) -> Callable[[Rows], Rows]:
        """Three products of `core/exact_product.py`, added in the order of the formula."""
        straight, into, out = (Linear(weights).ready() for weights in (self.weights, self.hidden_weights, self.output_weights))

        def run(rows: Rows) -> Rows:
            hidden = np.maximum(into(rows) + self.hidden_bias, 0.0)
            return _directed(straight(rows) + self.bias + out(hidden), rows)

        return run


def _directed(mapped: Rows, rows: Rows) -> Rows:
    """Without the bias where there was no direction."""
    mapped[~rows.any(axis=1)] = 0.0
    return mapped
