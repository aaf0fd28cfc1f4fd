"""Watches: pairs of spaces whose alignment is measured again, against a pinned baseline, and that alarm when it has dropped."""

import asyncio
import math
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from weakref import WeakValueDictionary

import numpy as np

from consilience_server.app.call import Call
from consilience_server.app.pages import decode_token, encode_token, page_size
from consilience_server.app.ports import SpaceRecord
from consilience_server.app.probe_measurement import Measured, ProbeMeasurement
from consilience_server.app.reports import SpaceUse
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.validation import check_name
from consilience_server.app.watch_records import (
    INTERVAL_CONFIDENCE,
    Baseline,
    BaselineFacts,
    Standing,
    WatchGauges,
    WatchRecord,
    WatchResult,
    WatchSpec,
    WatchState,
    WatchStore,
)
from consilience_server.core.confidence_sequence import check_level, expected_false_alarms, log_evidence, lower_bound, upper_bound
from consilience_server.core.errors import (
    Cancelled,
    DeadlineExceeded,
    DomainError,
    InvalidArgument,
    InvalidK,
    StoreReadOnly,
    TooFewItems,
    TooManyWatches,
    WatchExists,
    WatchNotFound,
)
from consilience_server.core.intervals import query_interval
from consilience_server.core.mutual_knn import chance
from consilience_server.engine.protocol import ENGINE_VERSION

_YEAR_SECONDS = 365.0 * 86_400.0
_MIN_DROP_SHARE = 0.1
_MAX_PROBES = 65_536
_ALL = 1 << 20
_FORESEEN_CHECKS = 1000
"""A watch must be able to alarm at this check still, if all agreement were lost."""


@dataclass(frozen=True)
class WatchLimits:
    """How many watches are kept, and what one may ask."""

    max_watches: int
    max_k: int
    flops_per_second: float


class Watching:
    """The use cases of WatchService. Must be used from one event loop."""

    def __init__(
        self, store: WatchStore, snapshots: Snapshots, measurement: ProbeMeasurement, gauges: WatchGauges, limits: WatchLimits
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._measurement = measurement
        self._gauges = gauges
        self._limits = limits
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        # Of this process, by uid: since when newer versions have been waiting.
        self._behind: dict[str, float] = {}

    @property
    def read_only(self) -> bool:
        """Whether watches can only be read; then nobody checks them here."""
        return self._store.read_only

    async def create(self, call: Call, spec: WatchSpec, request_id: str) -> WatchRecord:
        """Take a baseline of the newest versions and keep it. Repeatable by request id.

        Raises:
            InvalidName, InvalidArgument, InvalidK, SpaceNotFound, NoCommonItems, TooFewItems, WatchExists, TooManyWatches, StoreReadOnly,
            UploadConflict: the request id was used for something else.
        """
        self._check_spec(spec)
        self._check_writable()
        async with self._lock(spec.name):
            if await asyncio.to_thread(self._store.repeated, request_id, "create", spec):
                return await asyncio.to_thread(self._store.get, spec.name)
            watches = await asyncio.to_thread(self._store.list, "", _ALL)
            if await asyncio.to_thread(self._exists, spec.name):
                raise WatchExists(
                    f"a watch {spec.name!r} is there already; delete it first, or give it a new baseline", field="watch_id", watch=spec.name
                )
            if len(watches) >= self._limits.max_watches:
                most = self._limits.max_watches
                raise TooManyWatches(f"{most} watches are kept, and no more; delete one, or raise max_watches", max_watches=most)
            baseline, facts, result = await self._baseline(call, spec, 0)
            record = WatchRecord(spec, secrets.token_hex(16), facts.time, facts, result, 0, alarm=False, check_time=facts.time)
            kept = await asyncio.to_thread(self._store.create, record, baseline, request_id, self._limits.max_watches)
        self._gauges.show(kept, time.time())
        return kept

    async def get(self, name: str) -> tuple[WatchRecord, Standing]:
        """A watch as it stands; WatchNotFound."""
        record = await asyncio.to_thread(self._store.get, name)
        return record, await self.standing(record)

    async def list(self, size: int, token: str) -> tuple[Sequence[tuple[WatchRecord, Standing]], str]:
        """A page of watches by name, and the next token (empty at the end)."""
        count = page_size(size, 100, 1000)
        after = decode_token("watches", "", token)
        records = await asyncio.to_thread(self._store.list, after, count + 1)
        found = [(record, await self.standing(record)) for record in records[:count]]
        return found, encode_token("watches", "", records[count - 1].spec.name) if len(records) > count else ""

    async def results(self, name: str, size: int, token: str) -> tuple[Sequence[WatchResult], str]:
        """A page of a watch's results, the newest first, and the next token."""
        count = page_size(size, 100, 1000)
        record = await asyncio.to_thread(self._store.get, name)
        before = decode_token("watch results", record.uid, token)
        found = await asyncio.to_thread(self._store.results, record.uid, int(before) if before else None, count + 1)
        more = len(found) > count
        return found[:count], encode_token("watch results", record.uid, str(found[count - 1].number)) if more else ""

    async def delete(self, name: str, request_id: str) -> None:
        """Remove a watch, its history and its gauges. Repeatable by request id. WatchNotFound, UploadConflict."""
        spec = WatchSpec(name, "", "")
        if await asyncio.to_thread(self._store.repeated, request_id, "delete", spec):
            return
        async with self._lock(name):
            record = await asyncio.to_thread(self._store.get, name)
            await asyncio.to_thread(self._store.delete, record.spec, request_id)
            self._gauges.remove(name)
            self._behind.pop(record.uid, None)

    async def check(self, call: Call, name: str) -> WatchRecord:
        """Measure the newest versions, unless the last result is of them already. A failure is remembered and raised.

        Raises:
            WatchNotFound, SpaceNotFound, BaselineLost, MemoryBudget, Overloaded, StoreReadOnly.
        """
        self._check_writable()
        async with self._lock(name):
            record = await asyncio.to_thread(self._store.get, name)
            try:
                checked = await self._checked(call, record)
            except (Cancelled, DeadlineExceeded):
                # Who asked has left; the watch is none the worse.
                raise
            except DomainError as error:
                await self._remember(record, error.reason, error.message)
                raise
            await asyncio.to_thread(self._store.save, checked)
        self._gauges.show(checked, time.time())
        return checked

    async def fail(self, name: str, message: str) -> None:
        """Remember an unexpected failure of a check."""
        record = await asyncio.to_thread(self._store.get, name)
        await self._remember(record, DomainError.reason, message)

    async def rebaseline(self, call: Call, name: str, request_id: str) -> WatchRecord:
        """Accept what is: a new baseline, no alarm, the full alpha. Repeatable by request id. Raises as `create`."""
        self._check_writable()
        async with self._lock(name):
            record = await asyncio.to_thread(self._store.get, name)
            if await asyncio.to_thread(self._store.repeated, request_id, "rebaseline", record.spec):
                return record
            baseline, facts, result = await self._baseline(call, record.spec, record.last.number + 1)
            fresh = replace(record, baseline=facts, last=result, checks=0, alarm=False, check_time=facts.time, failure=None, failures=0)
            await asyncio.to_thread(self._store.save, fresh, baseline, request_id)
        self._gauges.show(fresh, time.time())
        return fresh

    async def standing(self, record: WatchRecord) -> Standing:
        """How a watch stands now: a state, an age, and what its alarms are worth."""
        spec, age = record.spec, await self.age_seconds(record)
        state: WatchState = "ok"
        if record.failure is not None:
            state = "failed"
        elif record.alarm:
            state = "alarm"
        elif age > spec.patience_seconds:
            state = "stale"
        scheduled = spec.every_seconds and not spec.on_versions
        coming = _YEAR_SECONDS / spec.every_seconds if scheduled else math.inf
        return Standing(state, age, expected_false_alarms(spec.alpha, record.checks, coming))

    async def age_seconds(self, record: WatchRecord) -> float:
        """How long the newest versions have been waiting for their check; a space that is gone waits since the last one."""
        now = time.time()
        try:
            spaces = [await self._snapshots.record(name) for name in (record.spec.x, record.spec.y)]
        except DomainError:
            return max(0.0, now - record.check_time.timestamp())
        pairs = zip(spaces, (record.last.x, record.last.y), strict=True)
        newer = [space.update_time.timestamp() for space, use in pairs if _use(space) != use]
        if not newer:
            self._behind.pop(record.uid, None)
            return 0.0
        since = self._behind.setdefault(record.uid, min(newer))
        return max(0.0, now - since, 1e-3)

    async def refresh(self) -> Sequence[WatchRecord]:
        """All watches, after their gauges were told how fresh they are: what a runner asks every round."""
        records = await asyncio.to_thread(self._store.list, "", _ALL)
        for record in records:
            self._gauges.show(record, time.time() - await self.age_seconds(record))
        return records

    async def estimate_seconds(self, spec: WatchSpec) -> float:
        """Of a search for all probes in both spaces; SpaceNotFound."""
        spaces = [await self._snapshots.record(name, field=f"spec.{side}") for side, name in (("x", spec.x), ("y", spec.y))]
        items = min(space.item_count for space in spaces)
        dims = sum(space.spec.dim for space in spaces)
        return 2.0 * min(spec.probes, items) * items * dims / self._limits.flops_per_second

    def _check_spec(self, spec: WatchSpec) -> None:
        check_name(spec.name, "watch_id")
        if spec.x == spec.y:
            raise InvalidArgument(f"both spaces are {spec.x!r}; a watch is of two", field="spec.y")
        if not 1 <= spec.k <= self._limits.max_k:
            raise InvalidK(f"k is {spec.k}; it must be 1 to {self._limits.max_k:,}", field="spec.k", k=spec.k, max_k=self._limits.max_k)
        if not 1 <= spec.probes <= _MAX_PROBES:
            raise InvalidArgument(f"{spec.probes:,} probes; give 1 to {_MAX_PROBES:,}", field="spec.probes")
        for name, value in (("min_drop", spec.min_drop), ("alpha", spec.alpha)):
            # 0 is the default of a drop; alpha has its own filled in already.
            if not (0.0 < value < 1.0 or (name == "min_drop" and value == 0.0)):
                raise InvalidArgument(f"{name} is {value}; it must lie between 0 and 1", field=f"spec.{name}")
        if not (spec.every_seconds == 0.0 or 1.0 <= spec.every_seconds < math.inf):
            raise InvalidArgument(f"every_seconds is {spec.every_seconds}; give at least 1, or 0 for never", field="spec.every_seconds")

    def _check_writable(self) -> None:
        if self.read_only:
            raise StoreReadOnly("the store is open for reading only; ask the process that holds it for writing")

    def _exists(self, name: str) -> bool:
        try:
            self._store.get(name)
        except WatchNotFound:
            return False
        return True

    def _lock(self, name: str) -> asyncio.Lock:
        return self._locks.setdefault(name, asyncio.Lock())

    async def _remember(self, record: WatchRecord, reason: str, message: str) -> None:
        await asyncio.to_thread(self._store.save, replace(record, failure=(reason, message), failures=record.failures + 1))

    async def _baseline(self, call: Call, spec: WatchSpec, number: int) -> tuple[Baseline, BaselineFacts, WatchResult]:
        """A baseline of the newest versions, refused where it could never alarm."""
        async with (
            self._snapshots.hold(call, spec.x, field="spec.x") as x,
            self._snapshots.hold(call, spec.y, field="spec.y") as y,
        ):
            baseline, measured = await self._measurement.take(call, x, y, spec)
            uses = tuple(SpaceUse(side.name, side.uid, side.version) for side in (x, y))
        at_chance, score = chance(spec.k, measured.gallery_items), float(measured.now.mean())
        min_drop = spec.min_drop or _MIN_DROP_SHARE * (score - at_chance)
        if min_drop <= 0.0 or score - at_chance <= min_drop:
            raise InvalidArgument(
                f"the spaces score {score:.4f} and unrelated ones would score {at_chance:.4f}, so the score cannot drop by "
                f"{max(min_drop, 0.0):.4f} and more; watch spaces that agree, or give a smaller min_drop",
                field="spec.min_drop",
                score=score,
                chance=at_chance,
            )
        if log_evidence(-measured.before, -min_drop) < -math.log(check_level(spec.alpha, _FORESEEN_CHECKS)):
            raise TooFewItems(
                f"with {len(measured.before):,} probes even a complete loss of agreement would prove no drop by {min_drop:.4f} at alpha = "
                f"{spec.alpha:g}; ask more probes, or add items",
                field="spec.probes",
                probes=len(measured.before),
            )
        now = datetime.now(UTC)
        facts = BaselineFacts(uses[0], uses[1], score, len(measured.now), measured.gallery_items, min_drop, now)
        return baseline, facts, _result(number, now, (uses[0], uses[1]), measured, spec, 0.0, alarm=False)

    async def _checked(self, call: Call, record: WatchRecord) -> WatchRecord:
        """The watch after a check of the newest versions."""
        spec = record.spec
        with _named(spec):
            spaces = [await self._snapshots.record(name) for name in (spec.x, spec.y)]
            now = datetime.now(UTC)
            if [_use(space) for space in spaces] == [record.last.x, record.last.y]:
                return replace(record, check_time=now, failure=None, failures=0)
            async with (
                self._snapshots.hold(call, spec.x, spaces[0].version) as x,
                self._snapshots.hold(call, spec.y, spaces[1].version) as y,
            ):
                baseline = await asyncio.to_thread(self._store.baseline, record.uid)
                measured = await self._measurement.compare(call, baseline, x, y, spec.k)
                uses = (SpaceUse(x.name, x.uid, x.version), SpaceUse(y.name, y.uid, y.version))
        checks, min_drop = record.checks + 1, record.baseline.min_drop
        level = check_level(spec.alpha, checks)
        differences = measured.now - measured.before
        proven = await asyncio.to_thread(log_evidence, differences, -min_drop) >= -math.log(level)
        # Once raised it stays while the drop is material: a later check has a smaller level, which is no news of the spaces.
        alarm = bool(proven) or (record.alarm and float(differences.mean()) <= -min_drop)
        result = await asyncio.to_thread(_result, record.last.number + 1, now, uses, measured, spec, level, alarm=alarm)
        return replace(record, last=result, checks=checks, alarm=alarm, check_time=now, failure=None, failures=0)


@contextmanager
def _named(spec: WatchSpec) -> Iterator[None]:
    """A refusal of a check says whose it is: its reader may not have asked for it."""
    try:
        yield
    except DomainError as error:
        error.message = f"watch {spec.name!r}: {error.message}"
        error.field = None
        raise


def _use(space: SpaceRecord) -> SpaceUse:
    return SpaceUse(f"spaces/{space.spec.name}", space.uid, space.version)


def _result(
    number: int, now: datetime, uses: tuple[SpaceUse, SpaceUse], measured: Measured, spec: WatchSpec, level: float, *, alarm: bool
) -> WatchResult:
    """A check in numbers; level 0 is a baseline's, which compares nothing."""
    differences = measured.now - measured.before
    at_chance, score = chance(spec.k, measured.gallery_items), float(measured.now.mean())
    low, high = query_interval(measured.now, measured.gallery_items, INTERVAL_CONFIDENCE, 0.0, 1.0)
    return WatchResult(
        number=number,
        time=now,
        x=uses[0],
        y=uses[1],
        score=score,
        chance=at_chance,
        excess=(score - at_chance) / (1.0 - at_chance) if at_chance < 1.0 else 0.0,
        interval_low=low,
        interval_high=high,
        baseline_score=float(measured.before.mean()),
        difference=float(np.mean(differences)),
        difference_low=lower_bound(differences, level) if level else 0.0,
        difference_high=upper_bound(differences, level) if level else 0.0,
        level=level,
        alarm=alarm,
        probes=len(measured.now),
        coverage=measured.coverage,
        gallery_items=measured.gallery_items,
        common_items=measured.common_items,
        kept_x=measured.kept[0],
        kept_y=measured.kept[1],
        hubness_x=measured.hubness[0],
        hubness_y=measured.hubness[1],
        fallen=measured.fallen,
        engine=ENGINE_VERSION,
    )
