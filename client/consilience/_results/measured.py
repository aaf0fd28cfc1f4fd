"""A number with its interval."""

from dataclasses import dataclass

from consilience._results.alignment_at_k import Interval
from consilience._results.base import number


@dataclass(frozen=True)
class Measured:
    """A number with its interval."""

    value: float
    interval: Interval | None = None

    def __repr__(self) -> str:
        low_high = "" if self.interval is None else f" [{number(self.interval.low)}, {number(self.interval.high)}]"
        return f"{number(self.value)}{low_high}"
