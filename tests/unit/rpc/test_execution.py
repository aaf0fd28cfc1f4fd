"""Within the call, or as an operation."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from consilience.v1 import alignment_pb2
from consilience_server.app.call import Call
from consilience_server.app.ports import OperationRecord
from consilience_server.core.errors import DeadlineExceeded, InvalidArgument
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


async def test_a_passed_deadline_starts_nothing():
    with pytest.raises(DeadlineExceeded):
        await run(0, 1.0, deadline=time.monotonic() - 1)


async def test_unknown_modes():
    with pytest.raises(InvalidArgument) as caught:
        await run(9, 0.0)
    assert caught.value.field == "mode"


async def test_a_server_that_can_keep_no_operation_answers_what_is_left_open_in_the_call():
    assert await run(0, 1e9, read_only=True) == (True, False)
