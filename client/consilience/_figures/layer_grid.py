"""Every layer of one model against every layer of another."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience._figures.canvas import FAINT, INK, RED, SEQUENTIAL, headline, sheet


def layer_grid(scores: NDArray[np.float64], best: tuple[int, int] | None, *, title: str, x: str, y: str, label: str) -> Any:
    """(L_x, L_y) scores, first layers at the lower left; the chosen pair is framed."""
    rows, columns = scores.shape
    figure, axes = sheet(max(3.4, min(0.32 * columns + 2.2, 11.0)), max(2.8, min(0.32 * rows + 1.7, 10.0)))
    image = axes.imshow(np.ma.masked_invalid(scores), cmap=SEQUENTIAL, origin="lower", aspect="equal")
    if rows * columns <= 80:
        middle = float(np.nanmean([np.nanmin(scores), np.nanmax(scores)]))
        for i in range(rows):
            for j in range(columns):
                if np.isfinite(scores[i, j]):
                    ink = "white" if scores[i, j] > middle else INK
                    axes.text(j, i, f"{scores[i, j]:.2f}", ha="center", va="center", fontsize=6, color=ink)
    if best is not None:
        from matplotlib.patches import Rectangle

        axes.add_patch(Rectangle((best[1] - 0.5, best[0] - 0.5), 1, 1, fill=False, edgecolor=RED, linewidth=2))
    for axis, count, name in ((axes.xaxis, columns, y), (axes.yaxis, rows, x)):
        step = max(1, -(-count // 12))
        axis.set_ticks(list(range(0, count, step)))
        axis.set_label_text(f"layer of {name}", fontsize=9, color=INK)
    axes.tick_params(length=0, labelsize=8, labelcolor=FAINT)
    for spine in axes.spines.values():
        spine.set_visible(False)
    bar = figure.colorbar(image, ax=axes, fraction=0.045, pad=0.03)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=8, labelcolor=FAINT)
    bar.set_label(label, fontsize=9, color=INK)
    headline(figure, title)
    return figure
