"""Counts and times every RPC, whatever serves it."""

import asyncio
import contextlib
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Protocol

import grpc

_CODES = {code: "".join(word.capitalize() for word in code.name.split("_")) for code in grpc.StatusCode} | {
    grpc.StatusCode.OK: "OK",
    grpc.StatusCode.CANCELLED: "Canceled",
}
"""The spelling of Go's middleware, which the common dashboards expect."""


class RpcRecorder(Protocol):
    """What hears of RPCs; every method is cheap and never raises. Labels are from the registered methods only."""

    def started(self, grpc_type: str, service: str, method: str) -> None:
        """`grpc_server_started_total`."""
        ...

    def received(self, grpc_type: str, service: str, method: str) -> None:
        """`grpc_server_msg_received_total`."""
        ...

    def sent(self, grpc_type: str, service: str, method: str) -> None:
        """`grpc_server_msg_sent_total`."""
        ...

    def handled(self, grpc_type: str, service: str, method: str, code: str, seconds: float) -> None:
        """`grpc_server_handled_total`, `grpc_server_handling_seconds`."""
        ...


class ServerMetricsInterceptor(grpc.aio.ServerInterceptor):
    """Wraps the handler of every registered method. Must be the first interceptor, so that it sees the final status.

    A method that nobody registered becomes `unknown`/`unknown`, whatever the client called it. Handlers must be asynchronous; another one
    is left alone and not counted.

    Args:
        recorder: hears of each RPC.
    """

    def __init__(self, recorder: RpcRecorder) -> None:
        self._recorder = recorder

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["grpc.RpcMethodHandler[Any, Any] | None"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "grpc.RpcMethodHandler[Any, Any] | None":
        """The handler, wrapped."""
        handler = await continuation(handler_call_details)
        if handler is None:
            _Rpc(self._recorder, "unary", "unknown", "unknown").end(grpc.StatusCode.UNIMPLEMENTED)
            return None
        service, _, method = handler_call_details.method.lstrip("/").partition("/")
        return _wrap(handler, lambda grpc_type: _Rpc(self._recorder, grpc_type, service, method))


class _Rpc:
    """One RPC in progress; counted as started when made."""

    def __init__(self, recorder: RpcRecorder, grpc_type: str, service: str, method: str) -> None:
        self._recorder = recorder
        self._labels = (grpc_type, service, method)
        self._started = time.perf_counter()
        recorder.started(*self._labels)

    def received(self) -> None:
        self._recorder.received(*self._labels)

    def sent(self) -> None:
        self._recorder.sent(*self._labels)

    def end(self, code: grpc.StatusCode) -> None:
        self._recorder.handled(*self._labels, _CODES[code], time.perf_counter() - self._started)

    @contextlib.contextmanager
    def ending(self, context: Any) -> Iterator[None]:
        """Counts the end of the block with the status that the client gets."""
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            # gRPC cancels the handler both when the client leaves and when its deadline passes.
            expired = context.time_remaining() is not None and context.time_remaining() <= 0
            self.end(grpc.StatusCode.DEADLINE_EXCEEDED if expired else grpc.StatusCode.CANCELLED)
            raise
        except BaseException:
            self.end(context.code() or grpc.StatusCode.UNKNOWN)
            raise
        self.end(context.code() or grpc.StatusCode.OK)


class _CountedContext:
    """The servicer context with `read` and `write` counted; everything else is the original's."""

    def __init__(self, context: Any, rpc: _Rpc) -> None:
        self._context = context
        self._rpc = rpc

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    async def read(self) -> Any:
        message = await self._context.read()
        if message is not grpc.aio.EOF:
            self._rpc.received()
        return message

    async def write(self, message: Any) -> None:
        await self._context.write(message)
        self._rpc.sent()


def _wrap(handler: "grpc.RpcMethodHandler[Any, Any]", begin: Callable[[str], _Rpc]) -> "grpc.RpcMethodHandler[Any, Any]":
    if handler.request_streaming and handler.response_streaming:
        grpc_type, original, make = "bidi_stream", handler.stream_stream, grpc.stream_stream_rpc_method_handler
    elif handler.request_streaming:
        grpc_type, original, make = "client_stream", handler.stream_unary, grpc.stream_unary_rpc_method_handler
    elif handler.response_streaming:
        grpc_type, original, make = "server_stream", handler.unary_stream, grpc.unary_stream_rpc_method_handler
    else:
        grpc_type, original, make = "unary", handler.unary_unary, grpc.unary_unary_rpc_method_handler
    behaviour: Any
    if inspect.isasyncgenfunction(original):
        behaviour = _generating(original, lambda: begin(grpc_type), request_streaming=handler.request_streaming)
    elif inspect.iscoroutinefunction(original):
        behaviour = _returning(
            original,
            lambda: begin(grpc_type),
            request_streaming=handler.request_streaming,
            response_streaming=handler.response_streaming,
        )
    else:
        return handler
    wrapped: grpc.RpcMethodHandler[Any, Any] = make(behaviour, handler.request_deserializer, handler.response_serializer)
    return wrapped


def _generating(original: Any, begin: Callable[[], _Rpc], *, request_streaming: bool) -> Any:
    """A handler that yields its answers."""

    async def handle(request: Any, context: Any) -> AsyncIterator[Any]:
        rpc = begin()
        with rpc.ending(context):
            answers = original(_counted(request, rpc, streaming=request_streaming), _CountedContext(context, rpc))
            async with contextlib.aclosing(answers):
                async for answer in answers:
                    rpc.sent()
                    yield answer

    return handle


def _returning(original: Any, begin: Callable[[], _Rpc], *, request_streaming: bool, response_streaming: bool) -> Any:
    """A handler that returns its answer, or writes its answers to the context."""

    async def handle(request: Any, context: Any) -> Any:
        rpc = begin()
        with rpc.ending(context):
            answer = await original(_counted(request, rpc, streaming=request_streaming), _CountedContext(context, rpc))
            if not response_streaming:
                rpc.sent()
            return answer

    return handle


def _counted(request: Any, rpc: _Rpc, *, streaming: bool) -> Any:
    """The request, counted; of a stream, each message as the handler takes it."""
    if streaming:
        return _count_each(request, rpc)
    rpc.received()
    return request


async def _count_each(messages: AsyncIterator[Any], rpc: _Rpc) -> AsyncIterator[Any]:
    async for message in messages:
        rpc.received()
        yield message
