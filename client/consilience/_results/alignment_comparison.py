"""Two alignments compared over the same items."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from consilience._results.alignment_control import Difference
from consilience._results.alignment_report import AlignmentReport
from consilience._results.base import Result, asked, import_pandas, number, plain, probability
from consilience._results.comparison_citation import cite_comparison


@dataclass(frozen=True, eq=False, repr=False)
class AlignmentComparison(Result):
    """Whether one pair of spaces is more aligned than another, over the items common to all of them.

    Difference, interval and p_value are those of the first k asked.

    Attributes:
        first: the alignment of the first pair.
        second: of the second pair.
        differences: by k, how much higher the first scores, with interval and p-value paired over the items.
    """

    first: AlignmentReport
    second: AlignmentReport
    differences: Mapping[int, Difference]

    @property
    def difference(self) -> float:
        """How much higher the first scores; negative where the second does."""
        return self._headline.value

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the difference would fall again."""
        return self._headline.interval

    @property
    def p_value(self) -> float | None:
        """How often a difference as large, either way, comes about where there is none; None where nothing is uncertain or known."""
        return self._headline.p_value

    @property
    def _headline(self) -> Difference:
        return next(iter(self.differences.values()))

    def cite(self) -> str:
        """Sentences for a methods section: both alignments with every parameter, and their difference."""
        return cite_comparison(self)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can carry it: the difference of the first k beside both reports."""
        return {"difference": self.difference, "interval": plain(self.interval), "p_value": self.p_value, **super().to_dict()}

    def to_pandas(self) -> Any:
        """A DataFrame with one row a k. Needs `consilience[report]`."""
        rows = [
            {
                "k": k,
                "first": self.first.by_k[k].score,
                "second": self.second.by_k[k].score,
                "difference": each.value,
                "interval_low": each.interval.low if each.interval else None,
                "interval_high": each.interval.high if each.interval else None,
                "p_value": each.p_value,
            }
            for k, each in self.differences.items()
        ]
        return import_pandas().DataFrame(rows)

    def figures(self) -> Mapping[str, Callable[[], Any]]:
        """`comparison`: both scores at every k, and their differences."""
        return {"comparison": self._draw}

    def _draw(self) -> Any:
        from consilience._figures.scores_beside import Gap, Row, scores_beside

        rows, gaps = [], []
        for k, difference in self.differences.items():
            at = f" at k = {k}" if len(self.differences) > 1 else ""
            for report in (self.first, self.second):
                entry, sides = report.by_k[k], [use.name if use else "an array" for use in (report.x, report.y)]
                rows.append(Row(" and ".join(sides) + at, entry.score, *entry.interval, entry.chance, leads=report is self.first))
            low, high = difference.interval or (None, None)
            note = "" if difference.p_value is None else probability(difference.p_value, 0)
            gaps.append(Gap(f"first less second{at}", difference.value, low, high, note))
        name = f"{self.first.metric}@{self.first.k}" if self.first.k and len(gaps) == 1 else self.first.metric
        title = f"two alignments over the same items · {asked(self.first.n, self.first.gallery)}"
        return scores_beside(rows, gaps, title=title, label=name, gap_label=f"difference of {name}")

    def subject(self) -> str:
        """`clip@3 and bge@1, against dino@1 and bge@1`."""
        return f"{self.first.subject()}, against {self.second.subject()}"

    def __repr__(self) -> str:
        lines = []
        for k, each in self.differences.items():
            name = f"{self.first.metric}@{k}" if k else self.first.metric
            scores = f"{number(self.first.by_k[k].score)} against {number(self.second.by_k[k].score)}"
            p_value = [] if each.p_value is None else [probability(each.p_value, 0)]
            lines.append(" · ".join([f"{name}: {scores}", f"difference {each}", *p_value, asked(self.first.n, self.first.gallery)]))
        return "\n".join(lines)
