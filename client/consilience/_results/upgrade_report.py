"""Whether an encoder can change without re-embedding, as answers tell it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consilience._results.base import Result, counted, import_pandas, number
from consilience._results.bridge import LearningPoint, RetrievalReport
from consilience._results.measured import Measured
from consilience._results.space import SpaceUse

_SAID = {
    "drop_in": "new queries may ask the old gallery as they are",
    "bridge": "new queries may ask the old gallery through a bridge",
    "reembed": "no bridge keeps enough: re-embed",
    "keep": "even full re-embedding finds less than the old encoder does",
    "undecided": "not enough is known to decide",
}


@dataclass(frozen=True)
class UpgradeStrategy:
    """One way to answer queries of the new encoder.

    Attributes:
        strategy: `identity` (new queries as they are), `mean_shift`, `bridge`, `keep_old` (the old encoder's queries), or `reembed`.
        measured: by measure (`recall@1`, `recall@5`, `recall@10`, `mrr@10`, and `ndcg@10` with qrels), means over the queries.
        retained: by measure, the ratio to full re-embedding, paired over the queries; absent where that finds nothing.
    """

    strategy: str
    measured: Mapping[str, Measured]
    retained: Mapping[str, Measured]


@dataclass(frozen=True)
class UpgradeTest:
    """What a strategy keeps, held against a threshold.

    Attributes:
        strategy: `identity` or `bridge`.
        measure: for example `recall@10`.
        threshold: the share of full re-embedding that must be kept.
        retained: the share that is, with its 95% interval.
        outcome: `passes` where the lower end reaches the threshold, `fails` where the upper end (corrected for all tests) does not.
        queries_needed: queries that would decide if the share stayed what it is; 0 where it is decided, None where no number would.
    """

    strategy: str
    measure: str
    threshold: float
    retained: Measured
    outcome: str
    queries_needed: int | None


@dataclass(frozen=True)
class SliceVerdict:
    """The verdict on some of the queries: `value` of the slice (empty for all), how many, and the tests behind it."""

    value: str
    queries: int
    verdict: str
    tests: tuple[UpgradeTest, ...]


@dataclass(frozen=True)
class UpgradeBridge:
    """The bridge that was measured, from the new space into the old one.

    Attributes:
        name: of one that was given; empty for one that was fitted for the evaluation and is not kept.
        method: of the map.
        fit_pairs: that it was fitted on; none of them asks.
        near_copies: pairs left out of the fit because they are nearly the same as a query.
        candidates: every method tried, on pairs held out of the fit.
        learning_curve: what more pairs would bring.
    """

    name: str
    method: str
    fit_pairs: int
    near_copies: int
    candidates: tuple[RetrievalReport, ...]
    learning_curve: tuple[LearningPoint, ...]


@dataclass(frozen=True)
class RegainedPoint:
    """What re-embedding the first `items` of `reembed_first` brings, the others searched through the bridge.

    Attributes:
        items: re-embedded.
        recall: recall@10 of queries that had no part in the order.
        gain: recall - that of none re-embedded, paired; below 0 where mixing costs more than it brings.
        per_thousand: gain for each thousand items.
        at_random: recall with as many items chosen at random.
    """

    items: int
    recall: Measured
    gain: Measured
    per_thousand: float
    at_random: float


@dataclass(frozen=True, eq=False, repr=False)
class UpgradeReport(Result):
    """What a change of encoder keeps of full re-embedding, and the verdict that follows.

    Attributes:
        verdict: `drop_in` (new queries may ask the old gallery as they are), `bridge` (through a bridge), `reembed`, `keep` (by the qrels
            even full re-embedding finds less than the old encoder), or `undecided`.
        queries_needed: to decide, if shares stay as they are; 0 where it is decided, None where no number would.
        strategies: by name, every way that was measured.
        slices: by value, the verdict on each slice; that on all queries under the empty text.
        bridge: None where there were too few pairs for one.
        reembed_first: gallery items, first those whose re-embedding regains most.
        missed: of each, by how many of the choosing queries it was wanted and not found through the bridge.
        regained: from none to all items re-embedded.
        chosen_on: queries that the order was made from.
        measured_on: other queries, that the curve was measured on.
        queries: asked.
        gallery: items of both spaces, which were searched.
        old, new: the versions read.
        old_queries, new_queries: those of the queries; None where items asked for each other.
        dropped_old, dropped_new: items that the other space lacks.
        clustered_by: the attribute whose equal values count as one draw of the queries; empty for none.
        notes: what weakens the answer, in plain sentences.
    """

    verdict: str
    queries_needed: int | None
    strategies: Mapping[str, UpgradeStrategy]
    slices: Mapping[str, SliceVerdict]
    bridge: UpgradeBridge | None
    reembed_first: tuple[str, ...]
    missed: tuple[int, ...]
    regained: tuple[RegainedPoint, ...]
    chosen_on: int
    measured_on: int
    queries: int
    gallery: int
    old: SpaceUse
    new: SpaceUse
    old_queries: SpaceUse | None
    new_queries: SpaceUse | None
    dropped_old: int
    dropped_new: int
    clustered_by: str
    notes: tuple[str, ...]

    @property
    def tests(self) -> tuple[UpgradeTest, ...]:
        """Those on all queries."""
        return self.slices[""].tests

    def to_pandas(self) -> Any:
        """A DataFrame with one row a strategy and measure. Needs `consilience[report]`."""
        rows = [
            {"strategy": way.strategy, "measure": measure, **_columns("", each), **_columns("retained", way.retained.get(measure))}
            for way in self.strategies.values()
            for measure, each in way.measured.items()
        ]
        return import_pandas().DataFrame(rows)

    def subject(self) -> str:
        """`bge-m2@1 to bge-m3@1`."""
        return f"{self.old} to {self.new}"

    def __repr__(self) -> str:
        asked = f"{counted(self.queries, 'query', 'queries')} of {self.gallery:,} items"
        lines = [f"{self.old} to {self.new}: {self.verdict} · {_SAID.get(self.verdict, '')} · {asked}"]
        if self.verdict == "undecided" and self.queries_needed:
            lines[0] += f" · about {self.queries_needed:,} queries would decide"
        lines += [
            f"{test.strategy}: keeps {test.retained} of {test.measure}, {test.threshold:g} asked: {test.outcome}" for test in self.tests
        ]
        for part in self.slices.values():
            if part.value:
                kept = ", ".join(f"{test.strategy} {test.retained}" for test in part.tests)
                lines.append(f"slice {part.value}: {part.verdict} ({kept}; {part.queries:,} queries)")
        if self.bridge is not None:
            lines.append(f"bridge by {self.bridge.method}, {self.bridge.fit_pairs:,} pairs{_regained(self.regained)}")
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


def _columns(prefix: str, told: Measured | None) -> dict[str, float | None]:
    names = (f"{prefix}_low", f"{prefix}_high") if prefix else ("low", "high")
    ends = (None, None) if told is None or told.interval is None else told.interval
    return {prefix or "mean": None if told is None else told.value, **dict(zip(names, ends, strict=True))}


def _regained(curve: tuple[RegainedPoint, ...]) -> str:
    """The first step of the curve, in a sentence."""
    if len(curve) < 2:
        return ""
    none, first = curve[0], curve[1]
    return (
        f" · re-embedding the first {first.items:,} items: recall@10 {number(none.recall.value)} to {number(first.recall.value)} "
        f"(at random {number(first.at_random)})"
    )
