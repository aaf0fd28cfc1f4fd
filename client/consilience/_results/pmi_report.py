"""A space made of counts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience._results.base import Result, number
from consilience._results.space import Space


@dataclass(frozen=True, eq=False, repr=False)
class PmiReport(Result):
    """The space of pointwise mutual information that `pmi_space` made.

    Attributes:
        space: the space.
        form: `embedding` or `kernel`.
        items: in the space.
        contexts: columns of the counts.
        cells: of the counts, above 0.
        total: their sum.
        singular_values: (rank,) float64 of the embedding's axes, descending; empty for a kernel.
        kept: share of the PMI matrix's squared Frobenius norm that they hold; 1 for a kernel.
        dropped: items without a place: they occur with nothing, all their values are 0, or none of the axes holds them
            (ask a larger rank).
        dropped_ids: up to 100 of them.
        positive, context_smoothing, shift, smoothing: as asked.
    """

    space: Space
    form: str
    items: int
    contexts: int
    cells: int
    total: float
    singular_values: NDArray[np.float64]
    kept: float
    dropped: int
    dropped_ids: tuple[str, ...]
    positive: bool
    context_smoothing: float
    shift: float
    smoothing: float

    def __repr__(self) -> str:
        what = f"{self.space.dim} axes, {self.kept:.1%} of the norm" if self.form == "embedding" else "a kernel"
        parts = [f"{'PPMI' if self.positive else 'PMI'} {self.space.name}@{self.space.version}", f"{self.items:,} items, {what}"]
        parts.append(f"{self.cells:,} cells of {self.items + self.dropped:,} x {self.contexts:,}, {self.total:,.0f} in all")
        named = {"context smoothing": (self.context_smoothing, 1.0), "shift": (self.shift, 0.0), "smoothing": (self.smoothing, 0.0)}
        parts += [f"{name} {number(value)}" for name, (value, plain) in named.items() if value != plain]
        if self.dropped:
            shown = ", ".join(self.dropped_ids[:3])
            parts.append(f"{self.dropped:,} items dropped ({shown}{', ...' if self.dropped > 3 else ''})")
        return " · ".join(parts)
