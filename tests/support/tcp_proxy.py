"""A TCP proxy inside the test's event loop that can delay, cut and corrupt what a server answers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class TcpProxy:
    """Forwards to `port`. `delay` holds every chunk of the answers back; `alter` changes it."""

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._server: asyncio.Server | None = None
        self._pipes: set[asyncio.Task[None]] = set()
        self.port = 0
        self.delay = 0.0
        self.alter: Callable[[bytes], bytes] = bytes
        self.connections = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for pipe in tuple(self._pipes):
            pipe.cancel()
        if self._pipes:
            await asyncio.wait(self._pipes)
        await self._server.wait_closed()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._pipe(self._serve(reader, writer))

    def _pipe(self, coroutine) -> None:
        task = asyncio.create_task(coroutine)
        self._pipes.add(task)
        task.add_done_callback(self._pipes.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:
            writer.close()
            return
        self._pipe(self._forward(reader, up_writer, is_answer=False))
        self._pipe(self._forward(up_reader, writer, is_answer=True))

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool) -> None:
        with contextlib.suppress(OSError):
            try:
                while chunk := await reader.read(1 << 16):
                    if is_answer:
                        chunk = self.alter(chunk)
                        await asyncio.sleep(self.delay)
                    writer.write(chunk)
                    await writer.drain()
            finally:
                writer.close()


@asynccontextmanager
async def running_proxy(port: int) -> AsyncIterator[TcpProxy]:
    """A proxy for the length of a block."""
    proxy = TcpProxy(port)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.close()
