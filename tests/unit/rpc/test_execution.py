"""Within the call, or as an operation."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from consilience.v1 import alignment_pb2
from consilience_server.app.call import Call
from consilience_server.app.ports import OperationRecord
from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled, DeadlineExceeded, InvalidArgument
from consilience_server.rpc.execution import Execution

NOW = datetime.now(UTC)


@dataclass
class StartedOperations:
    started: list = field(default_factory=list)

    async def start(self, kind, request_id, request, run):
        self.started.append((kind, request_id, request))
        return OperationRecord(f"operations/{kind}-1", kind, "running", 0.0, NOW, NOW)


async def run(mode, seconds, *, deadline=None, read_only=False):
    """Whether it was answered inline, and whether the estimate was asked."""
    operations, asked = StartedOperations(), []

    async def estimate():
        asked.append(seconds)
        return seconds

    async def work(call):
        return b"the answer"

    call = Call("align", deadline=deadline)
    answer = await Execution(operations, 20.0, read_only=read_only).run(call, mode, estimate, work, request_id="r", request=b"q")
    if answer == b"the answer":
        assert operations.started == []
        return True, bool(asked)
    assert operations.started == [("align", "r", b"q")]
    assert answer.name == "operations/align-1"
    assert not answer.done
    return False, bool(asked)


async def test_what_the_caller_decides_is_not_estimated():
    assert await run(alignment_pb2.EXECUTION_MODE_INLINE, 1e9) == (True, False)
    assert await run(alignment_pb2.EXECUTION_MODE_OPERATION, 0.0) == (False, False)


@pytest.mark.parametrize(("seconds", "is_inline"), [(0.0, True), (20.0, True), (20.1, False)])
async def test_left_open_the_estimate_decides(seconds, is_inline):
    assert await run(0, seconds) == (is_inline, True)


async def test_work_that_would_outlast_the_deadline_becomes_an_operation():
    assert await run(0, 5.0, deadline=time.monotonic() + 2) == (False, True)
    assert await run(0, 1.0, deadline=time.monotonic() + 2) == (True, True)


class FollowingOperations(StartedOperations):
    """Runs what it is given, and keeps the task."""

    async def start(self, kind, request_id, request, run):
        self.call = Call(kind)
        self.task = asyncio.ensure_future(run(self.call))
        await asyncio.sleep(0)
        return await super().start(kind, request_id, request, run)


async def half_a_second():
    return 0.5


async def test_work_that_outlasts_its_estimate_goes_on_as_an_operation():
    operations, begun, told = FollowingOperations(), [], []
    go_on = asyncio.Event()

    async def work(call):
        begun.append(call)
        call.control.progress(0.25)
        await go_on.wait()
        call.control.progress(0.75)
        return b"the answer"

    call = Call("align", deadline=time.monotonic() + 0.6, control=Control(told.append))
    answer = await Execution(operations, 20.0).run(call, 0, half_a_second, work, request_id="r", request=b"q")
    assert answer.name == "operations/align-1"
    assert told == [0.25]
    operations.call.control = Control(told.append)
    go_on.set()
    assert await operations.task == b"the answer"
    assert len(begun) == 1, "what was computed is not computed again"
    assert begun[0].remaining() is None
    assert told == [0.25, 0.75]


async def test_the_operation_that_took_over_can_be_cancelled():
    operations, stopped = FollowingOperations(), []

    async def work(call):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            stopped.append(call.control.is_cancelled)
            raise

    call = Call("align", deadline=time.monotonic() + 0.6)
    await Execution(operations, 20.0).run(call, 0, half_a_second, work, request_id="r", request=b"q")
    operations.call.control.cancel()
    with pytest.raises(Cancelled):
        await operations.task
    await asyncio.sleep(0)
    assert stopped == [True]


@pytest.mark.parametrize("fails", [False, True])
async def test_begun_work_that_no_operation_follows_is_stopped(fails):
    stopped = []

    class OtherOperations(StartedOperations):
        async def start(self, kind, request_id, request, run):
            if fails:
                raise InvalidArgument("used for another request", field="request_id")
            return await super().start(kind, request_id, request, run)

    async def work(call):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            stopped.append(call.control.is_cancelled)
            raise

    call = Call("align", deadline=time.monotonic() + 0.6)
    running = Execution(OtherOperations(), 20.0).run(call, 0, half_a_second, work, request_id="r", request=b"q")
    if fails:
        with pytest.raises(InvalidArgument):
            await running
    else:
        assert (await running).name == "operations/align-1"
    await asyncio.sleep(0)
    assert stopped == [True]


async def test_a_caller_that_leaves_takes_its_work_with_it():
    stopped = []

    async def work(call):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            stopped.append(call.control.is_cancelled)
            raise

    call = Call("align", deadline=time.monotonic() + 60)
    running = asyncio.ensure_future(Execution(StartedOperations(), 20.0).run(call, 0, half_a_second, work, request_id="r", request=b"q"))
    await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.sleep(0)
    assert stopped == [True]


async def test_what_watched_work_spent_and_how_it_failed_reaches_its_caller():
    async def work(call):
        call.spent("scan", 0.5)
        call.cache_tier = "memory"
        return b"the answer"

    async def refuse(call):
        raise InvalidArgument("no", field="k")

    call = Call("align", deadline=time.monotonic() + 60)
    execution = Execution(StartedOperations(), 20.0)
    assert await execution.run(call, 0, half_a_second, work, request_id="r", request=b"q") == b"the answer"
    assert (call.timings, call.cache_tier) == ({"scan": 0.5}, "memory")
    with pytest.raises(InvalidArgument):
        await execution.run(call, 0, half_a_second, refuse, request_id="r", request=b"q")


async def test_a_passed_deadline_starts_nothing():
    with pytest.raises(DeadlineExceeded):
        await run(0, 1.0, deadline=time.monotonic() - 1)


async def test_unknown_modes():
    with pytest.raises(InvalidArgument) as caught:
        await run(9, 0.0)
    assert caught.value.field == "mode"


async def test_a_server_that_can_keep_no_operation_answers_what_is_left_open_in_the_call():
    assert await run(0, 1e9, read_only=True) == (True, False)
