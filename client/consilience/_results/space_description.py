"""One space by itself, over all its items."""

from dataclasses import dataclass
from typing import Any

from consilience._results.base import Result, number, plain
from consilience._results.certificate import Certificate
from consilience._results.space import SpaceUse
from consilience._results.space_geometry import SpaceGeometry


@dataclass(frozen=True, eq=False, repr=False)
class SpaceDescription(Result):
    """One space by itself, over all its items.

    Attributes:
        geometry: its shape.
        space: the version that was read.
        n: items.
        dim: columns after preprocessing; of a kernel, its items.
        preprocess: what was done to the vectors before.
        engine: version of the engine that computed it.
        certificate: why the neighbours are exact.
    """

    geometry: SpaceGeometry
    space: SpaceUse
    n: int
    dim: int
    preprocess: str = "none"
    engine: str = ""
    certificate: Certificate | None = None

    @property
    def hubness(self) -> float:
        """Skewness of the number of k-lists that an item is in."""
        return self.geometry.hubness

    @property
    def intrinsic_dimension(self) -> float | None:
        """By TwoNN; None where there are no distances, or too few items tell."""
        return self.geometry.intrinsic_dimension

    @property
    def effective_rank(self) -> float | None:
        """Directions that the centred vectors use; None for a kernel."""
        return self.geometry.effective_rank

    @property
    def participation_ratio(self) -> float | None:
        """The same with less weight on weak directions; None for a kernel."""
        return self.geometry.participation_ratio

    def to_dict(self) -> dict[str, Any]:
        """The description as JSON can carry it, the geometry's numbers beside the rest."""
        told = super().to_dict()
        return {"space": told.pop("space"), **plain(told.pop("geometry")), **told}

    def __repr__(self) -> str:
        shape = self.geometry
        parts = [f"{self.space.name}@{self.space.version}", f"hubness {number(shape.hubness)} (k = {shape.k})"]
        for name, value in (
            ("intrinsic dimension", shape.intrinsic_dimension),
            ("effective rank", shape.effective_rank),
            ("participation ratio", shape.participation_ratio),
        ):
            if value is not None:
                parts.append(f"{name} {value:.1f}")
        return " · ".join([*parts, f"n = {self.n:,}", f"dim = {self.dim:,}"])
