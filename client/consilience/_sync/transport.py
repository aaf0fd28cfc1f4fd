"""The transport primitives over grpc's synchronous stack. Written by hand, like its twin `_async/transport.py`."""

import os
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import grpc

from consilience._channel import call_metadata, check_usable, open_channel
from consilience._codec.details import decode_details
from consilience._embedded import open_embedded
from consilience._feed import Feed
from consilience._methods import Method
from consilience._results.base import CallDetails
from consilience._settings import ClientSettings
from consilience._status import error_of_call
from consilience._sync.concurrency import Stream

Request = TypeVar("Request")
Response = TypeVar("Response")


class Transport:
    """One channel; every failure becomes an error of `errors.py`. Safe to share between threads.

    Args:
        settings: where to, with what.
        path: a folder to serve in this process instead of `settings.address`; its server starts at once.
    """

    def __init__(self, settings: ClientSettings, path: str | None = None) -> None:
        self._settings = settings
        self._pid = os.getpid()
        self._closed = False
        self._embedded = None if path is None else open_embedded(path)
        target = settings.address if self._embedded is None else self._embedded.target
        self._channel = open_channel(settings, target)

    def open(self) -> grpc.Channel:
        """The channel."""
        check_usable(self._pid, closed=self._closed)
        return self._channel

    def unary(
        self, method: Method[Request, Response], request: Request, timeout: float, request_id: str
    ) -> tuple[Response, CallDetails]:
        """One request, one answer."""
        call = self.open().unary_unary(method.path, request_serializer=method.encode, response_deserializer=method.decode)
        try:
            response, ended = call.with_call(request, timeout=timeout, metadata=call_metadata(self._settings, request_id))
        except grpc.RpcError as error:
            raise self._error(error) from None
        return response, decode_details(ended.trailing_metadata())

    def upload(
        self,
        method: Method[Request, Response],
        requests: Iterator[tuple[Request, int]],
        timeout: float,
        request_id: str,
        sent: Callable[[int], None],
    ) -> tuple[Response, CallDetails]:
        """A stream of requests, one answer. One request is in flight: the next is made while HTTP/2 takes the one before.

        Args:
            method: the RPC.
            requests: each with the count that `sent` is told once it is on its way; consumed in gRPC's thread.
            timeout: seconds for all of it.
            request_id: names the call.
            sent: told after each request, in gRPC's thread.
        """
        feed = Feed(requests, sent)
        call = self.open().stream_unary(method.path, request_serializer=method.encode, response_deserializer=method.decode)
        try:
            response, ended = call.with_call(iter(feed), timeout=timeout, metadata=call_metadata(self._settings, request_id))
        except grpc.RpcError as error:
            raise (feed.error or self._error(error)) from None
        return response, decode_details(ended.trailing_metadata())

    def download(
        self, method: Method[Request, Response], request: Request, timeout: float, request_id: str
    ) -> tuple[list[Response], CallDetails]:
        """One request, all answers of its stream."""
        call = self.open().unary_stream(method.path, request_serializer=method.encode, response_deserializer=method.decode)(
            request, timeout=timeout, metadata=call_metadata(self._settings, request_id)
        )
        try:
            return list(call), decode_details(call.trailing_metadata())
        except grpc.RpcError as error:
            raise self._error(error) from None
        finally:
            call.cancel()

    def exchange(
        self, method: Method[Request, Response], requests: Iterator[Request], timeout: float | None, request_id: str
    ) -> Iterator[Response]:
        """A stream of requests, a stream of answers, neither held: requests are made as HTTP/2 takes them, answers as they are asked for.

        Args:
            method: the RPC.
            requests: consumed in gRPC's thread; what they raise is raised here.
            timeout: seconds for all of it; None has no end.
            request_id: names the call.
        """
        feed = Feed(((request, 0) for request in requests), lambda _: None)
        call = self.open().stream_stream(method.path, request_serializer=method.encode, response_deserializer=method.decode)(
            iter(feed), timeout=timeout, metadata=call_metadata(self._settings, request_id)
        )
        try:
            yield from call
        except grpc.RpcError as error:
            raise (feed.error or self._error(error)) from None
        finally:
            call.cancel()

    def stream(
        self, method: Method[Request, Response], request: Request, timeout: float, request_id: str, ended: Callable[[CallDetails], None]
    ) -> Stream[Response]:
        """One request, the answers of its stream as they come; a caller who stops iterating ends the call. `ended` is told at the end."""
        call = self.open().unary_stream(method.path, request_serializer=method.encode, response_deserializer=method.decode)(
            request, timeout=timeout, metadata=call_metadata(self._settings, request_id)
        )
        try:
            yield from call
            ended(decode_details(call.trailing_metadata()))
        except grpc.RpcError as error:
            raise self._error(error) from None
        finally:
            call.cancel()

    def close(self) -> None:
        """Close the channel, and end the server of this process where there is one. Idempotent."""
        if self._closed or os.getpid() != self._pid:
            return
        self._closed = True
        self._channel.close()
        if self._embedded is not None:
            self._embedded.close()

    def _error(self, error: Any) -> Exception:
        return error_of_call(error, self._settings.address)
