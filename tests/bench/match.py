"""`match` of one query vector against 100,000 x 768 under cosine, k = 10, by 1, 8, 64 and 256 callers at a time: the server as it is, and
the same server with each query alone and FAISS as installed (OpenBLAS left to choose its kernel).

    python tests/bench/match.py
    python tests/bench/match.py --items 20000 --rounds 3
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from report import interleave, number, table
from support.server_process import running_server

from consilience import AsyncClient, Client

DIM, K = 768, 10
SHARED, ALONE = "Consilience", "each query alone, FAISS as installed"
CALLS = {1: (100, 40), 8: (800, 80), 64: (4096, 256), 256: (8192, 512)}
"""Calls a round of the two servers, by callers."""
AS_INSTALLED = {"CONSILIENCE_ENGINE": "faiss", "CONSILIENCE_BATCH_QUERIES": "1"}
_KERNEL = """
import faiss, threadpoolctl
print(next(pool["architecture"] for pool in threadpoolctl.threadpool_info() if "faiss" in pool["filepath"] and "architecture" in pool))
"""


def own_choice() -> str:
    """The kernel that FAISS's OpenBLAS takes on this processor when nobody tells it."""
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
    answer = subprocess.run([sys.executable, "-c", _KERNEL], env=environment, capture_output=True, text=True, check=True)
    return answer.stdout.strip()


async def load(address: str, queries: np.ndarray, callers: int, calls: int) -> tuple[list[float], float]:
    """Latencies in milliseconds of `calls` calls by `callers` tasks over one connection, and calls a second."""
    latencies: list[float] = []
    left = iter(range(calls))

    async with AsyncClient(address, timeout=120) as client:
        await client.server_info()

        async def caller() -> None:
            for call in left:
                query = queries[call % len(queries)]
                begin = time.perf_counter()
                await client.match(queries=query[None], space="gallery", k=K)
                latencies.append((time.perf_counter() - begin) * 1000)

        begin = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(callers)))
        return latencies, calls / (time.perf_counter() - begin)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    random = np.random.default_rng(0)
    gallery = random.standard_normal((options.items, DIM), dtype=np.float32)
    latencies: dict[tuple[str, int], list[float]] = {}

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = {
            name: stack.enter_context(running_server(folder / str(position), environment=environment))
            for position, (name, environment) in enumerate(((SHARED, {}), (ALONE, AS_INSTALLED | {"OPENBLAS_CORETYPE": own_choice()})))
        }
        for server in servers.values():
            with Client(server.address, timeout=120) as client:
                client.create_space("gallery", dim=DIM, similarity="cosine")
                client.upsert("gallery", [f"item-{row:06d}" for row in range(options.items)], gallery)
                client.match(queries=gallery[:1] + 1, space="gallery", k=K)
                engine = client.server_info().engine
                print(f"{engine.backend}, native kernels {engine.kernels}, BLAS {engine.blas_kernel}\n")

        def by(name: str, callers: int) -> float:
            calls = CALLS[callers][name == ALONE]
            # New vectors each round: the cache never answers.
            queries = random.standard_normal((calls, DIM), dtype=np.float32)
            taken, rate = asyncio.run(load(servers[name].address, queries, callers, calls))
            latencies.setdefault((name, callers), []).extend(taken)
            return rate

        for callers in CALLS:
            sides = {name: (lambda name=name, callers=callers: by(name, callers)) for name in (ALONE, SHARED)}
            measured = interleave(options.rounds, sides)
            title = f"match: {callers} callers, {options.items:,} x {DIM}, k = {K}"
            print(table(title, "calls/s", measured, note="The callers share the machine's cores with the server."), flush=True)
    print("| server | callers | p50 ms | p99 ms | calls |\n|---|---|---|---|---|")
    for (name, callers), taken in latencies.items():
        print(
            f"| {name} | {callers} | {number(float(np.percentile(taken, 50)))} | {number(float(np.percentile(taken, 99)))} | {len(taken)} |"
        )
    print()


if __name__ == "__main__":
    main()
