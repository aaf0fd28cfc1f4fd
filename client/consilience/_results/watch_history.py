"""The results of a watch over time."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from consilience._results.base import Result, import_pandas
from consilience._results.watch import WatchResult


@dataclass(frozen=True, eq=False, repr=False)
class WatchHistory(Result):
    """Results of a watch, the newest first; to be counted, indexed and iterated over like a list.

    Attributes:
        watch: its name.
        metric, k: what is measured.
        results: the newest first.
    """

    watch: str
    metric: str
    k: int
    results: tuple[WatchResult, ...]

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[WatchResult]:
        return iter(self.results)

    def __getitem__(self, place: int) -> WatchResult:
        return self.results[place]

    def to_pandas(self) -> Any:
        """A DataFrame with one row a result, the newest first, but for the fallen probes. Needs `consilience[report]`."""
        rows = [
            {name: value for name, value in result.to_dict().items() if name not in {"x", "y", "interval", "fallen"}} for result in self
        ]
        for row, result in zip(rows, self, strict=True):
            row |= {"time": result.time, "x_version": result.x.version, "y_version": result.y.version}
            row |= {"interval_low": result.interval.low, "interval_high": result.interval.high}
        return import_pandas().DataFrame(rows)

    def figures(self) -> Mapping[str, Callable[[], Any]]:
        """`history`: scores, and differences from the baseline with their bounds, check by check."""
        return {"history": self._draw_history} if self.results else {}

    def _draw_history(self) -> Any:
        from consilience._figures.watch_history import Check, watch_history

        checks = [
            Check(
                result.number,
                result.score,
                result.interval,
                result.baseline_score,
                result.difference,
                (result.difference_low, result.difference_high) if result.level else None,
                result.min_drop,
                result.alarm,
            )
            for result in reversed(self.results)
        ]
        last = self.results[0]
        return watch_history(checks, title=f"{self.watch}: {last.x.name} and {last.y.name}", label=f"{self.metric}@{self.k}")

    def __repr__(self) -> str:
        title = f"watch {self.watch}: {self.metric}@{self.k} · {len(self):,} results, the newest first"
        return "\n".join([title, *(repr(result) for result in self)])
