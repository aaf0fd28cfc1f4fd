"""How far each two of many spaces agree, as a heatmap in the order of a dendrogram."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience._figures.canvas import FAINT, INK, SEQUENTIAL, headline, sheet, shortened


def heatmap(
    names: Sequence[str],
    scores: NDArray[np.float64],
    *,
    title: str,
    p_values: NDArray[np.float64] | None = None,
    p_name: str = "p",
    order: Sequence[int] | None = None,
    label: str = "score",
) -> Any:
    """The matrix with its numbers, and stars where a score is above chance; the diagonal is left out.

    Args:
        names: of the M spaces.
        scores: (M, M).
        title: of the figure.
        p_values: (M, M), NaN where there is none: * at most .05, ** at most .01, *** at most .001.
        p_name: what they are, for the legend.
        order: the rows and columns in this order.
        label: of the colour bar.
    """
    count = len(names)
    rank = list(order) if order is not None else list(range(count))
    shown, told = scores[np.ix_(rank, rank)].astype(np.float64), shortened([names[at] for at in rank])
    shown[np.eye(count, dtype=bool)] = np.nan
    side = max(3.2, min(0.62 * count + 2.2, 13.0))
    figure, axes = sheet(side + 0.9, side)
    finite = shown[np.isfinite(shown)]
    low, high = (min(0.0, float(finite.min())), max(float(finite.max()), 1e-9)) if len(finite) else (0.0, 1.0)
    image = axes.imshow(np.ma.masked_invalid(shown), cmap=SEQUENTIAL, vmin=low, vmax=high)
    size = max(4.5, min(8.5, 110.0 / (count + 4)))
    for i in range(count):
        for j in range(count):
            if np.isfinite(shown[i, j]):
                stars = _stars(float(p_values[rank[i], rank[j]])) if p_values is not None else ""
                ink = "white" if (shown[i, j] - low) / (high - low) > 0.55 else INK
                text = f"{shown[i, j]:.2f}\n{stars}" if stars else f"{shown[i, j]:.2f}"
                axes.text(j, i, text, ha="center", va="center", fontsize=size, color=ink, linespacing=0.9)
    axes.set_xticks(range(count), told, rotation=40, ha="right", rotation_mode="anchor", fontsize=8, color=INK)
    axes.set_yticks(range(count), told, fontsize=8, color=INK)
    axes.tick_params(length=0)
    axes.set_facecolor("#f1f2f5")
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xticks(np.arange(count + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(count + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    bar = figure.colorbar(image, ax=axes, fraction=0.045, pad=0.02)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=8, labelcolor=FAINT)
    bar.set_label(label, fontsize=9, color=INK)
    if p_values is not None:
        figure.supxlabel(f"* {p_name} <= .05    ** <= .01    *** <= .001", fontsize=7.5, color=FAINT, x=0.99, ha="right")
    headline(figure, title)
    return figure


def _stars(p_value: float) -> str:
    if not np.isfinite(p_value):
        return ""
    return "*" * sum(p_value <= level * (1 + 1e-9) for level in (0.05, 0.01, 0.001))
