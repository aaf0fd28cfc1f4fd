"""How far two spaces agree while the gallery grows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience._results.alignment_report import AlignmentReport
from consilience._results.alignment_text import cautions
from consilience._results.base import Result, asked, import_pandas, number
from consilience._results.comparison_citation import cite_curve


@dataclass(frozen=True, eq=False, repr=False)
class CurveLine(Result):
    """One question asked of every gallery: a k, or a share of its items.

    Attributes:
        name: `k = 10`, `k = n/100`; empty for metrics without neighbours.
        ks: (S,) int64, the k in each gallery.
        scores, chance, excess: (S,) float64.
        p_values, calibrated: (S,) float64; NaN without permutations.
        interval_low, interval_high: (S,) float64.
    """

    name: str
    ks: NDArray[np.int64]
    scores: NDArray[np.float64]
    chance: NDArray[np.float64]
    excess: NDArray[np.float64]
    p_values: NDArray[np.float64]
    calibrated: NDArray[np.float64]
    interval_low: NDArray[np.float64]
    interval_high: NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class GalleryCurve(Result):
    """Alignment in S nested galleries, the smallest first; `curve.lines[i]` is that of the i-th k asked.

    Attributes:
        metric: for example `mutual_knn`.
        sizes: (S,) int64, items of each gallery.
        n: (S,) int64, how many of them were asked.
        lines: one a k, numbers first, then shares.
        reports: the whole AlignmentReport of each gallery.
        warnings: which of the scores do not compare, in plain sentences.
    """

    metric: str
    sizes: NDArray[np.int64]
    n: NDArray[np.int64]
    lines: tuple[CurveLine, ...]
    reports: tuple[AlignmentReport, ...]
    warnings: tuple[str, ...] = ()

    def cite(self) -> str:
        """Sentences for a methods section: metric, galleries, every parameter, and the scores of each."""
        return cite_curve(self)

    def to_pandas(self) -> Any:
        """A DataFrame with one row a line and gallery. Needs `consilience[report]`."""
        columns = {"score": "scores", "chance": "chance", "excess": "excess", "p_value": "p_values", "calibrated": "calibrated"}
        columns |= {"interval_low": "interval_low", "interval_high": "interval_high"}
        rows = [
            {
                "line": line.name,
                "gallery": int(size),
                "n": int(self.n[at]),
                "k": int(line.ks[at]),
                **{name: float(getattr(line, column)[at]) for name, column in columns.items()},
            }
            for line in self.lines
            for at, size in enumerate(self.sizes)
        ]
        return import_pandas().DataFrame(rows)

    def subject(self) -> str:
        """`clip@3 and bge@1`."""
        return self.reports[0].subject()

    def figures(self) -> dict[str, Callable[[], Any]]:
        """`gallery_curve`: a line a k, with intervals and chance."""
        return {"gallery_curve": self._draw}

    def _draw(self) -> Any:
        from consilience._figures.gallery_curve import Curve, gallery_curve

        sizes, x, y = self.sizes.astype(np.float64), self.reports[0].x, self.reports[0].y
        curves = [
            Curve(line.name or self.metric, sizes, line.scores, line.chance, line.interval_low, line.interval_high) for line in self.lines
        ]
        title = "Nested galleries" if x is None or y is None else f"{x.name} and {y.name} in nested galleries"
        return gallery_curve(curves, title=title, label=self.metric)

    def __repr__(self) -> str:
        parts = [f"{self.metric} in nested galleries of {', '.join(f'{int(size):,}' for size in self.sizes)} items"]
        if (self.n != self.sizes).any():
            parts.append(f"{asked(int(self.n[-1]), int(self.sizes[-1]))} in the largest")
        width = max((len(line.name) for line in self.lines), default=0)
        lines = [f"{line.name.ljust(width)} {' '.join(_cells(line))}".strip() for line in self.lines]
        return "\n".join([" · ".join(parts), *lines, *cautions(self.warnings)])


def _cells(line: CurveLine) -> list[str]:
    """Score and chance in every gallery."""
    pairs = zip(line.scores.tolist(), line.chance.tolist(), strict=True)
    return [f"{number(score)} (chance {number(chance)})".rjust(22) for score, chance in pairs]
