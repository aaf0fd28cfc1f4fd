"""The HTTP port: /metrics for Prometheus, /livez, /readyz and /startupz for whoever runs the server."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

_LOG = logging.getLogger(__name__)
_HEAD_BYTES = 16 << 10
_REQUEST_SECONDS = 5.0
_CONNECTIONS = 64

Checks = Callable[[], Mapping[str, bool]]
"""Conditions by name, each true or false at this moment; must not block."""


@dataclass(frozen=True)
class _Response:
    status: HTTPStatus
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


class HttpEndpoints:
    """A small HTTP/1.1 server on the event loop: GET and HEAD of four paths, one request a connection, bounded in size, time and number.

    | path | 200 when | else |
    |---|---|---|
    | `/metrics` | always | |
    | `/livez` | the event loop turns | no answer |
    | `/readyz` | every condition of `ready` holds | 503 with the ones that do not |
    | `/startupz` | every condition of `started` holds | 503 likewise |

    Args:
        metrics: Accept header to (body, content type); runs in a thread.
        ready: the conditions of serving; Redis is never one of them.
        started: the conditions of having started.
    """

    def __init__(self, metrics: Callable[[str], tuple[bytes, str]], ready: Checks, started: Checks) -> None:
        self._metrics = metrics
        self._ready = ready
        self._started = started
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which the system chooses for 0. OSError where it is taken."""
        self._server = await asyncio.start_server(self._connected, host, port, limit=_HEAD_BYTES, backlog=_CONNECTIONS)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and end open connections."""
        if self._server is None:
            return
        self._server.close()
        for connection in tuple(self._connections):
            connection.cancel()
        if self._connections:
            await asyncio.wait(self._connections)
        await self._server.wait_closed()
        self._server = None

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= _CONNECTIONS:
            writer.close()
            return
        task = asyncio.create_task(self._converse(reader, writer), name="http")
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                method, response = await self._respond(reader)
                writer.write(_encode(response, with_body=method != "HEAD"))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            # A client that is slow or gone; there is nobody to tell.
            _LOG.debug("an HTTP client left before its answer")
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _respond(self, reader: asyncio.StreamReader) -> tuple[str, _Response]:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.LimitOverrunError:
            return "GET", _text(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"the request's head exceeds {_HEAD_BYTES} bytes")
        request_line, *fields = head.split("\r\n")
        words = request_line.split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            return "GET", _text(HTTPStatus.BAD_REQUEST, "not an HTTP/1 request")
        method, target, _ = words
        if method not in {"GET", "HEAD"}:
            return method, _text(HTTPStatus.METHOD_NOT_ALLOWED, "GET or HEAD")
        headers = {name.strip().lower(): value.strip() for name, _, value in (field.partition(":") for field in fields) if name}
        try:
            return method, await self._route(target.partition("?")[0], headers)
        except Exception:  # noqa: BLE001 - a probe must get an answer whatever failed
            _LOG.exception("answering %s failed", target)
            return method, _text(HTTPStatus.INTERNAL_SERVER_ERROR, "the server's log tells why")

    async def _route(self, path: str, headers: Mapping[str, str]) -> _Response:
        if path == "/metrics":
            body, content_type = await asyncio.to_thread(self._metrics, headers.get("accept", ""))
            return _Response(HTTPStatus.OK, body, content_type)
        if path == "/livez":
            return _text(HTTPStatus.OK, "alive")
        if path == "/readyz":
            return _verdict(self._ready())
        if path == "/startupz":
            return _verdict(self._started())
        return _text(HTTPStatus.NOT_FOUND, "/metrics, /livez, /readyz, /startupz")


def _verdict(conditions: Mapping[str, bool]) -> _Response:
    lines = [f"{name}: {'ok' if holds else 'failed'}" for name, holds in conditions.items()]
    return _text(HTTPStatus.OK if all(conditions.values()) else HTTPStatus.SERVICE_UNAVAILABLE, "\n".join(lines))


def _text(status: HTTPStatus, text: str) -> _Response:
    return _Response(status, text.encode() + b"\n")


def _encode(response: _Response, *, with_body: bool) -> bytes:
    head = [
        f"HTTP/1.1 {response.status.value} {response.status.phrase}",
        f"Content-Type: {response.content_type}",
        f"Content-Length: {len(response.body)}",
        "Cache-Control: no-store",
        "Connection: close",
    ]
    if response.status is HTTPStatus.METHOD_NOT_ALLOWED:
        head.append("Allow: GET, HEAD")
    return "\r\n".join(head).encode() + b"\r\n\r\n" + (response.body if with_body else b"")
