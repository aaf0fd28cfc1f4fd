"""Alignments beside each other, and how much they differ: a score and its controls, or two pairs of spaces."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from consilience._figures.canvas import BLUE, FAINT, INK, RULE, headline, legend, quiet, sheet, shortened


@dataclass(frozen=True)
class Row:
    """A score with its interval, and what unrelated spaces would score; one that leads is what the others stand beside."""

    name: str
    score: float
    low: float
    high: float
    chance: float
    leads: bool = False


@dataclass(frozen=True)
class Gap:
    """How much higher one score is than another, with its interval where it is known, and a note such as a p-value."""

    name: str
    value: float
    low: float | None
    high: float | None
    note: str = ""


def scores_beside(rows: Sequence[Row], gaps: Sequence[Gap], *, title: str, label: str, gap_label: str) -> Any:
    """Scores with intervals, the first on top, those that lead in blue, chance as a tick; beside them the differences.

    Args:
        rows: at least one.
        gaps: the differences, with intervals where they are known.
        title: of the figure.
        label: what the scores are.
        gap_label: what the differences are.
    """
    figure, (scores, differences) = sheet(9.4, max(2.4, 0.42 * max(len(rows), len(gaps)) + 1.5), 1, 2)
    places = [len(rows) - 1 - at for at in range(len(rows))]
    for place, row in zip(places, rows, strict=True):
        colour = BLUE if row.leads else INK
        scores.hlines(place, row.low, row.high, color=colour, linewidth=2, alpha=0.45)
        scores.scatter([row.score], [place], color=colour, s=30, zorder=3)
    scores.scatter([row.chance for row in rows], places, color=FAINT, marker="|", s=70, label="chance", zorder=2)
    scores.set_yticks(places, shortened([row.name for row in rows], 34))
    scores.set_ylim(-0.6, len(rows) - 0.4)
    scores.set_xlim(left=min(0.0, *(row.low for row in rows)))
    quiet(scores, title="scores", x=label)
    scores.tick_params(axis="y", length=0, labelcolor=INK)
    legend(scores, loc="upper right", bbox_to_anchor=(1.0, 1.14))
    spots = [len(gaps) - 1 - at for at in range(len(gaps))]
    differences.axvline(0.0, color=RULE, linewidth=1)
    for spot, gap in zip(spots, gaps, strict=True):
        if gap.low is not None and gap.high is not None:
            differences.hlines(spot, gap.low, gap.high, color=BLUE, linewidth=2, alpha=0.45)
        differences.scatter([gap.value], [spot], color=BLUE, s=30, zorder=3)
        differences.annotate(
            gap.note,
            (gap.value, spot),
            textcoords="offset points",
            xytext=(0, 8),
            ha="center",
            fontsize=7,
            color=FAINT,
            annotation_clip=False,
        )
    differences.set_yticks(spots, shortened([gap.name for gap in gaps], 34))
    differences.set_ylim(-0.6, len(gaps) - 0.4)
    differences.margins(x=0.12)
    paired = any(gap.low is not None for gap in gaps)
    quiet(differences, title="differences, paired over the items" if paired else "differences, without interval", x=gap_label)
    differences.tick_params(axis="y", length=0, labelcolor=INK)
    headline(figure, title)
    return figure
