"""A whole server while its Redis lies, pauses, returns and dies: the same answers, ready throughout."""

import random
import time
import urllib.request
from pathlib import Path

import numpy as np
from redis import Redis
from support.redis_server import running_redis
from support.server_process import ServerProcess, running_server

from consilience import Client

KS = (5, 10, 20)


def answers(client: Client, queries: np.ndarray) -> list[object]:
    """What must not change: reports and matches, as plain values.

    A certificate tells of the table that was at hand, which may be a deeper one.
    """
    reports = [client.align("x", "y", k=k, permutations=99).to_dict() for k in KS]
    scores = [{name: value for name, value in report.items() if not name.startswith("certificate")} for report in reports]
    found = client.match(queries=queries, space="y", k=3)
    return [*scores, found.ids.tolist(), found.similarities.tolist()]


def outcomes(server: ServerProcess) -> dict[str, float]:
    """Outcome of the Redis tier -> count so far."""
    with urllib.request.urlopen(server.metrics_url, timeout=5) as response:
        lines = response.read().decode().splitlines()
    counted = [line for line in lines if line.startswith("consilience_cache_requests_total{") and 'tier="redis"' in line]
    return {line.split('outcome="')[1].split('"')[0]: float(line.rsplit(" ", 1)[1]) for line in counted}


def is_ready(server: ServerProcess) -> bool:
    with urllib.request.urlopen(server.http("readyz"), timeout=5) as response:
        return response.status == 200


def test_answers_do_not_depend_on_redis(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(60, 16)).astype(np.float32)
    y = (x @ draw.normal(size=(16, 16)) + draw.normal(size=(60, 16))).astype(np.float32)
    flags = ("--memory-cache-bytes", "0", "--threads", "1")
    with (
        running_redis() as redis,
        running_server(tmp_path / "data", "--redis", redis.url, *flags) as server,
        Client(server.address) as client,
    ):
        for name, vectors in (("x", x), ("y", y)):
            client.create_space(name, dim=16, similarity="cosine")
            client.upsert(name, [f"i{row:03d}" for row in range(60)], vectors)
        expected = answers(client, x)

        def all_right() -> None:
            assert answers(client, x) == expected
            assert is_ready(server)

        def served_again() -> None:
            end = time.monotonic() + 30
            hits = outcomes(server)["hit"]
            while outcomes(server)["hit"] < hits + len(KS):
                all_right()
                assert time.monotonic() < end, outcomes(server)
                time.sleep(0.2)

        served_again()

        errors, flips = outcomes(server)["error"], random.Random(0)
        with Redis(host="127.0.0.1", port=redis.port) as direct:
            for key in list(direct.scan_iter()):
                value = bytearray(direct.get(key))
                value[flips.randrange(len(value))] ^= 1 << flips.randrange(8)
                direct.set(key, bytes(value))
        all_right()
        assert outcomes(server)["error"] > errors

        redis.pause()
        started = time.monotonic()
        for _ in range(3):
            all_right()
        assert time.monotonic() - started < 20
        assert outcomes(server)["open"] > 0
        redis.resume()
        served_again()

        redis.kill()
        all_right()
