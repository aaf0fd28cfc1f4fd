"""What alignments say beside their numbers, as lines of text."""

import math
from collections.abc import Sequence

from consilience._results.base import number


def span(interval: tuple[float, float]) -> str:
    """The interval, `[low, high]`; `[not known]` where it reaches without end, as a warning then explains."""
    if not all(map(math.isfinite, interval)):
        return "[not known]"
    low, high = (number(end) for end in interval)
    return f"[{low}, {high}]"


def cautions(warnings: Sequence[str]) -> list[str]:
    """One line for each warning."""
    return [f"caution: {warning}" for warning in warnings]
