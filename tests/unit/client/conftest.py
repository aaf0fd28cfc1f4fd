"""Both clients behind one face: a test over `client` runs for the sync and the async client, against a scripted server."""

import asyncio
import threading

import pytest
from support.scripted_server import Scripted, scripted_server

from consilience import AsyncClient, Client


@pytest.fixture
def script():
    return Scripted()


@pytest.fixture
def address(script):
    server, address = scripted_server(script)
    yield address
    server.stop(None).wait()


class Awaited:
    """An asynchronous object whose methods are awaited at once, on a loop in a thread of its own."""

    def __init__(self, inner, loop):
        self._inner = inner
        self._loop = loop

    def _run(self, awaitable):
        return asyncio.run_coroutine_threadsafe(awaitable, self._loop).result(60)

    def __getattr__(self, name):
        value = getattr(self._inner, name)
        if not callable(value):
            return value

        def call(*arguments, **named):
            answer = value(*arguments, **named)
            if asyncio.iscoroutine(answer):
                return self._run(answer)
            if hasattr(answer, "__anext__"):
                return self._run(self._collected(answer))
            return Awaited(answer, self._loop) if hasattr(answer, "__aenter__") else answer

        return call

    @staticmethod
    async def _collected(iterator):
        return [item async for item in iterator]

    def __enter__(self):
        self._run(self._inner.__aenter__())
        return self

    def __exit__(self, *ended):
        self._run(self._inner.__aexit__(*ended))


@pytest.fixture(params=["sync", "async"])
def connect(request):
    """Makes clients of either kind; closes them at the end."""
    opened = []
    if request.param == "sync":

        def make(address, **settings):
            opened.append(Client(address, **settings))
            return opened[-1]

        yield make
        for client in opened:
            client.close()
        return
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def make_async(address, **settings):
        opened.append(Awaited(AsyncClient(address, **settings), loop))
        return opened[-1]

    yield make_async
    for client in opened:
        client.close()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def client(connect, address):
    return connect(address, timeout=10)
