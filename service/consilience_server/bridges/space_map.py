"""What every kind of map is: where both sides of a bridge meet, and how each gets there."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from consilience_server.bridges.steps import SideName, Step

Tensors = Mapping[str, np.ndarray[Any, Any]]


class SpaceMap(Protocol):
    """A directed map. Source rows and gallery rows go through the steps of their side, and meet where cosine compares them.

    Attributes:
        kind: its name in files; `bridges/map_kinds.py` lists all.
        source_mean: (d_source,) float64 of the unit source rows of the fit; zeros where nothing is subtracted.
        target_mean: (d_target,) float64 likewise.
    """

    kind: ClassVar[str]

    @property
    def source_mean(self) -> NDArray[np.float64]: ...  # noqa: D102  # told above

    @property
    def target_mean(self) -> NDArray[np.float64]: ...  # noqa: D102  # told above

    @property
    def width(self) -> int:
        """Of the vectors that are compared."""
        ...

    @property
    def leads_into_target(self) -> bool:
        """Whether the target's side is no more than `Centre(target_mean)`: mapped vectors are then vectors of the centred target space."""
        ...

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        ...

    def steps(self, side: SideName) -> Sequence[Step]:
        """What a row of that side goes through, from float32 values to where both sides meet. The last step makes unit rows."""
        ...

    def tensors(self) -> Tensors:
        """Everything the map is, as named arrays: what its reader in `bridges/map_kinds.py` takes."""
        ...
