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

from consilience_server.app.call import Call
from consilience_server.app.pages import decode_token, encode_token, page_size
from consilience_server.app.ports import SpaceRecord
from consilience_server.app.probe_measurement import ProbeMeasurement
from consilience_server.app.reports import SpaceUse
from consilience_server.app.snapshots import Snapshots
from consilience_server.app.watch_records import (
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
from consilience_server.app.watch_verdict import baseline_facts, baseline_result, check_result, check_watch_spec
from consilience_server.core.confidence_sequence import expected_false_alarms
from consilience_server.core.errors import (
    Cancelled,
    DeadlineExceeded,
    DomainError,
    StoreReadOnly,
    TooManyWatches,
    WatchExists,
    WatchNotFound,
)

_YEAR_SECONDS = 365.0 * 86_400.0
_ALL = 1 << 20


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
        # All watches as of a generation of the store: a runner asks for them every second.
        self._known: tuple[int, Sequence[WatchRecord]] = (-1, ())
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
        check_watch_spec(spec, self._limits.max_k)
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

    async def results(self, name: str, size: int, token: str) -> tuple[WatchSpec, Sequence[WatchResult], str]:
        """What a watch watches, a page of its results, the newest first, and the next token."""
        count = page_size(size, 100, 1000)
        record = await asyncio.to_thread(self._store.get, name)
        before = decode_token("watch results", record.uid, token)
        found = await asyncio.to_thread(self._store.results, record.uid, int(before) if before else None, count + 1)
        more = len(found) > count
        return record.spec, found[:count], encode_token("watch results", record.uid, str(found[count - 1].number)) if more else ""

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
        generation = self._store.generation
        if generation != self._known[0]:
            self._known = (generation, await asyncio.to_thread(self._store.list, "", _ALL))
        records = self._known[1]
        for record in records:
            self._gauges.show(record, time.time() - await self.age_seconds(record))
        return records

    async def estimate_seconds(self, spec: WatchSpec) -> float:
        """Of a search for all probes in both spaces; what will be refused is refused here, so that no operation is begun for it."""
        check_watch_spec(spec, self._limits.max_k)
        spaces = [await self._snapshots.record(name, field=f"spec.{side}") for side, name in (("x", spec.x), ("y", spec.y))]
        items = min(space.item_count for space in spaces)
        dims = sum(space.spec.dim for space in spaces)
        return 2.0 * min(spec.probes, items) * items * dims / self._limits.flops_per_second

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
            self._snapshots.hold(call, spec.x, field="spec.x", kernels=True) as x,
            self._snapshots.hold(call, spec.y, field="spec.y", kernels=True) as y,
        ):
            baseline, measured = await self._measurement.take(call, x, y, spec, number)
            uses = (SpaceUse(x.name, x.uid, x.version), SpaceUse(y.name, y.uid, y.version))
        facts = await asyncio.to_thread(baseline_facts, measured, uses, spec, datetime.now(UTC))
        return baseline, facts, baseline_result(number, measured, facts, spec)

    async def _checked(self, call: Call, record: WatchRecord) -> WatchRecord:
        """The watch after a check of the newest versions."""
        spec = record.spec
        with _named(spec):
            spaces = [await self._snapshots.record(name) for name in (spec.x, spec.y)]
            now = datetime.now(UTC)
            if [_use(space) for space in spaces] == [record.last.x, record.last.y]:
                return replace(record, check_time=now, failure=None, failures=0)
            async with (
                self._snapshots.hold(call, spec.x, spaces[0].version, kernels=True) as x,
                self._snapshots.hold(call, spec.y, spaces[1].version, kernels=True) as y,
            ):
                baseline = await asyncio.to_thread(self._store.baseline, record.uid)
                measured = await self._measurement.compare(call, baseline, x, y, spec, (record.baseline.x.uid, record.baseline.y.uid))
                uses = (SpaceUse(x.name, x.uid, x.version), SpaceUse(y.name, y.uid, y.version))
        result = await asyncio.to_thread(check_result, record, measured, uses, now)
        return replace(record, last=result, checks=record.checks + 1, alarm=result.alarm, check_time=now, failure=None, failures=0)


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
