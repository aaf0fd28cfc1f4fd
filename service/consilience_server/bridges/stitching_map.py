"""A trained layer as a map: plain matrices, applied without the library that trained them."""

from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.space_map import Tensors
from consilience_server.bridges.steps import Affine, Centre, ResidualMlp, SideName, Step, Unit


@dataclass(frozen=True)
class StitchingMap:
    """A stitching layer into the centred target space.

    With c(x; m) = unit(unit(x) - m), a source vector becomes unit(f(c(x; source_mean))), f as `Affine` or, with a hidden layer, as
    `ResidualMlp` in `bridges/steps.py`; a gallery vector becomes c(t; target_mean). They are compared by cosine.

    Attributes:
        weights: (d_source, d_target) float64.
        bias: (d_target,) float64.
        source_mean: (d_source,) float64, of the unit source rows of the fit.
        target_mean: (d_target,) float64, of the unit target rows of the fit.
        hidden_weights: (d_source, h) float64; None, with the next two, where there is no hidden layer.
        hidden_bias: (h,) float64.
        output_weights: (h, d_target) float64.
    """

    kind: ClassVar[str] = "stitching"

    weights: NDArray[np.float64]
    bias: NDArray[np.float64]
    source_mean: NDArray[np.float64]
    target_mean: NDArray[np.float64]
    hidden_weights: NDArray[np.float64] | None = None
    hidden_bias: NDArray[np.float64] | None = None
    output_weights: NDArray[np.float64] | None = None

    @property
    def leads_into_target(self) -> bool:
        """Always."""
        return True

    @property
    def width(self) -> int:
        """That of the target."""
        return int(self.weights.shape[1])

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(int(array.nbytes) for array in self.tensors().values())

    def steps(self, side: SideName) -> tuple[Step, ...]:
        """As the class says."""
        if side == "target":
            return (Centre(self.target_mean),)
        if self.hidden_weights is None or self.hidden_bias is None or self.output_weights is None:
            return (Centre(self.source_mean), Affine(self.weights, self.bias), Unit())
        layer = ResidualMlp(self.weights, self.bias, self.hidden_weights, self.hidden_bias, self.output_weights)
        return (Centre(self.source_mean), layer, Unit())

    def tensors(self) -> Tensors:
        """By the names of the attributes."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: array for name, array in arrays.items() if array is not None}
