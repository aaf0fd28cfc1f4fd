"""The transport primitives over grpc.aio. Written by hand; `_sync/transport.py` is its twin, everything above is generated from here."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeVar

import grpc
import grpc.aio

from consilience._async.concurrency import AsyncStream
from consilience._channel import OPTIONS, call_metadata, check_usable, credentials, open_channel
from consilience._codec.details import decode_details
from consilience._embedded import Embedded, open_embedded
from consilience._feed import Feed
from consilience._methods import Method
from consilience._results.base import CallDetails
from consilience._settings import ClientSettings
from consilience._status import error_of_call

Request = TypeVar("Request")
Response = TypeVar("Response")


class AsyncTransport:
    """One channel, made at the first call and bound to the loop that runs then; every failure becomes an error of `errors.py`.

    Args:
        settings: where to, with what.
        path: a folder to serve in this process instead of `settings.address`; its server starts at the first call.
    """

    def __init__(self, settings: ClientSettings, path: str | None = None) -> None:
        self._settings = settings
        self._path = path
        self._pid = os.getpid()
        self._closed = False
        self._opening: asyncio.Future[Embedded] | None = None
        self._target = settings.address
        self._channel: grpc.aio.Channel | None = None
        self._uploads: grpc.Channel | None = None

    async def open(self) -> grpc.aio.Channel:
        """The channel."""
        check_usable(self._pid, closed=self._closed)
        if self._channel is not None:
            return self._channel
        if self._path is not None:
            if self._opening is None:
                self._opening = asyncio.ensure_future(asyncio.to_thread(open_embedded, self._path))
            try:
                # Shielded: a caller that is cancelled meanwhile must not lose the handle that `close` needs.
                self._target = (await asyncio.shield(self._opening)).target
            except BaseException:
                if self._opening.done():
                    self._opening = None
                raise
        if self._channel is None:
            secret = credentials(self._settings)
            if secret is None:
                self._channel = grpc.aio.insecure_channel(self._target, options=OPTIONS)
            else:
                self._channel = grpc.aio.secure_channel(self._target, secret, options=OPTIONS)
        return self._channel

    async def unary(
        self, method: Method[Request, Response], request: Request, timeout: float, request_id: str
    ) -> tuple[Response, CallDetails]:
        """One request, one answer."""
        channel = await self.open()
        call = channel.unary_unary(method.path, request_serializer=method.encode, response_deserializer=method.decode)(
            request, timeout=timeout, metadata=call_metadata(self._settings, request_id)
        )
        try:
            return await call, decode_details(await call.trailing_metadata())
        except grpc.aio.AioRpcError as error:
            raise error_of_call(error, self._settings.address) from None

    async def upload(
        self,
        method: Method[Request, Response],
        requests: Iterator[tuple[Request, int]],
        timeout: float,
        request_id: str,
        sent: Callable[[int], None],
    ) -> tuple[Response, CallDetails]:
        """A stream of requests, one answer. One request is in flight: the next is made while HTTP/2 takes the one before.

        It goes over a synchronous channel: of a stream that the server ends early, grpc.aio (1.85) may lose the status.

        Args:
            method: the RPC.
            requests: each with the count that `sent` is told once it is on its way; consumed in gRPC's thread.
            timeout: seconds for all of it.
            request_id: names the call.
            sent: told after each request, in gRPC's thread.
        """
        await self.open()
        feed = Feed(requests, sent)
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()

        def tell(_: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits
                loop.call_soon_threadsafe(ended.set)

        if self._uploads is None:
            self._uploads = open_channel(self._settings, self._target)
        call = self._uploads.stream_unary(method.path, request_serializer=method.encode, response_deserializer=method.decode).future(
            iter(feed), timeout=timeout, metadata=call_metadata(self._settings, request_id)
        )
        call.add_done_callback(tell)
        try:
            await ended.wait()
        finally:
            call.cancel()
        try:
            return call.result(), decode_details(call.trailing_metadata())
        except (grpc.RpcError, grpc.FutureCancelledError):
            raise (feed.error or error_of_call(call, self._settings.address)) from None

    async def download(
        self, method: Method[Request, Response], request: Request, timeout: float, request_id: str
    ) -> tuple[list[Response], CallDetails]:
        """One request, all answers of its stream."""
        channel = await self.open()
        call = channel.unary_stream(method.path, request_serializer=method.encode, response_deserializer=method.decode)(
            request, timeout=timeout, metadata=call_metadata(self._settings, request_id)
        )
        try:
            return [response async for response in call], decode_details(await call.trailing_metadata())
        except grpc.aio.AioRpcError as error:
            raise error_of_call(error, self._settings.address) from None
        finally:
            call.cancel()

    async def exchange(
        self, method: Method[Request, Response], requests: Iterator[Request], timeout: float | None, request_id: str
    ) -> AsyncIterator[Response]:
        """A stream of requests, a stream of answers, neither held: requests are made as HTTP/2 takes them, answers as they are asked for.

        Over the synchronous channel, as `upload` is.

        Args:
            method: the RPC.
            requests: consumed in gRPC's thread; what they raise is raised here.
            timeout: seconds for all of it; None has no end.
            request_id: names the call.
        """
        await self.open()
        feed = Feed(((request, 0) for request in requests), lambda _: None)
        if self._uploads is None:
            self._uploads = open_channel(self._settings, self._target)
        call = self._uploads.stream_stream(method.path, request_serializer=method.encode, response_deserializer=method.decode)(
            iter(feed), timeout=timeout, metadata=call_metadata(self._settings, request_id)
        )
        try:
            while (response := await asyncio.to_thread(next, call, None)) is not None:
                yield response
        except grpc.RpcError as error:
            raise (feed.error or error_of_call(error, self._settings.address)) from None
        finally:
            # Also wakes the thread that waits for an answer.
            call.cancel()

    async def stream(
        self, method: Method[Request, Response], request: Request, timeout: float, request_id: str, ended: Callable[[CallDetails], None]
    ) -> AsyncStream[Response]:
        """One request, the answers of its stream as they come; a caller who stops iterating ends the call. `ended` is told at the end."""
        channel = await self.open()
        call = channel.unary_stream(method.path, request_serializer=method.encode, response_deserializer=method.decode)(
            request, timeout=timeout, metadata=call_metadata(self._settings, request_id)
        )
        try:
            async for response in call:
                yield response
            ended(decode_details(await call.trailing_metadata()))
        except grpc.aio.AioRpcError as error:
            raise error_of_call(error, self._settings.address) from None
        finally:
            call.cancel()

    async def close(self) -> None:
        """Close the channel, and end the server of this process where there is one. Idempotent."""
        if self._closed or os.getpid() != self._pid:
            return
        self._closed = True
        if self._channel is not None:
            await self._channel.close()
        if self._uploads is not None:
            self._uploads.close()
        if self._opening is not None:
            embedded = await self._opening
            await asyncio.to_thread(embedded.close)
