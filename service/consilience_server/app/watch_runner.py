"""Who checks the watches: looks every second for what is due, and checks a few at a time."""

import asyncio
import logging
import secrets
import time
from dataclasses import dataclass, field

from consilience_server.app.call import Call
from consilience_server.app.watch_records import WatchRecord
from consilience_server.app.watching import Watching
from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled, DomainError, WatchNotFound

_LOG = logging.getLogger(__name__)
_FIRST_RETRY_SECONDS = 5.0
_LAST_RETRY_SECONDS = 600.0
_REST = 4.0
"""A watch rests so many times as long as its last check took: spaces written every second do not keep the server busy with watching."""


@dataclass
class _Rhythm:
    """When a watch may be checked again (monotonic), by this process's own clock."""

    rest_until: float = 0.0
    retry_until: float = 0.0
    failures: int = 0
    control: Control | None = None
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class WatchRunner:
    """Rounds of a background task. Must be used from one event loop.

    Args:
        watching: the use cases; its store is not read-only.
        limit: checks at a time.
    """

    def __init__(self, watching: Watching, limit: int = 2) -> None:
        self._watching = watching
        self._limit = limit
        self._rhythms: dict[str, _Rhythm] = {}
        self._closing = False

    async def round(self) -> None:
        """Start what is due, who has waited longest first; returns without waiting for it."""
        due: list[tuple[float, WatchRecord]] = []
        records = await self._watching.refresh()
        known = {record.uid for record in records}
        self._rhythms = {uid: rhythm for uid, rhythm in self._rhythms.items() if uid in known or rhythm.task is not None}
        for record in records:
            since = await self._due(record)
            if since is not None:
                due.append((since, record))
        for _, record in sorted(due, key=lambda entry: -entry[0]):
            running = sum(rhythm.task is not None for rhythm in self._rhythms.values())
            if running >= self._limit or self._closing:
                return
            rhythm = self._rhythms[record.uid]
            rhythm.control = Control()
            rhythm.task = asyncio.create_task(self._check(record, rhythm), name=f"watch {record.spec.name}")

    async def _due(self, record: WatchRecord) -> float | None:
        """Seconds that a watch has been waiting; None where it is not to be checked now."""
        rhythm = self._rhythms.setdefault(record.uid, _Rhythm())
        if rhythm.task is not None or time.monotonic() < max(rhythm.rest_until, rhythm.retry_until):
            return None
        spec = record.spec
        age = await self._watching.age_seconds(record)
        waited = time.time() - record.check_time.timestamp()
        if spec.on_versions and age:
            return age
        if spec.every_seconds and waited >= spec.every_seconds:
            return waited
        return None

    async def _check(self, record: WatchRecord, rhythm: _Rhythm) -> None:
        name, started = record.spec.name, time.monotonic()
        call = Call("watch", f"watch-{name}-{secrets.token_hex(4)}", control=rhythm.control or Control())
        try:
            checked = await self._watching.check(call, name)
        except (Cancelled, asyncio.CancelledError, WatchNotFound):
            pass
        except DomainError as error:
            self._postpone(rhythm, started)
            _LOG.warning("watch %s could not be checked (%s), %d times now: %s", name, error.reason, rhythm.failures, error.message)
        except Exception:  # noqa: BLE001 - a watch must survive whatever one check met
            self._postpone(rhythm, started)
            error_id = secrets.token_hex(6)
            _LOG.exception("the check of watch %s failed, error id %s", name, error_id)
            await self._tell(name, error_id)
        else:
            rhythm.failures = 0
            rhythm.rest_until = time.monotonic() + _REST * (time.monotonic() - started)
            if checked.alarm and not record.alarm:
                result = checked.last
                _LOG.warning(
                    "watch %s alarms: %.4f is %.4f below its baseline, at least %.4f", name, result.score, -result.difference,
                    -result.difference_high,
                )  # fmt: skip
        finally:
            rhythm.task = None

    @staticmethod
    def _postpone(rhythm: _Rhythm, started: float) -> None:
        """After a failure: 5 s, then twice as long each time, 10 minutes at most."""
        wait = min(_LAST_RETRY_SECONDS, _FIRST_RETRY_SECONDS * 2.0**rhythm.failures)
        rhythm.failures += 1
        rhythm.retry_until = time.monotonic() + max(wait, _REST * (time.monotonic() - started))

    async def _tell(self, name: str, error_id: str) -> None:
        try:
            await self._watching.fail(name, f"unexpected failure; the server's log has it under error id {error_id}")
        except DomainError:
            _LOG.warning("the failure of watch %s could not be kept", name, exc_info=True)

    async def close(self) -> None:
        """Stop the checks in progress; what they would have found is found after the next start."""
        self._closing = True
        tasks = []
        for rhythm in self._rhythms.values():
            if rhythm.task is not None:
                if rhythm.control is not None:
                    rhythm.control.cancel()
                rhythm.task.cancel()
                tasks.append(rhythm.task)
        if tasks:
            await asyncio.wait(tasks)
