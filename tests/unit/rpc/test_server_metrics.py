# ruff: noqa: N802 - the methods have the names of their RPCs

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer

from consilience_server.rpc.server_metrics import _CODES, ServerMetricsInterceptor

SERVICE = "test.v1.Test"


class Recorder:
    def __init__(self) -> None:
        self.counts: Counter[tuple[str, ...]] = Counter()
        self.seconds: list[float] = []

    def started(self, *labels: str) -> None:
        self.counts["started", *labels] += 1

    def received(self, *labels: str) -> None:
        self.counts["received", *labels] += 1

    def sent(self, *labels: str) -> None:
        self.counts["sent", *labels] += 1

    def handled(self, *labels_and_seconds) -> None:
        *labels, seconds = labels_and_seconds
        self.counts["handled", *labels] += 1
        self.seconds.append(seconds)

    def of(self, method: str) -> dict[str, int]:
        """event (and code) -> count."""
        return {" ".join((labels[0], *labels[4:])): count for labels, count in self.counts.items() if labels[3] == method}

    async def settled(self, method: str, event: str) -> None:
        """Until the event was counted: the server may notice a departure after its client did."""
        async with asyncio.timeout(5):
            while event not in self.of(method):
                await asyncio.sleep(0.01)


class Handlers(grpc.GenericRpcHandler):
    def service(self, details):
        name = details.method.removeprefix(f"/{SERVICE}/")
        makers = {
            "Echo": grpc.unary_unary_rpc_method_handler,
            "Refuse": grpc.unary_unary_rpc_method_handler,
            "SetCode": grpc.unary_unary_rpc_method_handler,
            "Crash": grpc.unary_unary_rpc_method_handler,
            "Sleep": grpc.unary_unary_rpc_method_handler,
            "Collect": grpc.stream_unary_rpc_method_handler,
            "Read": grpc.stream_unary_rpc_method_handler,
            "Count": grpc.unary_stream_rpc_method_handler,
            "Write": grpc.unary_stream_rpc_method_handler,
            "Break": grpc.unary_stream_rpc_method_handler,
            "Endless": grpc.unary_stream_rpc_method_handler,
            "Chat": grpc.stream_stream_rpc_method_handler,
        }
        return makers[name](getattr(self, name)) if name in makers else None

    async def Echo(self, request, context):
        return request

    async def Refuse(self, request, context):
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no")

    async def SetCode(self, request, context):
        context.set_code(grpc.StatusCode.NOT_FOUND)
        return b""

    async def Crash(self, request, context):
        raise RuntimeError

    async def Sleep(self, request, context):
        await asyncio.sleep(30)

    async def Collect(self, requests, context):
        return b"".join([message async for message in requests])

    async def Read(self, requests, context):
        parts = []
        while (message := await context.read()) is not grpc.aio.EOF:
            parts.append(message)
        return b"".join(parts)

    async def Count(self, request, context):
        for index in range(3):
            yield b"%d" % index

    async def Write(self, request, context):
        for index in range(3):
            await context.write(b"%d" % index)

    async def Break(self, request, context):
        yield b"one"
        await context.abort(grpc.StatusCode.DATA_LOSS, "broken")

    async def Endless(self, request, context):
        while True:
            yield b"more"
            await asyncio.sleep(0.01)

    async def Chat(self, requests, context):
        async for message in requests:
            yield message
            yield message


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Recorder, grpc.aio.Channel]]:
    recorder = Recorder()
    server = grpc.aio.server(interceptors=[ServerMetricsInterceptor(recorder)])
    server.add_generic_rpc_handlers((Handlers(),))
    health_pb2_grpc.add_HealthServicer_to_server(HealthServicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield recorder, channel
    await server.stop(None)


async def parts() -> AsyncIterator[bytes]:
    for part in (b"a", b"b", b"c"):
        yield part


async def test_a_unary_call() -> None:
    async with served() as (recorder, channel):
        assert await channel.unary_unary(f"/{SERVICE}/Echo")(b"hello") == b"hello"
        await recorder.settled("Echo", "handled OK")
    assert recorder.counts == {
        ("started", "unary", SERVICE, "Echo"): 1,
        ("received", "unary", SERVICE, "Echo"): 1,
        ("sent", "unary", SERVICE, "Echo"): 1,
        ("handled", "unary", SERVICE, "Echo", "OK"): 1,
    }
    assert 0 <= recorder.seconds[0] < 5


@pytest.mark.parametrize(("method", "code"), [("Refuse", "InvalidArgument"), ("SetCode", "NotFound"), ("Crash", "Unknown")])
async def test_the_code_is_the_one_that_the_client_gets(method: str, code: str) -> None:
    async with served() as (recorder, channel):
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await channel.unary_unary(f"/{SERVICE}/{method}")(b"")
        await recorder.settled(method, f"handled {code}")
    assert _CODES[failure.value.code()] == code
    assert recorder.of(method)[f"handled {code}"] == 1
    assert sum(count for event, count in recorder.of(method).items() if event.startswith("handled")) == 1


async def test_a_deadline_and_a_cancellation_are_told_apart() -> None:
    async with served() as (recorder, channel):
        with pytest.raises(grpc.aio.AioRpcError):
            await channel.unary_unary(f"/{SERVICE}/Sleep")(b"", timeout=0.1)
        await recorder.settled("Sleep", "handled DeadlineExceeded")
        call = channel.unary_unary(f"/{SERVICE}/Sleep")(b"")
        async with asyncio.timeout(5):
            while recorder.of("Sleep")["started"] < 2:
                await asyncio.sleep(0.01)
        call.cancel()
        await recorder.settled("Sleep", "handled Canceled")
    assert recorder.of("Sleep") == {"started": 2, "received": 2, "handled DeadlineExceeded": 1, "handled Canceled": 1}


@pytest.mark.parametrize("method", ["Collect", "Read"])
async def test_a_stream_of_requests(method: str) -> None:
    async with served() as (recorder, channel):
        assert await channel.stream_unary(f"/{SERVICE}/{method}")(parts()) == b"abc"
    assert recorder.of(method) == {"started": 1, "received": 3, "sent": 1, "handled OK": 1}
    assert ("started", "client_stream", SERVICE, method) in recorder.counts


@pytest.mark.parametrize("method", ["Count", "Write"])
async def test_a_stream_of_answers_yielded_or_written(method: str) -> None:
    async with served() as (recorder, channel):
        assert [answer async for answer in channel.unary_stream(f"/{SERVICE}/{method}")(b"")] == [b"0", b"1", b"2"]
    assert recorder.of(method) == {"started": 1, "received": 1, "sent": 3, "handled OK": 1}
    assert ("started", "server_stream", SERVICE, method) in recorder.counts


async def test_a_stream_that_breaks_midway() -> None:
    async with served() as (recorder, channel):
        with pytest.raises(grpc.aio.AioRpcError):
            _ = [answer async for answer in channel.unary_stream(f"/{SERVICE}/Break")(b"")]
    assert recorder.of("Break") == {"started": 1, "received": 1, "sent": 1, "handled DataLoss": 1}


async def test_a_client_that_leaves_a_stream() -> None:
    async with served() as (recorder, channel):
        call = channel.unary_stream(f"/{SERVICE}/Endless")(b"")
        await call.read()
        call.cancel()
        await recorder.settled("Endless", "handled Canceled")


async def test_streams_both_ways() -> None:
    async with served() as (recorder, channel):
        assert len([answer async for answer in channel.stream_stream(f"/{SERVICE}/Chat")(parts())]) == 6
    assert recorder.of("Chat") == {"started": 1, "received": 3, "sent": 6, "handled OK": 1}
    assert ("started", "bidi_stream", SERVICE, "Chat") in recorder.counts


async def test_unknown_methods_make_no_label_values() -> None:
    async with served() as (recorder, channel):
        for index in range(5):
            with pytest.raises(grpc.aio.AioRpcError):
                await channel.unary_unary(f"/attacker.v{index}.Service/Method{index}")(b"")
            with pytest.raises(grpc.aio.AioRpcError):
                await channel.unary_unary(f"/{SERVICE}/Method{index}")(b"")
    assert recorder.counts == {
        ("started", "unary", "unknown", "unknown"): 10,
        ("handled", "unary", "unknown", "unknown", "Unimplemented"): 10,
    }


async def test_the_health_service_is_counted_like_any_other() -> None:
    async with served() as (recorder, channel):
        stub = health_pb2_grpc.HealthStub(channel)
        await stub.Check(health_pb2.HealthCheckRequest())
        watch = stub.Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        watch.cancel()
        await recorder.settled("Watch", "handled Canceled")
    assert recorder.of("Check") == {"started": 1, "received": 1, "sent": 1, "handled OK": 1}
    assert recorder.of("Watch")["sent"] == 1


def test_every_code_has_go_s_spelling() -> None:
    assert set(_CODES) == set(grpc.StatusCode)
    assert {"OK", "Canceled", "DeadlineExceeded", "PermissionDenied", "Unauthenticated"} <= set(_CODES.values())
