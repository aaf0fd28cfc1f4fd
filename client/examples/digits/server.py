"""A Consilience server for the length of a block, as `consilience serve` would start it, on free loopback ports."""

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """Where it answers, and what it prints."""

    address: str
    metrics: str
    log: Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(process: subprocess.Popen[bytes], ready: str, log: Path) -> None:
    """Return once the server takes calls; end the demo with its log where it does not come up."""
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(ready, timeout=2):  # noqa: S310 - an address on this machine, made here
                return
        except OSError:
            time.sleep(0.1)
    process.kill()
    sys.exit(f"the server did not start:\n{log.read_text()}")


@contextmanager
def running_server(folder: Path) -> Iterator[Server]:
    """Start with embedded defaults: store in `folder`/store, cache in memory, FAISS on the CPU. SIGTERM at the end."""
    port, metrics_port = free_port(), free_port()
    log = folder / "server.log"
    flags = ["--data", str(folder / "store"), "--port", str(port), "--metrics-port", str(metrics_port), "--device", "cpu"]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - this very Python with our own module
            [sys.executable, "-m", "consilience_server", *flags], stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        http = f"http://127.0.0.1:{metrics_port}"
        wait_until_ready(process, f"{http}/readyz", log)
        yield Server(f"127.0.0.1:{port}", f"{http}/metrics", log)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(60)
