"""Upload of 100,000 x 768 float32 (307 MB) through the SDK to a server process, durable and visible at the end, beside the same bytes
over a bare loopback socket and into a file."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from report import interleave, table
from support.server_process import running_server

from consilience import Client

ROWS, DIM, ROUNDS = 100_000, 768, 5
CHUNK = 1 << 20
SINK = """
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
buffer = bytearray(1 << 20)
while True:
    connection, _ = listener.accept()
    with connection:
        left = int.from_bytes(connection.recv(8, socket.MSG_WAITALL), "little")
        if not left:
            sys.exit()
        while left:
            left -= connection.recv_into(buffer)
        connection.sendall(b"k")
"""


def send(port: int, payload: memoryview) -> None:
    """All bytes to the sink process, and its word that they arrived."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(len(payload).to_bytes(8, "little"))
        for begin in range(0, len(payload), CHUNK):
            connection.sendall(payload[begin : begin + CHUNK])
        if payload:
            connection.recv(1)


def main() -> None:
    vectors = np.random.default_rng(0).standard_normal((ROWS, DIM), dtype=np.float32)
    ids = [f"item-{row:06d}" for row in range(ROWS)]
    payload = memoryview(vectors).cast("B")
    megabytes = vectors.nbytes / 1e6
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder) / "store") as server, Client(server.address) as client:
        sink = subprocess.Popen([sys.executable, "-c", SINK], stdout=subprocess.PIPE, text=True)
        port = int(sink.stdout.readline())
        spaces = iter(range(ROUNDS + 1))

        def through_the_sdk() -> float:
            name = f"upload-{next(spaces)}"
            client.create_space(name, dim=DIM, similarity="cosine")
            begin = time.perf_counter()
            client.upsert(name, ids, vectors)
            rate = megabytes / (time.perf_counter() - begin)
            client.delete_space(name)
            return rate

        def through_a_socket() -> float:
            begin = time.perf_counter()
            send(port, payload)
            return megabytes / (time.perf_counter() - begin)

        def into_a_file() -> float:
            begin = time.perf_counter()
            with (Path(folder) / "raw").open("wb") as file:
                file.write(payload)
                file.flush()
                os.fsync(file.fileno())
            return megabytes / (time.perf_counter() - begin)

        through_the_sdk()
        sides = {"raw loopback socket": through_a_socket, "raw file, fsync": into_a_file, "SDK upsert": through_the_sdk}
        measured = interleave(ROUNDS, sides)
        send(port, memoryview(b""))
        sink.wait(10)
    note = "Client, server and sink share the machine's cores. The SDK's time ends when the upload is committed and visible as one version."
    print(table(f"Upload of {ROWS:,} x {DIM} float32, {megabytes:.0f} MB", "MB/s", measured, note=note))


if __name__ == "__main__":
    main()
