import asyncio
import gc
import time

import pytest

from consilience_server.app.call import Call
from consilience_server.app.single_flight import SingleFlight
from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled, DeadlineExceeded, TooFewItems


class Work:
    """Counts its beginnings and ends when told."""

    def __init__(self, result: object = "result") -> None:
        self.calls: list[Call] = []
        self.cancelled = 0
        self.gate = asyncio.Event()
        self.result = result

    async def __call__(self, call: Call) -> object:
        self.calls.append(call)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        call.spent("scan", 1.5)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


def call(deadline: float | None = None) -> Call:
    return Call("align", request_id="r", deadline=None if deadline is None else time.monotonic() + deadline)


async def begin(flights: SingleFlight, calls: list[Call], work: Work, key: str = "key") -> list[asyncio.Task]:
    tasks = [asyncio.create_task(flights.run(each, key, work)) for each in calls]
    await asyncio.sleep(0.01)
    return tasks


async def test_the_work_is_done_once_for_all_callers_at_a_time() -> None:
    flights, work = SingleFlight(), Work()
    calls = [call() for _ in range(20)]
    tasks = await begin(flights, calls, work)
    work.gate.set()
    assert await asyncio.gather(*tasks) == ["result"] * 20
    assert len(work.calls) == 1
    assert [each.cache_tier for each in calls] == [""] + ["joined"] * 19
    assert calls[0].timings == {"scan": 1.5}
    assert all(set(each.timings) == {"cache"} for each in calls[1:])


async def test_other_keys_and_later_callers_begin_anew() -> None:
    flights, work = SingleFlight(), Work()
    work.gate.set()
    await flights.run(call(), "key", work)
    await flights.run(call(), "key", work)
    await asyncio.gather(flights.run(call(), "a", work), flights.run(call(), "b", work))
    assert len(work.calls) == 4
    assert not flights.is_running("key")


async def test_a_cancelled_caller_fails_nobody_else_even_when_it_began_the_work() -> None:
    flights, work = SingleFlight(), Work()
    first, second, third = await begin(flights, [call(), call(), call()], work)
    first.cancel()
    third.cancel()
    await asyncio.wait([first, third])
    assert first.cancelled()
    assert third.cancelled()
    assert not work.calls[0].control.is_cancelled
    work.gate.set()
    assert await second == "result"
    assert work.cancelled == 0


async def test_a_caller_whose_deadline_passes_fails_nobody_else() -> None:
    flights, work = SingleFlight(), Work()
    hurried, patient = await begin(flights, [call(0.05), call(30)], work)
    with pytest.raises(DeadlineExceeded):
        await hurried
    assert not work.calls[0].control.is_cancelled
    assert work.calls[0].deadline is None
    work.gate.set()
    assert await patient == "result"


async def test_a_caller_whose_control_is_cancelled_leaves_within_a_moment() -> None:
    flights, work = SingleFlight(), Work()
    leaver, stayer = call(), call()
    leaving, staying = await begin(flights, [leaver, stayer], work)
    leaver.control.cancel()
    with pytest.raises(Cancelled):
        await asyncio.wait_for(leaving, 1)
    work.gate.set()
    assert await staying == "result"


async def test_the_work_is_cancelled_when_the_last_caller_leaves_and_the_next_begins_anew() -> None:
    flights, work = SingleFlight(), Work()
    first, second = await begin(flights, [call(), call(0.05)], work)
    first.cancel()
    await asyncio.wait([first, second])
    assert isinstance(second.exception(), DeadlineExceeded)
    assert work.calls[0].control.is_cancelled
    assert not flights.is_running("key")
    successor = Work("anew")
    successor.gate.set()
    assert await flights.run(call(), "key", successor) == "anew"
    await asyncio.sleep(0)
    assert work.cancelled == 1
    assert not successor.calls[0].control.is_cancelled


async def test_abandoned_work_that_is_slow_to_end_is_not_joined() -> None:
    flights = SingleFlight()
    ended = asyncio.Event()

    async def stubborn(call: Call) -> str:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            await ended.wait()
            raise
        return "never"

    (first,) = await begin(flights, [call()], stubborn)
    first.cancel()
    await asyncio.wait([first])
    successor = Work("anew")
    (second,) = await begin(flights, [call()], successor)
    ended.set()
    await asyncio.sleep(0.01)
    # The end of the abandoned work must not make the map forget its successor.
    assert flights.is_running("key")
    successor.gate.set()
    assert await second == "anew"


async def test_a_failure_reaches_every_caller_and_is_not_remembered() -> None:
    flights, work = SingleFlight(), Work(TooFewItems("two items are too few"))
    tasks = await begin(flights, [call() for _ in range(3)], work)
    work.gate.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [TooFewItems] * 3
    work.result = "better"
    assert await flights.run(call(), "key", work) == "better"


async def test_a_failure_that_nobody_waits_for_is_silent() -> None:
    problems = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
    flights = SingleFlight()

    async def fails_when_cancelled(call: Call) -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            raise RuntimeError("clean-up failed") from None

    (only,) = await begin(flights, [call()], fails_when_cancelled)
    only.cancel()
    await asyncio.wait([only])
    await asyncio.sleep(0.01)
    # The caller's traceback holds the flight, and with it the work's task.
    del only
    gc.collect()
    assert problems == []


async def test_work_stopped_from_outside_is_told_apart_from_a_cancelled_caller() -> None:
    flights = SingleFlight()

    async def stops(call: Call) -> None:
        raise asyncio.CancelledError

    with pytest.raises(Cancelled):
        await flights.run(call(), "key", stops)


async def test_a_caller_that_is_late_or_gone_already_begins_nothing() -> None:
    flights, work = SingleFlight(), Work()
    with pytest.raises(DeadlineExceeded):
        await flights.run(call(-1), "key", work)
    gone = call()
    gone.control.cancel()
    with pytest.raises(Cancelled):
        await flights.run(gone, "key", work)
    assert work.calls == []


async def test_progress_reaches_everybody_who_waits() -> None:
    flights, work = SingleFlight(), Work()
    heard: list[tuple[str, float]] = []
    calls = [Call("align", control=Control(lambda fraction, name=name: heard.append((name, fraction)))) for name in "ab"]
    tasks = await begin(flights, calls, work)
    await asyncio.to_thread(work.calls[0].control.progress, 0.5)
    work.gate.set()
    await asyncio.gather(*tasks)
    assert heard == [("a", 0.5), ("b", 0.5)]
