"""The picture: colours where photographs put them, where people see them, and how far the two agree."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

mpl.use("Agg")

from matplotlib import pyplot as plt

INK = "#1f2430"
FAINT = "#8a90a0"
GRID = "#e4e6ec"
_STYLE = {
    "font.size": 8,
    "axes.edgecolor": GRID,
    "text.color": INK,
    "axes.labelcolor": FAINT,
    "svg.fonttype": "none",
    "svg.hashsalt": "colour",
}


def draw(
    paths: Sequence[Path],
    rgb: NDArray[np.float64],
    pixels: NDArray[np.int64],
    cielab: NDArray[np.float64],
    photographs: NDArray[np.float64],
    pairs: tuple[NDArray[np.float64], NDArray[np.float64]],
    captions: tuple[str, str, str],
) -> None:
    """Three panels, once for each path.

    Args:
        paths: `.png` or `.svg`.
        rgb: (n, 3), 0 to 255.
        pixels: (n,), which decide the sizes of the points.
        cielab: (n, 3).
        photographs: (n, 3), laid over `cielab`.
        pairs: of each pair of colours the distance in CIELAB and the dissimilarity in photographs.
        captions: below each panel.
    """
    with mpl.rc_context(_STYLE):
        figure = plt.figure(figsize=(7.4, 3.1), dpi=300)
        sizes = 5 + 30 * np.sqrt(pixels / pixels.max())
        for column, (title, points) in enumerate((("What people see", cielab), ("What occurs together", photographs))):
            left = 0.35 * column
            axes = figure.add_axes((left - 0.01, 0.13, 0.35, 0.76), projection="3d")
            _colours(axes, points, cielab, rgb, sizes)
            _title(figure, left + 0.02, title, captions[column])
        axes = figure.add_axes((0.775, 0.29, 0.215, 0.53))
        _pairs(axes, *pairs)
        _title(figure, 0.735, "All pairs", captions[2])
        for path in paths:
            metadata = {"Date": None} if path.suffix == ".svg" else {"Software": None}
            figure.savefig(path, metadata=metadata)
        plt.close(figure)


def _title(figure: Any, left: float, title: str, caption: str) -> None:
    figure.text(left, 0.965, title, fontsize=9.5, weight="bold", va="top")
    figure.text(left, 0.115, caption, fontsize=7, color=FAINT, va="top", linespacing=1.5)


def _colours(
    axes: Any, points: NDArray[np.float64], frame: NDArray[np.float64], rgb: NDArray[np.float64], sizes: NDArray[np.float64]
) -> None:
    """a* and b* on the floor, L* upwards; the same frame for both panels, far points drawn first."""
    axes.scatter(points[:, 1], points[:, 2], points[:, 0], c=rgb / 255, s=sizes, edgecolors="#00000030", linewidths=0.25, depthshade=False)
    both = np.concatenate([points, frame])
    middle = (both.max(axis=0) + both.min(axis=0)) / 2
    reach = (both.max(axis=0) - both.min(axis=0)).max() / 2 * 1.02
    low, high = middle - reach, middle + reach
    axes.set(xlim=(low[1], high[1]), ylim=(low[2], high[2]), zlim=(low[0], high[0]))
    axes.set_box_aspect((1, 1, 1), zoom=1.12)
    axes.view_init(elev=18, azim=-62)
    for axis, name in ((axes.xaxis, "a*"), (axes.yaxis, "b*"), (axes.zaxis, "L*")):
        axis.set_pane_color("#fafbfc")
        axis.line.set_color(GRID)
        # 3D axes have no other way to their grid and ticks.
        axis._axinfo["grid"].update(color=GRID, linewidth=0.5)  # noqa: SLF001
        axis._axinfo["tick"].update(inward_factor=0.0, outward_factor=0.0)  # noqa: SLF001
        axis.set_label_text(name, fontsize=7)
        axis.labelpad = -13
        axis.set_ticklabels([])


def _pairs(axes: Any, seen: NDArray[np.float64], together: NDArray[np.float64]) -> None:
    """Where pairs lie, and the median and middle half of the dissimilarity along the distance."""
    axes.hexbin(seen, together, gridsize=34, mincnt=1, cmap="Greys", bins="log", linewidths=0, alpha=0.55)
    edges = np.quantile(seen, np.linspace(0, 1, 13))
    place = np.clip(np.searchsorted(edges, seen, side="right") - 1, 0, 11)
    middle = np.array([np.median(seen[place == at]) for at in range(12)])
    low, half, high = (np.array([np.quantile(together[place == at], share) for at in range(12)]) for share in (0.25, 0.5, 0.75))
    axes.fill_between(middle, low, high, color="#2b6cb0", alpha=0.18, linewidth=0)
    axes.plot(middle, half, color="#2b6cb0", linewidth=1.6, solid_capstyle="round")
    axes.set_xlabel("distance in CIELAB", fontsize=7, labelpad=3)
    axes.set_ylabel("max PMI \N{MINUS SIGN} PMI", fontsize=7, labelpad=3)
    axes.set_xlim(0, None)
    axes.tick_params(length=2, color=GRID, labelsize=6.5, labelcolor=FAINT)
    axes.spines[["top", "right"]].set_visible(False)
