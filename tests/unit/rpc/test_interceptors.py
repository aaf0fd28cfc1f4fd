"""What every call meets: ids, keys, places, deadlines, statuses, trailing metadata."""

import asyncio
import hashlib
import logging

import grpc
import pytest
from support.recorded_metrics import RecordedMetrics

from consilience.v1.space_pb2 import GetSpaceRequest, GetSpaceResponse
from consilience_server.core.errors import DeadlineExceeded, MemoryBudget, NotServed, SpaceNotFound
from consilience_server.rpc.api_keys import ApiKeys
from consilience_server.rpc.current_call import current_call, current_request_id

METHOD = "/test.Service/GetThing"
KEY = "k" * 32


def register(behaviour, kind=grpc.unary_unary_rpc_method_handler):
    handler = kind(behaviour, GetSpaceRequest.FromString, GetSpaceResponse.SerializeToString)
    return lambda server: server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Service", {"GetThing": handler}),))


def ask(channel, request=b"", **options):
    return channel.unary_unary(METHOD)(request, timeout=options.pop("timeout", 10), **options)


async def trailing(call):
    return dict(await call.trailing_metadata())


async def test_the_servicer_gets_its_call(serve):
    seen = []

    async def answer(request, context):
        call = current_call()
        seen.append((request.name, call.operation, call.request_id, call.remaining()))
        call.spent("scan", 0.25)
        call.cache_tier = "memory"
        return GetSpaceResponse()

    async with serve(register(answer)) as (channel, _):
        call = ask(channel, GetSpaceRequest(name="é").SerializeToString(), metadata=(("x-request-id", "mine-1"),))
        await call
    ((name, operation, request_id, remaining),) = seen
    assert (name, operation, request_id) == ("é", "get_thing", "mine-1")
    # A deadline travels as a duration that gRPC rounds up, by 1% at the most.
    assert 5 < remaining <= 10.1
    sent = await trailing(call)
    assert (sent["x-request-id"], sent["consilience-stage-scan-seconds"], sent["consilience-cache-tier"]) == (
        "mine-1",
        "0.250000",
        "memory",
    )
    assert float(sent["consilience-total-seconds"]) >= 0


@pytest.mark.parametrize("given", [None, "", "a b", "x" * 129])
async def test_a_request_id_is_made_where_none_is_well_formed(serve, given):
    async def answer(request, context):
        return GetSpaceResponse()

    async with serve(register(answer)) as (channel, _):
        metadata = () if given is None else (("x-request-id", given),)
        first, second = ask(channel, metadata=metadata), ask(channel, metadata=metadata)
        await first
        await second
        ids = {(await trailing(call))["x-request-id"] for call in (first, second)}
    assert len(ids) == 2
    assert given not in ids


async def test_encoded_answers_travel_as_they_are(serve):
    async def answer(request, context):
        return b"raw bytes"

    async with serve(register(answer)) as (channel, _):
        assert await ask(channel) == b"raw bytes"


async def test_refusals_become_statuses_and_keep_the_trailing_metadata(serve, details_of):
    async def answer(request, context):
        current_call().spent("queue", 0.5)
        raise MemoryBudget("too big", field="spec", retry_after=2.5)

    async with serve(register(answer)) as (channel, edge):
        call = ask(channel, metadata=(("x-request-id", "mine-2"),))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert details_of(caught.value) == ("RESOURCE_EXHAUSTED", "MEMORY_BUDGET", "spec", 2.5)
        sent = dict(caught.value.trailing_metadata())
        assert sent["x-request-id"] == "mine-2"
        assert sent["consilience-stage-queue-seconds"] == "0.500000"
        assert edge.calls == 0


async def test_faults_of_ours_stay_ours(serve, details_of, caplog):
    async def answer(request, context):
        raise RuntimeError("/secret/path")

    async with serve(register(answer)) as (channel, _):
        with caplog.at_level(logging.ERROR), pytest.raises(grpc.aio.AioRpcError) as caught:
            await ask(channel)
    assert details_of(caught.value)[:2] == ("INTERNAL", "INTERNAL")
    assert "secret" not in caught.value.details()
    error_id = caught.value.details().split()[-1]
    (record,) = [record for record in caplog.records if record.exc_info]
    assert error_id in record.getMessage()
    assert "/secret/path" in str(record.exc_info[1])


async def test_a_malformed_request_is_the_callers_fault(serve, details_of):
    async def answer(request, context):
        raise AssertionError("must not be reached")

    async with serve(register(answer)) as (channel, _):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ask(channel, b"\xff\xff\xff")
    assert details_of(caught.value)[:2] == ("INVALID_ARGUMENT", "INVALID_ARGUMENT")


async def test_an_answer_beyond_the_limit_is_refused_with_the_limit(serve, details_of):
    async def answer(request, context):
        return b"x" * 2001

    async with serve(register(answer), max_message_bytes=2000) as (channel, _):
        with pytest.raises(grpc.aio.AioRpcError, match=r"2,001 bytes.*2,000") as caught:
            await ask(channel)
    assert details_of(caught.value)[:2] == ("INVALID_ARGUMENT", "MESSAGE_TOO_LARGE")


async def test_a_request_beyond_the_limit_names_the_limit(serve):
    async def answer(request, context):
        return GetSpaceResponse()

    async with serve(register(answer), max_message_bytes=2000) as (channel, _):
        with pytest.raises(grpc.aio.AioRpcError, match=r"2001 vs\. 2000") as caught:
            await ask(channel, b"\0" * 2001)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        await ask(channel)


class TestKeys:
    keys = ApiKeys([hashlib.sha256(KEY.encode()).digest()])

    @staticmethod
    async def answer(request, context):
        return GetSpaceResponse()

    @pytest.mark.parametrize("header", [f"Bearer {KEY}", f"bearer {KEY}"])
    async def test_a_known_key_opens(self, serve, header):
        async with serve(register(self.answer), keys=self.keys) as (channel, _):
            await ask(channel, metadata=(("authorization", header),))

    @pytest.mark.parametrize("header", [None, "", KEY, f"Basic {KEY}", "Bearer", "Bearer ", f"Bearer {KEY}x", f"Bearer {KEY[:-1]}"])
    async def test_anything_else_does_not(self, serve, details_of, header):
        async with serve(register(self.answer), keys=self.keys) as (channel, edge):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await ask(channel, metadata=() if header is None else (("authorization", header),))
            assert edge.calls == 0
        assert details_of(caught.value)[:2] == ("UNAUTHENTICATED", "UNAUTHENTICATED")
        assert KEY[:8] not in caught.value.details()


async def test_beyond_the_number_of_places_calls_are_refused_at_once(serve, details_of):
    entered, leave = asyncio.Semaphore(0), asyncio.Event()

    async def answer(request, context):
        entered.release()
        await leave.wait()
        return GetSpaceResponse()

    metrics = RecordedMetrics()
    async with serve(register(answer), max_calls=2, metrics=metrics) as (channel, edge):
        calls = [ask(channel) for _ in range(2)]
        waiting = [asyncio.ensure_future(call) for call in calls]
        for _ in calls:
            await entered.acquire()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ask(channel)
        assert details_of(caught.value) == ("RESOURCE_EXHAUSTED", "OVERLOADED", None, 1.0)
        leave.set()
        await asyncio.gather(*waiting)
        assert edge.calls == 0
        await ask(channel)


async def test_a_cancelled_call_cancels_its_work_and_gives_back_its_place(serve):
    entered, controls = asyncio.Event(), []

    async def answer(request, context):
        controls.append(current_call().control)
        entered.set()
        await asyncio.sleep(60)

    async with serve(register(answer)) as (channel, edge):
        call = ask(channel)
        waiting = asyncio.ensure_future(call)
        await entered.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        async with asyncio.timeout(5):
            while edge.calls or not controls[0].is_cancelled:
                await asyncio.sleep(0.01)


async def test_a_passed_deadline_cancels_its_work(serve):
    controls = []

    async def answer(request, context):
        controls.append(current_call().control)
        await asyncio.sleep(60)

    async with serve(register(answer)) as (channel, edge):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ask(channel, timeout=0.1)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        async with asyncio.timeout(5):
            while edge.calls or not controls[0].is_cancelled:
                await asyncio.sleep(0.01)


async def test_a_thousand_cancelled_calls_leave_nothing(serve):
    async def answer(request, context):
        await asyncio.sleep(60)

    async with serve(register(answer), max_calls=10_000) as (channel, edge):
        calls = [ask(channel) for _ in range(1000)]
        waiting = [asyncio.ensure_future(call) for call in calls]
        async with asyncio.timeout(20):
            while edge.calls < 500:
                await asyncio.sleep(0.01)
            for call in calls:
                call.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            while edge.calls:
                await asyncio.sleep(0.01)


async def test_a_draining_server_finishes_and_refuses(serve, details_of):
    entered, leave = asyncio.Event(), asyncio.Event()

    async def answer(request, context):
        entered.set()
        await leave.wait()
        return GetSpaceResponse()

    async with serve(register(answer)) as (channel, edge):
        running = asyncio.ensure_future(ask(channel))
        await entered.wait()
        edge.drain()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ask(channel)
        assert details_of(caught.value) == ("UNAVAILABLE", "SHUTTING_DOWN", None, 1.0)
        leave.set()
        assert await running == b""


async def test_streams_of_answers(serve, details_of):
    async def answer(request, context):
        current_call().spent("scan", 1.0)
        yield b"one"
        yield GetSpaceResponse()
        if request.name:
            raise SpaceNotFound("no such space")

    async with serve(register(answer, grpc.unary_stream_rpc_method_handler)) as (channel, edge):
        stream = channel.unary_stream(METHOD)(b"", timeout=10)
        assert [part async for part in stream] == [b"one", b""]
        assert (await trailing(stream))["consilience-stage-scan-seconds"] == "1.000000"
        stream = channel.unary_stream(METHOD)(GetSpaceRequest(name="x").SerializeToString(), timeout=10)
        parts = []
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async for part in stream:
                parts.append(part)
        assert parts == [b"one", b""]
        assert details_of(caught.value)[:2] == ("NOT_FOUND", "SPACE_NOT_FOUND")
        assert edge.calls == 0


async def test_a_stream_that_its_caller_leaves_is_closed(serve):
    closed = asyncio.Event()

    async def answer(request, context):
        try:
            while True:
                yield b"more"
                await asyncio.sleep(0.001)
        finally:
            closed.set()

    async with serve(register(answer, grpc.unary_stream_rpc_method_handler)) as (channel, edge):
        stream = channel.unary_stream(METHOD)(b"", timeout=10)
        await stream.read()
        stream.cancel()
        await asyncio.wait_for(closed.wait(), 5)
        async with asyncio.timeout(5):
            while edge.calls:
                await asyncio.sleep(0.01)


async def test_streams_of_requests(serve, details_of):
    async def answer(requests, context):
        return b",".join([request.name.encode() async for request in requests])

    async with serve(register(answer, grpc.stream_unary_rpc_method_handler)) as (channel, _):
        ask_all = channel.stream_unary(METHOD)
        assert await ask_all(iter([GetSpaceRequest(name=name).SerializeToString() for name in "abc"]), timeout=10) == b"a,b,c"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ask_all(iter([GetSpaceRequest(name="a").SerializeToString(), b"\xff\xff"]), timeout=10)
        assert details_of(caught.value)[:2] == ("INVALID_ARGUMENT", "INVALID_ARGUMENT")


async def test_an_unknown_method_is_not_ours_to_answer(serve):
    async def answer(request, context):
        return b""

    async with serve(register(answer)) as (channel, _):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary("/test.Service/Other")(b"", timeout=10)
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_every_kind_of_refusal_reaches_the_log_with_its_reason(serve, caplog):
    async def answer(request, context):
        raise NotServed("nothing here")

    with caplog.at_level(logging.INFO):
        async with serve(register(answer)) as (channel, _):
            with pytest.raises(grpc.aio.AioRpcError):
                await ask(channel)
    assert any("NOT_SERVED" in record.getMessage() for record in caplog.records)


async def test_a_deadline_that_the_use_case_noticed_first(serve, details_of):
    async def answer(request, context):
        raise DeadlineExceeded("too late")

    async with serve(register(answer)) as (channel, _):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ask(channel)
    assert details_of(caught.value)[:2] == ("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED")


def test_outside_of_a_call_there_is_none():
    assert current_request_id() == ""
    with pytest.raises(RuntimeError):
        current_call()
