"""A Consilience server in a process of its own, on free loopback ports."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.free_port import free_port

START_SECONDS = 60.0


@dataclass
class ServerProcess:
    """A started server. `log` collects what it prints."""

    process: subprocess.Popen[bytes]
    port: int
    metrics_port: int
    data: Path
    log: Path

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def metrics_url(self) -> str:
        return self.http("metrics")

    def http(self, path: str) -> str:
        """Where the server answers a path of its HTTP port."""
        return f"http://127.0.0.1:{self.metrics_port}/{path}"

    def wait_until_ready(self, seconds: float = START_SECONDS) -> None:
        """Return once /readyz answers 200; AssertionError with the log where it exits or takes longer."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.process.poll() is None, f"the server exited with {self.process.returncode}:\n{self.log.read_text()}"
            try:
                with urllib.request.urlopen(self.http("readyz"), timeout=2):
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"the server was not ready after {seconds} s:\n{self.log.read_text()}")

    def stop(self, seconds: float = 40.0) -> int:
        """SIGTERM, wait, answer the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """SIGKILL, as a crash would be."""
        self.process.kill()
        self.process.wait(10)


def start_server(
    data: Path,
    *flags: str,
    environment: Mapping[str, str] | None = None,
    port: int | None = None,
    metrics_port: int | None = None,
    python: str = sys.executable,
) -> ServerProcess:
    """Start `python -m consilience_server` on a store folder and wait until it is ready; CONSILIENCE_* of the caller do not reach it."""
    data.mkdir(parents=True, exist_ok=True)
    port, metrics_port = port or free_port(), metrics_port or free_port()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CONSILIENCE_")}
    log = data.parent / f"{data.name}-{port}.log"
    arguments = [python, "-m", "consilience_server", "--data", str(data), "--port", str(port), "--metrics-port", str(metrics_port), *flags]
    with log.open("ab") as output:
        process = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=inherited | dict(environment or {}), cwd=data.parent
        )
    server = ServerProcess(process, port, metrics_port, data, log)
    try:
        server.wait_until_ready()
    except BaseException:
        server.kill()
        raise
    return server


@contextmanager
def running_server(data: Path, *flags: str, environment: Mapping[str, str] | None = None) -> Iterator[ServerProcess]:
    """A server for the length of a block, stopped with SIGTERM at its end."""
    server = start_server(data, *flags, environment=environment)
    try:
        yield server
    finally:
        server.stop()
