"""How far each two of many spaces agree."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience._results.alignment_report import Within
from consilience._results.alignment_text import cautions
from consilience._results.base import Result, asked, import_pandas, number
from consilience._results.space import SpaceUse


@dataclass(frozen=True, eq=False, repr=False)
class AlignmentMatrix(Result):
    """All pairs of M spaces; every array is (M, M), and symmetric but for `cycle_knn` and `cknna` (row x, column y).

    Attributes:
        metric: for example `mutual_knn`.
        k: 0 for metrics without neighbours.
        spaces: the M names, the order of rows and columns.
        versions: the version of each that was used.
        scores: float64; the diagonal is each space's score with itself.
        chance, excess, calibrated: float64, as in AlignmentReport.
        p_values: float64, NaN on the diagonal.
        interval_low, interval_high: float64.
        interval_kind, confidence: what the intervals mean.
        n: int64, items that each pair's score is over; all equal under `items="common"`.
        gallery: int64, items that they were asked against.
        query_sampling: as in AlignmentReport.
        items: `common` or `pairwise`; pairwise scores of different n do not compare.
        permutations, seed, alpha, preprocess, engine, within, warnings: as in AlignmentReport.
    """

    metric: str
    k: int
    spaces: tuple[str, ...]
    versions: tuple[SpaceUse, ...]
    scores: NDArray[np.float64]
    chance: NDArray[np.float64]
    excess: NDArray[np.float64]
    calibrated: NDArray[np.float64]
    p_values: NDArray[np.float64]
    interval_low: NDArray[np.float64]
    interval_high: NDArray[np.float64]
    interval_kind: str
    confidence: float
    n: NDArray[np.int64]
    items: str
    permutations: int
    seed: int
    alpha: float
    preprocess: str
    engine: str
    gallery: NDArray[np.int64]
    query_sampling: str = "all"
    within: Within | None = None
    warnings: tuple[str, ...] = ()

    def to_pandas(self, values: str = "scores") -> Any:
        """One of the arrays as a DataFrame with the names on both axes. Needs `consilience[report]`."""
        return import_pandas().DataFrame(getattr(self, values), index=list(self.spaces), columns=list(self.spaces))

    def figures(self) -> Mapping[str, Callable[[], Any]]:
        """`heatmap`, with stars where a score is above chance."""
        return {"heatmap": self._draw_heatmap}

    def _draw_heatmap(self) -> Any:
        from consilience._figures.heatmap import heatmap

        name = f"{self.metric}@{self.k}" if self.k else self.metric
        tested = bool(np.isfinite(self.p_values).any())
        title = f"{name} of {len(self.spaces)} spaces"
        return heatmap(self.spaces, self.scores, title=title, p_values=self.p_values if tested else None, label=name)

    def __repr__(self) -> str:
        name = f"{self.metric}@{self.k}" if self.k else self.metric
        alike = self.n.size and (self.n == self.n.flat[0]).all() and (self.gallery == self.gallery.flat[0]).all()
        common = asked(int(self.n.flat[0]), int(self.gallery.flat[0])) if alike else "n differs by pair"
        title = f"{name} of {len(self.spaces)} spaces · items={self.items} · {common} · {self.permutations:,} permutations"
        title += f" {self.within}" if self.within else ""
        return "\n".join([title, _table(self.spaces, self.scores), *cautions(self.warnings)])


def _table(names: Sequence[str], values: NDArray[np.float64]) -> str:
    cells = [[number(float(value)) for value in row] for row in values]
    width = max((len(text) for text in (*names, *(cell for row in cells for cell in row))), default=0)
    head = " ".join([" " * width, *(name.rjust(width) for name in names)])
    lines = [" ".join([name.ljust(width), *(cell.rjust(width) for cell in row)]) for name, row in zip(names, cells, strict=True)]
    return "\n".join([head, *lines])
