"""Alignment against a number of each space: the scatter, and the mean in buckets of that number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience._figures.canvas import BLUE, FAINT, INK, annotate_apart, headline, legend, quiet, sheet, shortened, style_of


@dataclass(frozen=True)
class Bucket:
    """A bar of the second panel: spaces whose number lies in [low, high], their mean and its standard error (NaN where unknown)."""

    low: float
    high: float
    mean: float
    error: float
    count: int


def trend(
    names: Sequence[str],
    against: NDArray[np.float64],
    scores: NDArray[np.float64],
    *,
    title: str,
    x: str,
    y: str,
    logarithmic: bool,
    line: tuple[float, float],
    dated: bool = False,
    families: Sequence[str] = (),
    lines: Sequence[tuple[float, float]] = (),
    buckets: Sequence[Bucket] = (),
) -> Any:
    """One point a space with the least-squares line, and beside it the mean of each bucket.

    The axis is logarithmic where the line is of the logarithms, and where positive numbers span two decades or more; dates are dates.

    Args:
        names: of the M spaces.
        against: (M,) the numbers.
        scores: (M,).
        title: of the figure.
        x: what the numbers are.
        y: what the scores are.
        logarithmic: whether the lines are of the logarithms of the numbers.
        line: (slope, intercept) over all spaces; NaN draws none.
        dated: the numbers are days since 1970-01-01.
        families: (M,) labels that get a colour each.
        lines: (slope, intercept) of each family, in the order of their names.
        buckets: by ascending number.
    """
    figure, panels = sheet(9.4 if buckets else 5.6, 3.8, 1, 2 if buckets else 1, squeeze=False)
    axes = panels[0, 0]
    labels = sorted(set(families)) if families else [""]
    for number, label in enumerate(labels):
        chosen = [at for at in range(len(names)) if not families or families[at] == label]
        colour, marker = style_of(number)
        axes.scatter(against[chosen], scores[chosen], s=26, color=colour, marker=marker, label=label or None, zorder=3)
        if lines and number < len(lines):
            _line(axes, against[chosen], lines[number], colour, 1.0, logarithmic=logarithmic)
    _line(axes, against, line, FAINT, 1.2, logarithmic=logarithmic)
    if logarithmic or (not dated and _spans_decades(against)):
        axes.set_xscale("log")
    axes.margins(0.08)
    quiet(axes, x=x, y=y)
    if dated:
        _date_axis(axes)
    if families:
        legend(axes)
    if buckets:
        _bars(panels[0, 1], buckets, x, y, dated=dated)
    headline(figure, title)
    if len(names) <= 25:
        places = [(float(place), float(score)) for place, score in zip(against, scores, strict=True)]
        annotate_apart(figure, axes, places, shortened(names, 18), 6.5)
    return figure


def _line(axes: Any, places: NDArray[np.float64], line: tuple[float, float], colour: str, width: float, *, logarithmic: bool) -> None:
    slope, intercept = line
    if not np.isfinite([slope, intercept]).all() or places.min() == places.max():
        return
    # Many points: a straight line in the numbers is a curve on a logarithmic axis.
    ends = (np.geomspace if places.min() > 0.0 else np.linspace)(places.min(), places.max(), 100)
    axes.plot(ends, intercept + slope * (np.log10(ends) if logarithmic else ends), color=colour, linewidth=width, zorder=1)


def _spans_decades(numbers: NDArray[np.float64]) -> bool:
    return bool(numbers.min() > 0.0 and numbers.max() >= 100.0 * numbers.min())


def _date_axis(axes: Any) -> None:
    from matplotlib import dates

    # Days since 1970-01-01 are matplotlib's own dates.
    made: Any = dates
    locator = made.AutoDateLocator(minticks=3, maxticks=6)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(made.ConciseDateFormatter(locator))
    axes.xaxis.get_offset_text().set_color(FAINT)
    axes.xaxis.get_offset_text().set_fontsize(8)


def _end(value: float, *, dated: bool) -> str:
    if dated:
        return str(np.datetime64(int(np.floor(value)), "D"))
    return f"{value:.3g}".replace("e+0", "e").replace("e+", "e")


def _bars(axes: Any, buckets: Sequence[Bucket], x: str, y: str, *, dated: bool) -> None:
    places = np.arange(len(buckets))
    means = np.array([bucket.mean for bucket in buckets])
    errors = np.nan_to_num([bucket.error for bucket in buckets])
    axes.bar(places, np.nan_to_num(means), yerr=errors, color=BLUE, width=0.7, capsize=3, error_kw={"ecolor": INK, "linewidth": 1})
    pairs = [(_end(bucket.low, dated=dated), _end(bucket.high, dated=dated)) for bucket in buckets]
    # Dates are too long for one line.
    ends = [low if low == high else f"{low}{chr(10) if dated else ' '}to {high}" for low, high in pairs]
    axes.set_xticks(places, [f"{end}\n({bucket.count})" for end, bucket in zip(ends, buckets, strict=True)])
    quiet(axes, title="mean and standard error by bucket", x=f"{x} (alignments in the mean)", y=y)
