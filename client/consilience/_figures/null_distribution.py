"""The scores of random pairings, and where the observed one stands among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience._figures.canvas import BLUE, FAINT, RED, headline, legend, quiet, sheet


@dataclass(frozen=True)
class Null:
    """One panel: the null of one score.

    Attributes:
        name: for example `mutual_knn@10`.
        values: (K,) permuted scores.
        score, chance, threshold: of the observed pairing.
        low, high: the interval of the score; not drawn where it is not finite.
        note: what stands beside the name, for example the p-value.
    """

    name: str
    values: NDArray[np.float64]
    score: float
    chance: float
    threshold: float
    low: float
    high: float
    note: str


def null_distribution(panels: Sequence[Null], title: str, alpha: float) -> Any:
    """A histogram for each score: grey is what chance gives, blue what was observed with its interval, red what must be exceeded."""
    columns = min(len(panels), 3)
    rows = -(-len(panels) // columns)
    figure, grid = sheet(1.2 + 3.8 * columns, 0.7 + 2.5 * rows, rows, columns, squeeze=False)
    for number, axes in enumerate(grid.ravel()):
        if number >= len(panels):
            axes.set_axis_off()
            continue
        _panel(axes, panels[number], alpha, first=number == 0)
    headline(figure, title)
    return figure


def _panel(axes: Any, null: Null, alpha: float, *, first: bool) -> None:
    bins = _bins(null)
    counts, _, _ = axes.hist(null.values, bins=bins, color="#c9ced8", edgecolor="white", linewidth=0.3, label="random pairings")
    top = float(counts.max())
    axes.axvline(null.chance, color=FAINT, linewidth=1, linestyle=(0, (4, 3)), label="chance")
    axes.axvline(null.threshold, color=RED, linewidth=1, linestyle=(0, (1, 1.5)), label=f"exceeded by {alpha:g} of pairings")
    if np.isfinite([null.low, null.high]).all():
        axes.axvspan(null.low, null.high, color=BLUE, alpha=0.12, linewidth=0)
    axes.axvline(null.score, color=BLUE, linewidth=2, label="observed, interval")
    axes.set_ylim(0, top * 1.25)
    quiet(axes, title=f"{null.name}  ·  {null.note}" if null.note else null.name, x="score", y="pairings" if first else "")
    side = "right" if null.score < 0.5 * sum(axes.get_xlim()) else "left"
    axes.annotate(
        f"{null.score:.3g}",
        (null.score, top * 1.17),
        textcoords="offset points",
        xytext=(-4 if side == "left" else 4, 0),
        ha="right" if side == "left" else "left",
        fontsize=9,
        color=BLUE,
        weight="bold",
    )
    if first:
        legend(axes, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)


def _bins(null: Null) -> NDArray[np.float64]:
    """Edges for at most 40 bins: no finer than the steps of the scores, whose histogram would be a comb, and never too thin to be seen."""
    steps = np.unique(null.values)
    least, most = float(steps[0]), float(steps[-1])
    low, high = (end if np.isfinite(end) else null.score for end in (null.low, null.high))
    shown = max(most, high) - min(least, low)
    width = max((most - least) / min(40, max(8, len(steps))), shown / 80, 1e-9)
    return least + width * np.arange(-0.5, (most - least) / width + 1.5)
