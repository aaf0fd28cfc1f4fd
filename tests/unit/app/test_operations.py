import asyncio
import time
from dataclasses import replace

import pytest
from support.silent_metrics import SilentMetrics

from consilience_server.app.operations import Operations
from consilience_server.core.errors import InvalidArgument, InvalidK, OperationNotFound


class MemoryStore:
    def __init__(self):
        self.records, self.requests = {}, {}

    def put(self, record):
        self.records[record.name] = record

    def get(self, name):
        if name not in self.records:
            raise OperationNotFound(name)
        return self.records[name]

    def list(self, after, limit):
        return [self.records[name] for name in sorted(self.records) if name > after][:limit]

    def delete(self, name):
        del self.records[name]

    def find_request(self, kind, request_id):
        return self.requests.get((kind, request_id))

    def bind_request(self, kind, request_id, name):
        self.requests[kind, request_id] = name

    def abort_running(self):
        running = [record for record in self.records.values() if record.state == "running"]
        for record in running:
            self.records[record.name] = replace(record, state="aborted")
        return len(running)


@pytest.fixture
def operations():
    return Operations(MemoryStore(), SilentMetrics())


async def answer(call):
    return b"answer"


async def forever(call):
    await asyncio.sleep(3600)


async def test_an_operation_ends_with_its_answer(operations):
    begun = await operations.start("align", "r1", b"question", answer)
    assert begun.state == "running"
    ended = await operations.wait(begun.name, 5)
    assert (ended.state, ended.response, ended.progress) == ("done", b"answer", 1.0)


async def test_the_same_request_id_answers_the_same_operation(operations):
    first = await operations.start("align", "r1", b"q", answer)
    again = await operations.start("align", "r1", b"q", lambda call: pytest.fail("ran twice"))
    assert again.name == first.name
    with pytest.raises(InvalidArgument, match="another request"):
        await operations.start("align", "r1", b"other", answer)
    other = await operations.start("match", "r1", b"q", answer)
    assert other.name != first.name


async def test_a_refusal_is_kept_with_its_reason(operations):
    async def refuse(call):
        raise InvalidK("k is 0")

    begun = await operations.start("align", "", b"", refuse)
    ended = await operations.wait(begun.name, 5)
    assert (ended.state, ended.error) == ("failed", ("INVALID_K", "k is 0"))


async def test_an_unexpected_failure_shows_an_id_and_not_its_text(operations, caplog):
    async def crash(call):
        raise RuntimeError("secret")

    begun = await operations.start("align", "", b"", crash)
    ended = await operations.wait(begun.name, 5)
    assert ended.state == "failed"
    assert ended.error[0] == "INTERNAL"
    assert "secret" not in ended.error[1]
    assert "secret" in caplog.text


async def test_cancel_at_once_and_twice(operations):
    begun = await operations.start("align", "", b"", forever)
    await operations.cancel(begun.name)
    await operations.cancel(begun.name)
    assert (await operations.wait(begun.name, 5)).state == "cancelled"
    await operations.cancel(begun.name)


async def test_waiting_ends_with_the_time_given(operations):
    begun = await operations.start("align", "", b"", forever)
    assert (await operations.wait(begun.name, 0.01)).state == "running"
    await operations.close()
    ended = await operations.get(begun.name)
    assert (ended.state, ended.error[0]) == ("aborted", "SERVER_RESTARTED")


async def test_progress_is_seen_and_never_goes_back(operations):
    gate = asyncio.Event()

    async def work(call):
        call.control.progress(0.5)
        call.control.progress(0.2)
        await gate.wait()
        return b""

    begun = await operations.start("align", "", b"", work)
    assert (await operations.get(begun.name)).progress == 0.5
    gate.set()
    await operations.wait(begun.name, 5)


async def test_pages(operations):
    names = sorted([(await operations.start("align", "", b"", answer)).name for _ in range(5)])
    first, token = await operations.list(3, "")
    rest, end = await operations.list(3, token)
    assert [record.name for record in (*first, *rest)] == names
    assert end == ""
    await operations.close()


async def test_delete_and_unknown_names(operations):
    begun = await operations.start("align", "", b"", forever)
    await operations.delete(begun.name)
    for call in (operations.get(begun.name), operations.cancel(begun.name), operations.wait(begun.name, 0)):
        with pytest.raises(OperationNotFound):
            await call


async def test_what_ran_when_the_process_died_is_aborted_and_not_lost():
    store = MemoryStore()
    died = Operations(store, SilentMetrics())
    begun = await died.start("align", "", b"", forever)
    reborn = Operations(store, SilentMetrics())
    assert await reborn.resume() == 1
    assert (await reborn.get(begun.name)).state == "aborted"
    await died.close()


async def test_progress_that_cannot_be_kept_costs_no_answer(monkeypatch):
    class Failing(MemoryStore):
        def put(self, record):
            if record.state == "running" and record.progress > 0:
                failed.set()
                raise OSError("no room")
            super().put(record)

    failed, loop = asyncio.Event(), asyncio.get_running_loop()
    monkeypatch.setattr(failed, "set", lambda: loop.call_soon_threadsafe(asyncio.Event.set, failed))
    monkeypatch.setattr("consilience_server.app.operations._PROGRESS_SECONDS", 0.01)
    operations = Operations(Failing(), SilentMetrics())

    async def work(call):
        call.control.progress(0.5)
        await failed.wait()
        return b"answer"

    begun = await operations.start("align", "", b"", work)
    ended = await operations.wait(begun.name, 5)
    assert (ended.state, ended.response) == ("done", b"answer")


async def test_progress_written_late_never_hides_the_end(monkeypatch):
    class Slow(MemoryStore):
        def put(self, record):
            if record.state == "running" and record.progress > 0:
                loop.call_soon_threadsafe(writing.set)
                time.sleep(0.1)
            super().put(record)

    loop, writing = asyncio.get_running_loop(), asyncio.Event()
    monkeypatch.setattr("consilience_server.app.operations._PROGRESS_SECONDS", 0.01)
    operations = Operations(Slow(), SilentMetrics())

    async def work(call):
        call.control.progress(0.5)
        await writing.wait()
        return b"answer"

    begun = await operations.start("align", "", b"", work)
    await operations.wait(begun.name, 5)
    await asyncio.sleep(0.2)
    assert (await operations.get(begun.name)).state == "done"


async def test_an_end_that_cannot_be_kept_is_told_all_the_same(caplog):
    class Full(MemoryStore):
        def put(self, record):
            if record.state != "running":
                raise OSError("no room")
            super().put(record)

    store = Full()
    operations = Operations(store, SilentMetrics())
    begun = await operations.start("align", "", b"", answer)
    ended = await operations.wait(begun.name, 5)
    assert (ended.state, ended.response) == ("done", b"answer")
    assert "could not be kept" in caplog.text
    await operations.delete(begun.name)
    with pytest.raises(OperationNotFound):
        await operations.get(begun.name)


async def test_one_request_id_twice_at_once_starts_one_operation(operations):
    first, second = await asyncio.gather(*(operations.start("align", "r1", b"q", answer) for _ in range(2)))
    assert first.name == second.name
    await operations.close()


class SlowStore(MemoryStore):
    """Takes its time, so that a caller can leave while an operation starts."""

    def put(self, record):
        time.sleep(0.05)
        super().put(record)


@pytest.mark.parametrize("request_id", ["", "r"])
async def test_a_caller_that_leaves_while_it_starts_leaves_no_ghost(request_id):
    store = SlowStore()
    operations = Operations(store, SilentMetrics())
    goes_on = asyncio.Event()

    async def run(call):
        await goes_on.wait()
        return b"the answer"

    starting = asyncio.ensure_future(operations.start("align", request_id, b"q", run))
    await asyncio.sleep(0.01)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await asyncio.sleep(0.1)
    goes_on.set()
    async with asyncio.timeout(5):
        while any(record.state == "running" for record in store.records.values()) or not store.records:
            await asyncio.sleep(0.01)
    (record,) = store.records.values()
    # Whoever can ask again by its id finds the answer; what nobody knows of is stopped.
    assert record.state == ("done" if request_id else "cancelled")
    await operations.close()


async def test_a_cancellation_at_its_end_hides_no_answer():
    store = SlowStore()
    operations = Operations(store, SilentMetrics())

    async def run(call):
        return b"the answer"

    record = await operations.start("align", "", b"q", run)
    # The work is done, its end is being written.
    await asyncio.sleep(0.02)
    await operations.cancel(record.name)
    await operations.wait(record.name, 5)
    assert store.records[record.name].state == "done"
