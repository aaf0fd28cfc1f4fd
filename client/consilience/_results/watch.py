"""Watches of pairs of spaces, and what their checks found."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from consilience._results.alignment_at_k import Interval
from consilience._results.base import Result, import_pandas, number
from consilience._results.space import SpaceUse
from consilience._results.watch_citation import cite_watch


@dataclass(frozen=True)
class WatchBaseline:
    """What later results are compared with.

    Attributes:
        x, y: the versions that it was taken of.
        score: the mean overlap of the probes then.
        probes: items that are asked at every check.
        gallery_items: items common to both spaces then: all later checks are against those that are left of them.
        min_drop: a drop that is no larger never alarms.
        time: UTC.
    """

    x: SpaceUse
    y: SpaceUse
    score: float
    probes: int
    gallery_items: int
    min_drop: float
    time: datetime | None = None


@dataclass(frozen=True)
class ProbeChange:
    """A probe whose overlap fell, with its lists in both spaces; at most 20 neighbours a list, the nearest first."""

    item_id: str
    baseline_overlap: float
    overlap: float
    x_before: tuple[str, ...]
    x_now: tuple[str, ...]
    y_before: tuple[str, ...]
    y_now: tuple[str, ...]


@dataclass(frozen=True, eq=False, repr=False)
class WatchResult(Result):
    """One check of a watch.

    Attributes:
        number: of the check since the watch was made; 0 is the first baseline.
        time: UTC.
        x, y: the versions measured.
        score: the mean overlap of the probes, against the baseline's items that both spaces still have.
        chance: what unrelated spaces would score.
        excess: (score - chance) / (1 - chance).
        interval: where the score of all these items lies, at 95% (sampling of queries).
        baseline_score: of the same probes at the baseline, against the same items.
        difference: the mean paired difference, now less baseline.
        difference_low, difference_high: its bounds at `level`, each on its own.
        level: the share of alpha that this check spent; 0 for a baseline, which compares nothing.
        alarm: whether the watch alarms after this check: raised here, or raised before while the drop is material.
        probes: that were compared.
        coverage: their share of the baseline's.
        gallery_items: items of the baseline that both spaces still have.
        common_items: items common to both spaces now.
        kept_x, kept_y: mean share of a probe's neighbours that were its neighbours at the baseline: the space that moved has the lower one.
        hubness_x, hubness_y: skewness of how often an item is a neighbour.
        fallen: the probes that fell most, the largest fall first; at most 10.
        engine: version of the engine.
        min_drop: the drop that counted as material.
    """

    number: int
    time: datetime | None
    x: SpaceUse
    y: SpaceUse
    score: float
    chance: float
    excess: float
    interval: Interval
    baseline_score: float
    difference: float
    difference_low: float
    difference_high: float
    level: float
    alarm: bool
    probes: int
    coverage: float
    gallery_items: int
    common_items: int
    kept_x: float
    kept_y: float
    hubness_x: float
    hubness_y: float
    fallen: tuple[ProbeChange, ...] = field(default=(), repr=False)
    engine: str = ""
    min_drop: float = 0.0

    def to_pandas(self) -> Any:
        """A DataFrame with one row a fallen probe: item_id, baseline_overlap, overlap. Needs `consilience[report]`."""
        columns = ("item_id", "baseline_overlap", "overlap")
        return import_pandas().DataFrame([{name: getattr(change, name) for name in columns} for change in self.fallen], columns=columns)

    def __repr__(self) -> str:
        told = f"#{self.number} {self.x} and {self.y}: {number(self.score)} [{number(self.interval.low)}, {number(self.interval.high)}]"
        if not self.level:
            return f"{told} · baseline · {self.probes:,} probes in {self.gallery_items:,} items"
        told = f"{told} · {number(self.difference)} from the baseline [{number(self.difference_low)}, {number(self.difference_high)}]"
        kept = f"neighbours kept {self.kept_x:.0%} in {self.x.name}, {self.kept_y:.0%} in {self.y.name}"
        return f"{told} · {kept}{' · ALARM' if self.alarm else ''}"


@dataclass(frozen=True, eq=False, repr=False)
class Watch(Result):
    """A pair of spaces whose alignment is measured again on new versions, or on a schedule, and that alarms when it has dropped.

    Attributes:
        name: the id it was made under.
        uid: random, never reused.
        x, y: names of the spaces.
        metric, k: what is measured.
        probes: items asked for at most; `baseline.probes` are asked.
        seed: chose the probes.
        alpha: chance of ever raising a false alarm while one baseline stands.
        on_versions: whether it is checked when a space has a new version.
        every_seconds: the interval at which it is checked; None without a schedule.
        state: `ok`, `alarm`, `stale` (newer versions wait for too long) or `failed` (the last check failed; it is tried again).
        alarm: whether the alignment has dropped, whatever the state.
        reason, message: why the last check failed; empty where it did not.
        failures: in a row.
        baseline: what results are compared with.
        last_result: the newest.
        checks: that compared new versions with this baseline.
        age_seconds: how long the newest versions have been waiting for their check; 0 where the last result is of them.
        false_alarms_per_year: an upper bound on the expected number of false alarms in the next 365 days.
        create_time, check_time: UTC.
    """

    name: str
    uid: str
    x: str
    y: str
    metric: str
    k: int
    probes: int
    seed: int
    alpha: float
    on_versions: bool
    every_seconds: float | None
    state: str
    alarm: bool
    reason: str
    message: str
    failures: int
    baseline: WatchBaseline
    last_result: WatchResult
    checks: int
    age_seconds: float
    false_alarms_per_year: float
    create_time: datetime | None = None
    check_time: datetime | None = None

    def cite(self) -> str:
        """Sentences for a methods section: the baseline with every parameter, when it alarms, and the last check."""
        return cite_watch(self)

    def __repr__(self) -> str:
        last, baseline = self.last_result, self.baseline
        told = f"watch {self.name}: {last.x} and {last.y} · {self.state.upper()} · {self.metric}@{self.k} = {number(last.score)}"
        change = f"{number(last.difference)} from the baseline" if last.level else "the baseline"
        if last.level:
            change += f", {number(last.difference_high)} at most" if last.difference < 0 else f", {number(last.difference_low)} at least"
        parts = [told, f"{change} · alarms beyond -{number(baseline.min_drop)}", f"{last.probes:,} probes · {self.checks:,} checks"]
        if self.message:
            parts.append(f"{self.reason}: {self.message}")
        return " · ".join([*parts, f"false alarms a year <= {self.false_alarms_per_year:.2g}"])
