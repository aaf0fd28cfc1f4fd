import asyncio
import dataclasses

import numpy as np
import pytest

import consilience
from consilience import AsyncClient, Client
from consilience._async.match_batches import AsyncMatchBatches
from consilience._results.certificate import Certificate
from consilience._results.match_result import MatchResult
from consilience._results.space import SpaceUse
from consilience.v1 import match_pb2, matrix_pb2

GALLERY = SpaceUse("gallery", "uid", 1)


def request(*values, k=2):
    vectors = np.asarray(values, dtype=np.float32).reshape(-1, 1)
    return match_pb2.MatchRequest(
        k=k, vectors=matrix_pb2.Matrix(data=vectors.tobytes(), dtype=matrix_pb2.DATA_TYPE_FLOAT32, rows=len(vectors), columns=1)
    )


class Server:
    """Answers each row with its own value; holds its answers while `held`; refuses what holds a negative value."""

    def __init__(self):
        self.seen, self.open, self.cancelled = [], asyncio.Event(), 0
        self.open.set()

    async def send(self, asked, timeout, lift):
        values = np.frombuffer(asked.vectors.data, dtype=np.float32)
        self.seen.append(values.tolist())
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if (values < 0).any():
            raise consilience.InvalidArgumentError(f"row {int(np.argmax(values < 0))} is negative")
        if (values == 99).any():
            lift()
            await asyncio.sleep(0.1)
        rows = values[:, None].astype(float).repeat(asked.k, axis=1)
        ids = np.array([[f"{value:g}" for value in row] for row in rows], dtype=object)
        return MatchResult(ids, rows, rows + 0.5, "none", GALLERY, certificate=Certificate("int16", 0.0, len(rows), 1, 100, "native"))


async def started(calls):
    tasks = [asyncio.ensure_future(call) for call in calls]
    await asyncio.sleep(0)
    return tasks


async def test_a_call_alone_goes_at_once_and_calls_that_overlap_go_together():
    server = Server()
    batches = AsyncMatchBatches(server.send, 5)
    assert (await batches.match(request(1), None, 256)).ids.tolist() == [["1", "1"]]
    server.open.clear()
    tasks = await started(batches.match(request(value), None, 256) for value in range(20))
    await asyncio.sleep(0)
    assert server.seen == [[1], [0], [1]]
    server.open.set()
    answers = await asyncio.gather(*tasks)
    assert [answer.ids[0, 0] for answer in answers] == [f"{value}" for value in range(20)]
    assert [answer.scores.shape for answer in answers] == [(1, 2)] * 20
    # One call, two that found room, then the rest in halves.
    assert len(server.seen) < 9
    assert sorted(value for values in server.seen[1:] for value in values) == list(range(20))


async def test_only_calls_that_ask_the_same_share_a_request():
    server = Server()
    batches = AsyncMatchBatches(server.send, 5)
    server.open.clear()
    kinds = [(2, None), (3, None), (2, 1.0)]
    tasks = await started(batches.match(request(value, k=k), timeout, 256) for value in range(6) for k, timeout in kinds)
    server.open.set()
    answers = await asyncio.gather(*tasks)
    assert [answer.k for answer in answers] == [k for _ in range(6) for k, _ in kinds]
    assert len(server.seen) >= 9


async def test_a_large_call_goes_alone():
    server = Server()
    batches = AsyncMatchBatches(server.send, 5)
    server.open.clear()
    tasks = await started(batches.match(request(*range(33)), None, 256) for _ in range(4))
    assert [len(values) for values in server.seen] == [33] * 4
    server.open.set()
    await asyncio.gather(*tasks)


async def test_where_the_server_batches_nothing_each_goes_alone():
    server = Server()
    batches = AsyncMatchBatches(server.send, 5)
    server.open.clear()
    tasks = await started(batches.match(request(value), None, 1) for value in range(8))
    assert server.seen == [[value] for value in range(8)]
    server.open.set()
    await asyncio.gather(*tasks)


async def test_a_batch_is_bounded():
    server = Server()
    batches = AsyncMatchBatches(server.send, 5)
    tasks = await started(batches.match(request(*[value] * 20), None, 256) for value in range(100))
    answers = await asyncio.gather(*tasks)
    assert all((answer.similarities == value).all() and len(answer) == 20 for value, answer in enumerate(answers))
    assert max(map(len, server.seen)) <= 256


async def test_a_refusal_reaches_the_call_whose_fault_it_is():
    server = Server()
    batches = AsyncMatchBatches(server.send, 5)
    values = [1, 2, 3, -1, 4]
    answers = await asyncio.gather(*(batches.match(request(value), None, 256) for value in values), return_exceptions=True)
    assert [answer if isinstance(answer, Exception) else answer.ids[0, 0] for answer in answers if answer is not answers[3]] == list("1234")
    with pytest.raises(consilience.InvalidArgumentError, match="row 0"):
        raise answers[3]


async def test_another_failure_reaches_all_of_a_batch():
    async def fail(asked, timeout, lift):
        await asyncio.sleep(0.01)
        raise consilience.Unavailable("no server")

    batches = AsyncMatchBatches(fail, 5)
    answers = await asyncio.gather(*(batches.match(request(value), None, 256) for value in range(8)), return_exceptions=True)
    assert all(isinstance(answer, consilience.Unavailable) for answer in answers)


async def test_a_batch_that_all_have_left_is_cancelled_and_others_go_on():
    server = Server()
    batches = AsyncMatchBatches(server.send, 5)
    server.open.clear()
    tasks = await started(batches.match(request(value), None, 256) for value in range(6))
    await asyncio.sleep(0)
    tasks[0].cancel()
    await asyncio.sleep(0.01)
    # The first batch held that call alone; its room is taken by the next.
    assert server.cancelled == 1
    tasks[2].cancel()
    server.open.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(answer, asyncio.CancelledError) for answer in answers] == [True, False, True, False, False, False]
    assert [answer.ids[0, 0] for answer in answers if not isinstance(answer, asyncio.CancelledError)] == ["1", "3", "4", "5"]


@pytest.mark.parametrize("timeout", ["5", 0, -1, float("nan")])
async def test_a_timeout_that_is_none_is_refused(timeout):
    with pytest.raises(consilience.InvalidArgumentError, match="above 0") as refused:
        await AsyncMatchBatches(Server().send, 5).match(request(1), timeout, 256)
    assert refused.value.field == "timeout"


async def test_no_end_is_a_time_too():
    assert (await AsyncMatchBatches(Server().send, float("inf")).match(request(1), None, 256)).ids[0, 0] == "1"
    assert (await AsyncMatchBatches(Server().send, 5).match(request(1), float("inf"), 256)).ids[0, 0] == "1"


async def test_a_deadline_that_was_named_ends_the_wait_for_an_operation():
    with pytest.raises(consilience.Timeout):
        await AsyncMatchBatches(Server().send, 5).match(request(99), 0.05, 256)


async def test_each_keeps_its_deadline():
    server = Server()
    batches = AsyncMatchBatches(server.send, 5)
    server.open.clear()
    tasks = await started(batches.match(request(value), 0.05, 256) for value in range(4))
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(error, consilience.Timeout) for error in ended)
    assert server.cancelled == len(server.seen)
    # What waits no more takes no room.
    server.open.set()
    assert (await batches.match(request(7), 0.5, 256)).ids[0, 0] == "7"
    await asyncio.sleep(0)
    assert batches._lanes == {}


async def test_an_operation_is_waited_for_beyond_the_deadline_of_a_call():
    server = Server()
    batches = AsyncMatchBatches(server.send, 0.05)
    answers = await asyncio.gather(*(batches.match(request(99), None, 256) for _ in range(4)), return_exceptions=True)
    # The first two are on their way together; those that waited in line had time to spare only before it.
    assert [answer.ids[0, 0] for answer in answers[:2]] == ["99", "99"]


def test_rows_take_their_share_of_every_array():
    values = np.arange(12.0).reshape(6, 2)
    whole = MatchResult(values.astype(object), values, -values, "none", GALLERY, certificate=Certificate("int16", 0.1, 4, 2, 60, "native"))
    part = whole.rows(1, 4)
    arrays = [field.name for field in dataclasses.fields(MatchResult) if isinstance(getattr(whole, field.name), np.ndarray)]
    assert {"ids", "similarities", "scores"} <= set(arrays)
    for name in arrays:
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[1:4])
    assert part.certificate == Certificate("int16", 0.1, 1, 2, 30, "native")


async def test_answers_are_those_of_the_calls_alone(tmp_path):
    random = np.random.default_rng(0)
    gallery, queries = random.standard_normal((500, 16)), random.standard_normal((80, 16))
    with Client.local(tmp_path / "store") as client:
        client.create_space("gallery", dim=16)
        client.upsert("gallery", [f"i{row:03d}" for row in range(500)], gallery)
        alone = [client.match(queries=query, space="gallery", k=5) for query in queries]
    async with AsyncClient.local(tmp_path / "store") as client:
        found = await asyncio.gather(*(client.match(queries=query, space="gallery", k=5) for query in queries))
    for one, other in zip(alone, found, strict=True):
        assert one.ids.tolist() == other.ids.tolist()
        np.testing.assert_array_equal(one.similarities, other.similarities)
