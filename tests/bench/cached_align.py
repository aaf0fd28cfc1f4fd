"""`align` of two spaces of 5,000 items: the first time, with the neighbour tables kept, from memory, and from Redis."""

import tempfile
from pathlib import Path

import numpy as np
from report import interleave, seconds, table
from support.redis_server import running_redis
from support.server_process import running_server

from consilience import Client

ITEMS, ROUNDS = 5_000, 7


def vectors_of_two_spaces() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    x = random.standard_normal((ITEMS, 384), dtype=np.float32)
    noise = random.standard_normal((ITEMS, 256)) * 20
    return {"x": x, "y": (x @ random.standard_normal((384, 256)) + noise).astype(np.float32)}


def main() -> None:
    spaces = vectors_of_two_spaces()
    ids = [f"item-{row:05d}" for row in range(ITEMS)]
    seeds = iter(range(1, 1000))
    with (
        tempfile.TemporaryDirectory() as folder,
        running_redis() as redis,
        running_server(Path(folder) / "memory") as with_memory,
        running_server(Path(folder) / "redis", "--memory-cache-bytes", "0", "--redis", redis.url) as with_redis,
        Client(with_memory.address, timeout=120) as client,
        Client(with_redis.address, timeout=120) as redis_client,
    ):
        for each in (client, redis_client):
            for name, vectors in spaces.items():
                each.create_space(name, dim=vectors.shape[1], similarity="cosine")
                each.upsert(name, ids, vectors)
        redis_client.align("x", "y", k=10)

        def first() -> float:
            # One vector of each grows: new versions, whose tables nobody has computed.
            for name, vectors in spaces.items():
                vectors[0] *= 1.5
                client.upsert(name, ids[:1], vectors[:1])
            return seconds(lambda: client.align("x", "y", k=10))()

        def another_seed() -> None:
            client.align("x", "y", k=10, seed=next(seeds))

        def again() -> None:
            assert client.align("x", "y", k=10).cache_tier == "memory"

        def from_redis() -> None:
            assert redis_client.align("x", "y", k=10).cache_tier == "redis"

        first()
        sides = {
            "first, at new versions": first,
            "another seed: tables kept, null computed": seconds(another_seed),
            "the same again, from memory": seconds(again),
            "the same again, from Redis": seconds(from_redis),
        }
        measured = interleave(ROUNDS, sides)
    print(table(f"align of two spaces of {ITEMS:,} items, mutual_knn@10, 999 permutations", "s", measured))


if __name__ == "__main__":
    main()
