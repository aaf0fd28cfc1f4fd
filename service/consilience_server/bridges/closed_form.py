"""A map with a closed form: one matrix, or one a side."""

from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.space_map import Tensors
from consilience_server.bridges.steps import Centre, Coordinates, Linear, SideName, Step, Unit


@dataclass(frozen=True)
class BridgeMap:
    """A closed form: one matrix, or one a side.

    With c(x; m) = unit(unit(x) - m), a source vector becomes unit(c(x; source_mean) @ weights). Where `target_weights` is None, a gallery
    vector becomes c(t; target_mean), and both meet in the centred target space; else unit(c(t; target_mean) @ target_weights), and both
    meet in a space of their own. They are compared by cosine; with `correlations` by that of `core/csa.py`. Identity has the unit matrix
    and zero means; mean shift has the unit matrix and the means of the fit.

    Attributes:
        weights: (d_source, d) float64; d = d_target where both meet in the target space.
        source_mean: (d_source,) float64, of the unit source rows of the fit.
        target_mean: (d_target,) float64, of the unit target rows of the fit.
        target_weights: (d_target, d) float64, or None.
        correlations: (d,) float64 in [0, 1], or None.
    """

    kind: ClassVar[str] = "closed_form"

    weights: NDArray[np.float64]
    source_mean: NDArray[np.float64]
    target_mean: NDArray[np.float64]
    target_weights: NDArray[np.float64] | None = None
    correlations: NDArray[np.float64] | None = None

    @property
    def leads_into_target(self) -> bool:
        """Whether mapped vectors are vectors of the (centred) target space: only then can they be stored or composed there."""
        return self.target_weights is None

    @property
    def width(self) -> int:
        """Of the vectors that are compared."""
        return int(self.weights.shape[1]) + (2 if self.correlations is not None else 0)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(int(array.nbytes) for array in self.tensors().values())

    def steps(self, side: SideName) -> tuple[Step, ...]:
        """As the class says."""
        mean, weights = (self.source_mean, self.weights) if side == "source" else (self.target_mean, self.target_weights)
        steps: tuple[Step, ...] = (Centre(mean),) if weights is None else (Centre(mean), Linear(weights), Unit())
        return steps if self.correlations is None else (*steps, Coordinates(self.correlations, side))

    def tensors(self) -> Tensors:
        """By the names of the attributes."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: array for name, array in arrays.items() if array is not None}
