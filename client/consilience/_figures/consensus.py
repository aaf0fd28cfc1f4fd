"""How far each space agrees with what the others agree on, and how far the items are agreed on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience._figures.canvas import BLUE, FAINT, INK, headline, quiet, sheet, shortened


def consensus(
    names: Sequence[str],
    scores: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    chance: NDArray[np.float64],
    *,
    agreement: NDArray[np.float64],
    item_chance: float,
    title: str,
    label: str,
    item_label: str,
) -> Any:
    """A point with its interval for each space, the best on top, chance as a tick; beside it the histogram of the items, if given.

    Args:
        names: of the M spaces.
        scores: (M,) alignment of each with the consensus of the others.
        low: (M,) of the intervals.
        high: (M,) likewise.
        chance: (M,) what unrelated spaces would score.
        agreement: (n,) of each item; empty draws no second panel.
        item_chance: what random pairings agree by.
        title: of the figure.
        label: what the scores are.
        item_label: what the items' numbers are.
    """
    order = np.argsort(scores, kind="stable")
    places = np.arange(len(order))
    columns = 2 if len(agreement) else 1
    figure, panels = sheet(5.2 * columns, max(2.2, 0.32 * len(names) + 1.3), 1, columns, squeeze=False)
    axes = panels[0, 0]
    axes.hlines(places, low[order], high[order], color=BLUE, linewidth=2, alpha=0.45)
    axes.scatter(scores[order], places, color=BLUE, s=30, zorder=3)
    axes.scatter(chance[order], places, color=FAINT, marker="|", s=60, label="chance")
    axes.set_yticks(places, shortened([names[at] for at in order]))
    axes.set_xlim(left=min(0.0, float(low.min())))
    quiet(axes, title="each space with the others' consensus", x=label)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.legend(frameon=False, fontsize=7, labelcolor=INK, loc="lower right")
    if columns == 2:
        beside = panels[0, 1]
        beside.hist(agreement, bins=min(30, max(5, len(np.unique(agreement)))), color="#c9ced8", edgecolor="white", linewidth=0.3)
        beside.axvline(item_chance, color=FAINT, linewidth=1, linestyle=(0, (4, 3)))
        beside.axvline(float(agreement.mean()), color=BLUE, linewidth=2)
        quiet(beside, title="items: mean in blue, chance dashed", x=item_label, y="items")
    headline(figure, title)
    return figure
