"""The two pictures: how far the encoders agree, and what the bridge finds."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle

INK = "#1f2430"
FAINT = "#8a90a0"
RIGHT = "#159957"


def draw_alignment(path: Path, names: Sequence[str], controls: int, scores: NDArray[np.float64], title: str, subtitle: str) -> None:
    """The matrix as a heatmap; the last `controls` rows and columns stand apart, the diagonal is left out."""
    count = len(names)
    gap = 0.22
    places = np.arange(count) + gap * (np.arange(count) >= count - controls)
    shown = scores[~np.eye(count, dtype=bool)]
    colours = mpl.colormaps["YlGnBu"]
    scale = mpl.colors.Normalize(0, np.ceil(shown.max() * 10) / 10)
    figure, axes = plt.subplots(figsize=(10, 8.6), dpi=150)
    figure.subplots_adjust(left=0.16, right=0.95, top=0.8, bottom=0.03)
    for i in range(count):
        for j in range(count):
            same = i == j
            axes.add_patch(Rectangle((places[j], places[i]), 0.96, 0.96, color="#f1f2f5" if same else colours(scale(scores[i, j]))))
            if not same:
                ink = "white" if scale(scores[i, j]) > 0.5 else INK
                axes.text(places[j] + 0.48, places[i] + 0.49, f"{scores[i, j]:.2f}", ha="center", va="center", fontsize=11, color=ink)
    axes.set(xlim=(0, places[-1] + 1), ylim=(places[-1] + 1, 0), aspect="equal")
    axes.xaxis.tick_top()
    axes.set_xticks(places + 0.48, names, rotation=38, ha="left", fontsize=11, color=INK)
    axes.set_yticks(places + 0.48, names, fontsize=11, color=INK)
    for label in (*axes.get_xticklabels()[-controls:], *axes.get_yticklabels()[-controls:]):
        label.set(style="italic", color=FAINT)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    figure.text(0.03, 0.965, title, fontsize=16, color=INK, weight="bold", va="top")
    figure.text(0.03, 0.928, subtitle, fontsize=10, color=FAINT, va="top")
    bar = figure.colorbar(mpl.cm.ScalarMappable(scale, colours), ax=axes, fraction=0.03, pad=0.02, aspect=36)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=9, labelcolor=FAINT)
    figure.savefig(path)
    plt.close(figure)


def draw_matches(path: Path, queries: NDArray[np.float64], matches: NDArray[np.float64], right: NDArray[np.bool_], title: str) -> None:
    """One row a query: (q, 8, 8) images left, their (q, k, 8, 8) matches right; the true partner is framed."""
    count, k = right.shape
    figure, axes = plt.subplots(count, k + 1, figsize=(k + 2.2, count + 1.0), dpi=150, gridspec_kw={"wspace": 0.12, "hspace": 0.12})
    figure.subplots_adjust(left=0.03, right=0.97, top=0.9, bottom=0.02)
    for row in range(count):
        for column in range(k + 1):
            cell = axes[row, column]
            image = queries[row] if column == 0 else matches[row, column - 1]
            cell.imshow(image, cmap="Greys", vmin=0, vmax=1.15, interpolation="nearest")
            cell.set(xticks=[], yticks=[])
            framed = column > 0 and right[row, column - 1]
            for spine in cell.spines.values():
                spine.set(color=RIGHT if framed else "#dfe2e8", linewidth=3 if framed else 0.8)
    for column, name in enumerate(["query", *(f"match {place + 1}" for place in range(k))]):
        axes[0, column].set_title(name, fontsize=9, color=INK if column == 0 else FAINT)
    figure.text(0.03, 0.96, title, fontsize=11.5, color=INK, weight="bold", va="top")
    figure.savefig(path)
    plt.close(figure)
