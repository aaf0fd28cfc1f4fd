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
