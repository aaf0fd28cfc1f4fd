# Generated from _async/base.py by client/unasync.py; edit that file.
"""What every group of calls stands on: settings, one transport, deadlines and retries."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from consilience._sync.concurrency import Attempt, sleep
from consilience._sync.transport import Transport
from consilience._codec.server_info import decode_server_info
from consilience._embedded import folder_path
from consilience._methods import GET_SERVER_INFO, Method
from consilience._names import new_request_id
from consilience._numbers import FOR_EVER, seconds
from consilience._results.base import CallDetails
from consilience._results.server_info import Limits
from consilience._retry import CALLS
from consilience._settings import DEFAULT_TIMEOUT, ClientSettings, Tls, resolve_settings
from consilience.errors import ConsilienceError, InvalidArgumentError
from consilience.v1 import server_pb2

Request = TypeVar("Request")
Response = TypeVar("Response")
Answer = TypeVar("Answer")

_ALWAYS_FITS = 1 << 20
"""Bytes that every server takes: for smaller requests its limits are not asked."""


class Calls:
    """A connection to one server.

    Args:
        address: `host:port` or `unix:/path`; None takes CONSILIENCE_ADDRESS, then `localhost:50051`.
        api_key: None takes CONSILIENCE_API_KEY; never printed.
        tls: True trusts the system's roots; a path is a PEM file of roots; False is plaintext, and meant so.
        timeout: seconds a call may take where it names no time of its own.

    Raises:
        InvalidArgumentError: the arguments do not fit each other.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        api_key: str | None = None,
        tls: bool | str | Path | Tls | None = None,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        settings = resolve_settings(address, api_key, tls, timeout)
        self._begin(settings, Transport(settings))

    @classmethod
    def local(cls, path: str | Path, *, timeout: float = DEFAULT_TIMEOUT) -> Self:
        """The same engine in this process, on a folder of its own: the same answers, no server to run. Needs `consilience[server]`.

        Works inside a running event loop; takes the writer's lock of the folder until `close()`; refuses calls after a fork.

        Raises:
            MissingExtraError: the extra is not installed.
            InvalidArgumentError: the path is no folder.
            FailedPreconditionError: another process holds the folder.
        """
        settings = ClientSettings(f"local:{path}", timeout=seconds(timeout))
        client = cls.__new__(cls)
        client._begin(settings, Transport(settings, folder_path(path)))  # noqa: SLF001 - its own class
        return client

    def _begin(self, settings: ClientSettings, transport: Transport) -> None:
        self._settings = settings
        self._transport = transport
        self._known_limits: Limits | None = None

    @property
    def settings(self) -> ClientSettings:
        """What the client was made with; the key is masked when printed."""
        return self._settings

    def close(self) -> None:
        """End the connection, and the engine of `local`. Idempotent."""
        self._transport.close()

    def __enter__(self) -> Self:
        self._transport.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._settings.address!r})"

    def _seconds(self, timeout: float | None) -> float:
        return min(self._settings.timeout if timeout is None else seconds(timeout), FOR_EVER)

    def _call(
        self, method: Method[Request, Response], request: Request, timeout: float | None = None
    ) -> tuple[Response, CallDetails]:
        """A unary call with its retries; refuses a request above the server's limit before it is sent."""
        self._check_size(request)

        def attempt(remaining: float, request_id: str) -> tuple[Response, CallDetails]:
            return self._transport.unary(method, request, remaining, request_id)

        started = time.monotonic()
        response, details = self._retried(method, attempt, self._seconds(timeout))
        return response, replace(details, elapsed=time.monotonic() - started)

    def _download(
        self, method: Method[Request, Response], request: Request, timeout: float | None
    ) -> tuple[list[Response], CallDetails]:
        """All answers of a stream; broken streams begin again."""

        def attempt(remaining: float, request_id: str) -> tuple[list[Response], CallDetails]:
            return self._transport.download(method, request, remaining, request_id)

        return self._retried(method, attempt, self._seconds(timeout))

    def _upload(
        self, method: Method[Request, Response], requests: Callable[[], Iterator[tuple[Request, int]]], timeout: float
    ) -> tuple[Response, CallDetails]:
        """One answer to a stream of requests, which `requests` makes anew for every attempt."""

        def attempt(remaining: float, request_id: str) -> tuple[Response, CallDetails]:
            return self._transport.upload(method, requests(), remaining, request_id, lambda _: None)

        return self._retried(method, attempt, timeout)

    def _retried(self, method: Method[Request, Response], attempt: Attempt[Answer], timeout: float) -> Answer:
        """Attempts until one succeeds, its failure is none to retry, or the time is over; all carry one request id."""
        deadline = time.monotonic() + timeout
        request_id = new_request_id()
        failures = 0
        while True:
            remaining = deadline - time.monotonic()
            try:
                return attempt(max(remaining, 0.001), request_id)
            except ConsilienceError as error:
                failures += 1
                wait = CALLS.delay(error, failures, deadline - time.monotonic()) if method.is_repeatable else None
                if wait is None:
                    raise
            sleep(wait)

    def _limits(self) -> Limits:
        """The server's limits, asked once."""
        if self._known_limits is None:
            message, _ = self._call(GET_SERVER_INFO, server_pb2.GetServerInfoRequest())
            self._known_limits = decode_server_info(message).limits
        return self._known_limits

    def _check_size(self, request: object) -> None:
        size = request.ByteSize() if hasattr(request, "ByteSize") else 0
        if size <= _ALWAYS_FITS:
            return
        most = (self._limits()).max_message_bytes
        if most and size > most:
            raise InvalidArgumentError(
                f"the request has {size:,} bytes, the server takes {most:,}; send it in parts",
                reason="MESSAGE_TOO_LARGE",
                metadata={"bytes": str(size), "limit": str(most)},
            )
