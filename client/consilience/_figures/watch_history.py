"""The checks of a watch: its scores beside the baseline's, and the paired differences that it alarms on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from consilience._figures.canvas import BLUE, FAINT, INK, RED, RULE, headline, legend, quiet, sheet


@dataclass(frozen=True)
class Check:
    """One check; `bounds` of the difference are None for a baseline, which compares nothing."""

    number: int
    score: float
    interval: tuple[float, float]
    baseline_score: float
    difference: float
    bounds: tuple[float, float] | None
    min_drop: float
    alarm: bool


def watch_history(checks: Sequence[Check], *, title: str, label: str) -> Any:
    """Above the scores with their intervals; below the differences with their bounds, and the drop beyond which they alarm.

    Args:
        checks: by ascending number.
        title: of the figure.
        label: what the scores are.
    """
    figure, (above, below) = sheet(7.4, 4.8, 2, 1, sharex=True, height_ratios=(3, 2))
    numbers = [check.number for check in checks]
    above.step(numbers, [check.baseline_score for check in checks], where="mid", color=FAINT, linewidth=1.0, label="baseline, same items")
    below.axhline(0.0, color=RULE, linewidth=0.8, zorder=0)
    drops = [-check.min_drop for check in checks]
    below.step(numbers, drops, where="mid", color=RED, linewidth=1.0, linestyle="--", label="alarms below, if proven")
    for check in checks:
        colour = RED if check.alarm else BLUE
        above.plot([check.number] * 2, check.interval, color=colour, linewidth=1.2, zorder=2)
        if check.bounds is not None:
            below.plot([check.number] * 2, check.bounds, color=colour, linewidth=1.2, zorder=2)
    for quietly, colour, name in ((True, BLUE, "no alarm"), (False, RED, "alarm")):
        kept = [check for check in checks if check.alarm is not quietly]
        if kept:
            places = [check.number for check in kept]
            above.scatter(places, [check.score for check in kept], s=18, color=colour, label=name, zorder=3)
            below.scatter(places, [check.difference for check in kept], s=18, color=colour, zorder=3)
    baselines = [check for check in checks if check.bounds is None]
    if baselines:
        places, scores = [check.number for check in baselines], [check.score for check in baselines]
        above.scatter(places, scores, s=60, facecolors="none", edgecolors=INK, linewidths=0.8, label="taken as the baseline", zorder=4)
    for axes in (above, below):
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.margins(x=0.03, y=0.12)
    quiet(above, y=label)
    quiet(below, x="check", y="difference")
    legend(above, loc="best")
    legend(below, loc="best")
    headline(figure, title)
    return figure
