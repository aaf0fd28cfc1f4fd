"""What every call meets before its servicer: its Call, its key, its place; and after it: its status and its trailing metadata."""

import asyncio
import inspect
import logging
import re
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc_status import rpc_status

from consilience_server.app.call import Call
from consilience_server.app.ports import Metrics
from consilience_server.core.errors import DomainError, InvalidArgument, MessageTooLarge, Overloaded, ShuttingDown
from consilience_server.rpc.api_keys import ApiKeys
from consilience_server.rpc.current_call import enter_call
from consilience_server.rpc.errors import status_of, unexpected

_LOG = logging.getLogger(__name__)
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
_OPEN = ("/grpc.health.v1.Health/",)
"""Probes have no key, and must be answered when the server is full or draining."""
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


class EdgeInterceptor(grpc.aio.ServerInterceptor):
    """Wraps the handler of every method but health's.

    Requests are decoded and answers encoded here, so that a malformed request and an answer beyond the message limit are refusals like any
    other; a servicer may answer with encoded bytes, which travel as they are.

    Args:
        keys: who may call; None lets everybody.
        max_calls: calls in progress at a time.
        max_message_bytes: the largest answer.
        metrics: hears of refusals.
    """

    def __init__(self, keys: ApiKeys | None, max_calls: int, max_message_bytes: int, metrics: Metrics) -> None:
        self._keys = keys
        self._max_calls = max_calls
        self._max_message_bytes = max_message_bytes
        self._metrics = metrics
        self._calls = 0
        self._draining = False

    @property
    def calls(self) -> int:
        """Calls in progress."""
        return self._calls

    def drain(self) -> None:
        """From now on refuse new calls; those in progress go on."""
        self._draining = True

    async def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]], handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        """The handler, wrapped."""
        handler = await continuation(handler_call_details)
        if handler is None or handler_call_details.method.startswith(_OPEN):
            return handler
        operation = _WORD.sub("_", handler_call_details.method.rpartition("/")[2]).lower()
        return _wrap(handler, self, operation)

    @asynccontextmanager
    async def served(self, operation: str, context: Any) -> AsyncIterator[Call]:
        """One call from admission to status. Leaves by AbortError where it was refused."""
        metadata = dict(context.invocation_metadata() or ())
        remaining = context.time_remaining()
        deadline = None if remaining is None else time.monotonic() + remaining
        call = Call(operation=operation, request_id=_request_id(metadata.get("x-request-id")), deadline=deadline)
        enter_call(call)
        started = time.perf_counter()
        try:
            with self._admitted(metadata.get("authorization")):
                yield call
            context.set_trailing_metadata(_trailing(call, started))
        except DomainError as error:
            _LOG.info("%s refused: %s: %s", operation, error.reason, error.message)
            await _abort(context, error, _trailing(call, started))
        except (asyncio.CancelledError, GeneratorExit):
            call.control.cancel()
            _LOG.info("%s ended by its caller after %.3f s", operation, time.perf_counter() - started)
            raise
        except grpc.aio.AbortError:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, the caller gets a status and the log the rest
            error_id = secrets.token_hex(6)
            _LOG.exception("%s failed, error id %s", operation, error_id)
            await _abort(context, unexpected(error_id), _trailing(call, started))
        _LOG.debug("%s answered in %.3f s", operation, time.perf_counter() - started)

    @contextmanager
    def _admitted(self, authorization: str | bytes | None) -> Iterator[None]:
        if self._draining:
            raise ShuttingDown("the server is shutting down; try another one, or this one again later", retry_after=1.0)
        if self._keys is not None:
            self._keys.check(authorization)
        if self._calls >= self._max_calls:
            self._metrics.rejected("concurrency")
            raise Overloaded(f"{self._calls} calls are in progress already; retry later", retry_after=1.0)
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1

    def encode(self, answer: Any) -> bytes:
        """The answer's bytes; MessageTooLarge beyond the limit."""
        encoded = answer if isinstance(answer, bytes) else answer.SerializeToString()
        if len(encoded) > self._max_message_bytes:
            raise MessageTooLarge(
                f"the answer has {len(encoded):,} bytes, a message at most {self._max_message_bytes:,}; ask in parts",
                bytes=len(encoded),
                max_message_bytes=self._max_message_bytes,
            )
        return bytes(encoded)


def _wrap(handler: Any, edge: EdgeInterceptor, operation: str) -> Any:
    """The same kind of handler over raw bytes; all of ours are coroutines or asynchronous generators."""
    decode = _decoder(handler.request_deserializer)
    if handler.response_streaming:
        behaviour = handler.stream_stream if handler.request_streaming else handler.unary_stream

        async def stream(request: Any, context: Any) -> AsyncIterator[bytes]:
            async with edge.served(operation, context):
                if not inspect.isasyncgenfunction(behaviour):
                    await behaviour(_decoded(request, decode, streaming=handler.request_streaming), context)
                    return
                async with aclosing(behaviour(_decoded(request, decode, streaming=handler.request_streaming), context)) as answers:
                    async for answer in answers:
                        yield edge.encode(answer)

        make = grpc.stream_stream_rpc_method_handler if handler.request_streaming else grpc.unary_stream_rpc_method_handler
        return make(stream)
    behaviour = handler.stream_unary if handler.request_streaming else handler.unary_unary

    async def answer(request: Any, context: Any) -> bytes:
        async with edge.served(operation, context):
            return edge.encode(await behaviour(_decoded(request, decode, streaming=handler.request_streaming), context))

    make = grpc.stream_unary_rpc_method_handler if handler.request_streaming else grpc.unary_unary_rpc_method_handler
    return make(answer)


def _decoder(deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def decode(raw: bytes) -> Any:
        try:
            return deserialize(raw)
        except DecodeError:
            raise InvalidArgument("the request is not an encoded message of this method; check the client's protos") from None

    return decode


def _decoded(request: Any, decode: Callable[[bytes], Any], *, streaming: bool) -> Any:
    return _decode_each(request, decode) if streaming else decode(request)


async def _decode_each(requests: AsyncIterator[bytes], decode: Callable[[bytes], Any]) -> AsyncIterator[Any]:
    async for raw in requests:
        yield decode(raw)


def _request_id(given: str | bytes | None) -> str:
    """The caller's id where it is well-formed, else a new one."""
    return given if isinstance(given, str) and _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _trailing(call: Call, started: float) -> tuple[tuple[str, str], ...]:
    pairs = [("x-request-id", call.request_id), ("consilience-total-seconds", f"{time.perf_counter() - started:.6f}")]
    if call.cache_tier:
        pairs.append(("consilience-cache-tier", call.cache_tier))
    pairs.extend((f"consilience-stage-{stage}-seconds", f"{seconds:.6f}") for stage, seconds in call.timings.items())
    return tuple(pairs)


async def _abort(context: Any, error: DomainError, trailing: tuple[tuple[str, str], ...]) -> None:
    status = rpc_status.to_status(status_of(error))
    await context.abort(status.code, status.details, (*trailing, *status.trailing_metadata))
