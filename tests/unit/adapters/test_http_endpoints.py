import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from consilience_server.adapters import http_endpoints
from consilience_server.adapters.http_endpoints import HttpEndpoints


class Site:
    """The endpoints with conditions that a test sets."""

    def __init__(self) -> None:
        self.ready = {"store": True, "engine": True}
        self.started = {"warm-up": False}
        self.accepts: list[str] = []
        self.endpoints = HttpEndpoints(self.metrics, lambda: self.ready, lambda: self.started)
        self.port = 0

    def metrics(self, accept: str) -> tuple[bytes, str]:
        if accept == "explode":
            raise RuntimeError("secret detail")
        self.accepts.append(accept)
        return b"metric 1\n", "text/plain; version=0.0.4"

    async def raw(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        await writer.wait_closed()
        if not answer:
            return 0, {}, b""
        head, _, body = answer.partition(b"\r\n\r\n")
        status, *fields = head.decode().split("\r\n")
        headers = dict(field.split(": ", 1) for field in fields)
        return int(status.split(" ")[1]), headers, body

    async def get(self, path: str, method: str = "GET", fields: str = "") -> tuple[int, dict[str, str], bytes]:
        return await self.raw(f"{method} {path} HTTP/1.1\r\nHost: x\r\n{fields}\r\n".encode())


@asynccontextmanager
async def running_site() -> AsyncIterator[Site]:
    site = Site()
    site.port = await site.endpoints.start("127.0.0.1", 0)
    try:
        yield site
    finally:
        await site.endpoints.close()


async def test_metrics_are_served_in_the_format_asked_for() -> None:
    async with running_site() as site:
        status, headers, body = await site.get("/metrics?x=1", fields="Accept: application/openmetrics-text\r\n")
        assert (status, body) == (200, b"metric 1\n")
        assert headers["Content-Type"] == "text/plain; version=0.0.4"
        assert headers["Content-Length"] == "9"
        assert site.accepts == ["application/openmetrics-text"]


async def test_readiness_and_startup_follow_their_conditions() -> None:
    async with running_site() as site:
        assert (await site.get("/livez"))[0] == 200
        assert (await site.get("/readyz"))[0] == 200
        status, _, body = await site.get("/startupz")
        assert (status, body) == (503, b"warm-up: failed\n")
        site.started["warm-up"] = True
        assert (await site.get("/startupz"))[0] == 200
        site.ready["store"] = False
        status, _, body = await site.get("/readyz")
        assert (status, body) == (503, b"store: failed\nengine: ok\n")
        assert (await site.get("/livez"))[0] == 200


async def test_head_has_no_body_but_its_length() -> None:
    async with running_site() as site:
        status, headers, body = await site.get("/livez", method="HEAD")
        assert (status, body, headers["Content-Length"]) == (200, b"", "6")


async def test_other_paths_and_methods_are_refused() -> None:
    async with running_site() as site:
        assert (await site.get("/"))[0] == 404
        assert (await site.get("/metrics/../etc"))[0] == 404
        status, headers, _ = await site.get("/metrics", method="POST")
        assert (status, headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("request_", [b"nonsense\r\n\r\n", b"GET /livez\r\n\r\n", b"GET /livez SMTP/1.0\r\n\r\n", b"\x00\xff\r\n\r\n"])
async def test_what_is_not_http_is_refused(request_: bytes) -> None:
    async with running_site() as site:
        assert (await site.raw(request_))[0] == 400
        assert (await site.get("/livez"))[0] == 200


async def test_an_endless_head_is_refused() -> None:
    async with running_site() as site:
        assert (await site.raw(b"GET /livez HTTP/1.1\r\n" + b"a: b\r\n" * 3_000))[0] == 431


async def test_a_failure_inside_is_told_without_its_details() -> None:
    async with running_site() as site:
        status, _, body = await site.get("/metrics", fields="Accept: explode\r\n")
        assert status == 500
        assert b"secret" not in body


async def test_a_client_that_says_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_endpoints, "_REQUEST_SECONDS", 0.1)
    async with running_site() as site:
        assert (await site.raw(b"GET /livez"))[0] == 0


async def test_idle_connections_are_bounded_and_closing_ends_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_endpoints, "_CONNECTIONS", 3)
    async with running_site() as site:
        idle = [await asyncio.open_connection("127.0.0.1", site.port) for _ in range(3)]
        await asyncio.sleep(0.05)
        assert (await site.raw(b""))[0] == 0
        idle[0][1].close()
        await asyncio.sleep(0.05)
        assert (await site.get("/livez"))[0] == 200
        await asyncio.wait_for(site.endpoints.close(), 2)
        assert await idle[1][0].read() == b""
        for _, writer in idle:
            writer.close()


async def test_a_taken_port_is_an_error_of_starting() -> None:
    async with running_site() as site:
        with pytest.raises(OSError):
            await HttpEndpoints(site.metrics, dict, dict).start("127.0.0.1", site.port)
