"""`match` of one query vector against 50,000 x 384 under cosine, k = 10, by 1, 8 and 64 callers at a time, beside FAISS alone with the
kernels that the server gives it."""

import asyncio
import tempfile
import time
from pathlib import Path

import numpy as np
from report import interleave, number, table
from support.server_process import running_server

from consilience import AsyncClient, Client
from consilience_server.engine.blas import load_faiss

ITEMS, DIM, K, ROUNDS = 50_000, 384, 10, 5
CALLERS = {1: 60, 8: 240, 64: 640}
"""Calls a round, by callers."""


async def load(address: str, queries: np.ndarray, callers: int, calls: int) -> tuple[list[float], float]:
    """Latencies in milliseconds of `calls` calls by `callers` tasks over one connection, and calls a second."""
    latencies: list[float] = []
    left = iter(range(calls))

    async with AsyncClient(address, timeout=120) as client:

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
    faiss = load_faiss()
    random = np.random.default_rng(0)
    gallery = random.standard_normal((ITEMS, DIM), dtype=np.float32)
    fresh = iter(random.standard_normal((200, 1024, DIM), dtype=np.float32))
    latencies: dict[int, list[float]] = {callers: [] for callers in CALLERS}
    unit = gallery / np.linalg.norm(gallery, axis=1, keepdims=True)
    index = faiss.IndexFlatIP(DIM)
    index.add(unit)

    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder) / "store") as server:
        with Client(server.address, timeout=120) as client:
            client.create_space("gallery", dim=DIM, similarity="cosine")
            client.upsert("gallery", [f"item-{row:05d}" for row in range(ITEMS)], gallery)
            client.match(queries=next(fresh)[:1], space="gallery", k=K)

        def through_faiss() -> float:
            queries = next(fresh)[:60]
            begin = time.perf_counter()
            for query in queries:
                index.search(query[None] / np.linalg.norm(query), K)
            return len(queries) / (time.perf_counter() - begin)

        def by(callers: int) -> float:
            # New vectors each round: the cache never answers.
            taken, rate = asyncio.run(load(server.address, next(fresh), callers, CALLERS[callers]))
            latencies[callers] += taken
            return rate

        sides = {"FAISS flat alone, in-process, one query at a time": through_faiss}
        sides |= {f"match, {callers} callers": lambda callers=callers: by(callers) for callers in CALLERS}
        measured = interleave(ROUNDS, sides)
    note = "The callers share the machine's cores with the server. No answer came from the cache."
    print(table(f"match: throughput, {ITEMS:,} x {DIM}, k = {K}", "calls/s", measured, note=note))
    print("| callers | p50 ms | p99 ms | calls |\n|---|---|---|---|")
    for callers, taken in latencies.items():
        print(f"| {callers} | {number(float(np.percentile(taken, 50)))} | {number(float(np.percentile(taken, 99)))} | {len(taken)} |")
    print()


if __name__ == "__main__":
    main()
