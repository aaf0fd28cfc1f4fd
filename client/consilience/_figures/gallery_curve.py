"""Alignment while the gallery grows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience._figures.canvas import INK, headline, legend, quiet, sheet, style_of


@dataclass(frozen=True)
class Curve:
    """One line: a k, or a share of the items. `sizes`, `scores`, `chance`, `low` and `high` are (S,) float64."""

    name: str
    sizes: NDArray[np.float64]
    scores: NDArray[np.float64]
    chance: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def gallery_curve(curves: Sequence[Curve], *, title: str, label: str) -> Any:
    """Scores with their intervals against the size of the gallery, on a logarithmic axis; chance is dotted in the same colour."""
    figure, axes = sheet(6.0, 3.8)
    for number, curve in enumerate(curves):
        colour, marker = style_of(number)
        axes.fill_between(curve.sizes, curve.low, curve.high, color=colour, alpha=0.15, linewidth=0)
        axes.plot(curve.sizes, curve.scores, color=colour, marker=marker, markersize=4, linewidth=1.5, label=curve.name)
        axes.plot(curve.sizes, curve.chance, color=colour, linewidth=1, linestyle=(0, (1, 2)))
    axes.set_xscale("log")
    ticks = _apart([float(size) for size in curves[0].sizes])
    axes.set_xticks(ticks, labels=[f"{size:,.0f}" for size in ticks])
    axes.set_xticks([], minor=True)
    axes.set_ylim(bottom=0)
    quiet(axes, x="items in the gallery", y=label)
    axes.plot([], [], color=INK, linewidth=1, linestyle=(0, (1, 2)), label="chance")
    legend(axes, loc="center left", bbox_to_anchor=(1.0, 0.5))
    headline(figure, title)
    return figure


def _apart(sizes: Sequence[float]) -> list[float]:
    """The sizes, from the largest down, whose labels do not touch on a logarithmic axis."""
    least = (sizes[-1] / sizes[0]) ** (1 / 9) if len(sizes) > 1 else 1.0
    kept = [sizes[-1]]
    for size in reversed(sizes[:-1]):
        if kept[-1] / size >= least * (1 - 1e-9):
            kept.append(size)
    return kept[::-1]
