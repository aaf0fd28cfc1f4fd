"""Watches as the use cases know them, and what they need of the outside: a store beside the spaces, and gauges."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.reports import SpaceUse
from consilience_server.engine.probe_lists import ProbeLists

WatchedMetric = Literal["mutual_knn", "lcs_knn", "edit_distance_knn"]
"""Means over items of what an item's own two lists say, in [0, 1]: what a bound on sampled differences speaks of."""
WatchState = Literal["ok", "alarm", "stale", "failed"]
_LATE_INTERVALS = 3.0
_LATE_SECONDS = 600.0
INTERVAL_CONFIDENCE = 0.95
"""Of the interval of a result's score."""
KEPT_RESULTS = 1000
"""Results of a watch that are kept, the newest."""


@dataclass(frozen=True)
class WatchSpec:
    """What is watched, and when it alarms; the contract's `WatchSpec` says what each field means. Names are bare ids.

    `min_drop` 0 is a tenth of what a baseline scores above chance.
    """

    name: str
    x: str
    y: str
    k: int = 10
    probes: int = 4096
    seed: int = 0
    min_drop: float = 0.0
    alpha: float = 0.05
    on_versions: bool = True
    every_seconds: float = 0.0
    metric: WatchedMetric = "mutual_knn"

    @property
    def patience_seconds(self) -> float:
        """How long newer versions may wait: three times the interval, ten minutes at least; for ever where nothing triggers a check."""
        triggered = self.on_versions or self.every_seconds > 0.0
        return max(_LATE_INTERVALS * self.every_seconds, _LATE_SECONDS) if triggered else math.inf


@dataclass(frozen=True)
class BaselineFacts:
    """What a baseline was taken of, and the drop from it that counts as material."""

    x: SpaceUse
    y: SpaceUse
    score: float
    probes: int
    gallery_items: int
    min_drop: float
    time: datetime


@dataclass(frozen=True)
class Baseline:
    """A baseline itself.

    Attributes:
        gallery_ids: (n,) object array of str, ascending in byte order: the items common to both spaces when it was taken.
        probe_rows: (m,) int64, ascending rows of the gallery.
        x: the probes' lists in x.
        y: their lists in y.
    """

    gallery_ids: NDArray[np.object_]
    probe_rows: NDArray[np.int64]
    x: ProbeLists
    y: ProbeLists


@dataclass(frozen=True)
class ProbeChange:
    """A probe whose overlap fell, with its lists in both spaces before and now, the nearest first."""

    item_id: str
    baseline_overlap: float
    overlap: float
    x_before: tuple[str, ...]
    x_now: tuple[str, ...]
    y_before: tuple[str, ...]
    y_now: tuple[str, ...]


@dataclass(frozen=True)
class WatchResult:
    """One check; the contract's `WatchResult` says what each field means."""

    number: int
    time: datetime
    x: SpaceUse
    y: SpaceUse
    score: float
    chance: float
    excess: float
    interval_low: float
    interval_high: float
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
    fallen: tuple[ProbeChange, ...]
    engine: str
    min_drop: float


@dataclass(frozen=True)
class WatchRecord:
    """A watch as the store knows it.

    Attributes:
        spec: what was asked.
        uid: random, never reused.
        create_time: when it was made.
        baseline: what results are compared with.
        last: the newest result.
        checks: checks that compared new versions with this baseline.
        alarm: whether the alignment has dropped.
        check_time: when it was last known that `last` is of the newest versions.
        failure: (reason, message) of the last check where it failed.
        failures: in a row.
    """

    spec: WatchSpec
    uid: str
    create_time: datetime
    baseline: BaselineFacts
    last: WatchResult
    checks: int
    alarm: bool
    check_time: datetime
    failure: tuple[str, str] | None = None
    failures: int = 0


@dataclass(frozen=True)
class Standing:
    """How a watch stands at a moment.

    Attributes:
        state: `failed` before `alarm` before `stale` before `ok`.
        age_seconds: how long the newest versions have been waiting for their check; 0 where `last` is of them.
        false_alarms_per_year: an upper bound on the expected number in the next 365 days.
    """

    state: WatchState
    age_seconds: float
    false_alarms_per_year: float


class WatchStore(Protocol):
    """Watches beside the store, durable when a method returns.

    Raises (where it applies): WatchNotFound, WatchExists, TooManyWatches, UploadConflict (a request id used for something else),
    StoreReadOnly, StorageFull, CorruptData.
    """

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written."""
        ...

    @property
    def generation(self) -> int:
        """Grows with every write of this process."""
        ...

    def create(self, record: WatchRecord, baseline: Baseline, request_id: str, limit: int) -> WatchRecord:
        """Keep a new watch, its baseline and first result, if fewer than `limit` are there; a repeated request answers the kept one."""
        ...

    def repeated(self, request_id: str, action: Literal["create", "delete", "rebaseline"], spec: WatchSpec) -> bool:
        """Whether this request was served before; empty never was. UploadConflict where it asked something else."""
        ...

    def get(self, name: str) -> WatchRecord:
        """Read one."""
        ...

    def list(self, after: str, limit: int) -> Sequence[WatchRecord]:
        """At most `limit` watches after the name `after`, ascending by name."""
        ...

    def baseline(self, uid: str) -> Baseline:
        """The baseline of a watch."""
        ...

    def save(self, record: WatchRecord, baseline: Baseline | None = None, request_id: str = "") -> None:
        """Replace a watch by uid; a `last` of a new number joins the history, whose oldest results go; a baseline replaces the old one."""
        ...

    def results(self, uid: str, before: int | None, limit: int) -> Sequence[WatchResult]:
        """At most `limit` results with a number below `before` (None: all), the newest first."""
        ...

    def delete(self, spec: WatchSpec, request_id: str) -> None:
        """Remove a watch with its history."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


class WatchGauges(Protocol):
    """`consilience_watch_*`: one set a watch. Every method is cheap and never raises."""

    def show(self, record: WatchRecord, fresh_time: float) -> None:
        """Show the last result; `fresh_time`: Unix time when it was last known to be of the newest versions."""
        ...

    def remove(self, name: str) -> None:
        """Show the watch no more."""
        ...
