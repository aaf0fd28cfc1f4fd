"""Translate through the service, rows a second, against the bare matrix product: 768 x 768, float32 in and out, batches of a message.

    python tests/bench/translate.py
    python tests/bench/translate.py --rows 20000 --dim 256 --rounds 1

Sides: NumPy's product in float32 and in float64 (BLAS, with the directions and means a bridge takes: unit, centre, unit, product, unit),
the server's own map without gRPC (float64 in one fixed order, rounded once), and the service with one array and with a stream of batches.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from report import interleave, seconds, table
from support.server_process import running_server

from consilience import Client
from consilience_server.adapters.bridge_files import BridgeFiles
from consilience_server.bridges.apply import make_ready, map_vectors
from consilience_server.core.control import Control

PAIRS, BATCH = 5000, 4096


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def rate(side: Callable[[], object], rows: int) -> Callable[[], float]:
    """The side in rows a second."""
    timed = seconds(side)
    return lambda: rows / timed()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--dim", type=int, default=768)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    random = np.random.default_rng(0)
    pairs = max(500, min(PAIRS, 4 * options.rows))
    x = random.standard_normal((pairs, options.dim), dtype=np.float32)
    y = (x @ random.standard_normal((options.dim, options.dim), dtype=np.float32)).astype(np.float32)
    rows = random.standard_normal((options.rows, options.dim), dtype=np.float32)

    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder)) as server, Client(server.address, timeout=600) as client:
        ids = [f"item-{row:06d}" for row in range(pairs)]
        for name, vectors in (("source", x), ("target", y)):
            client.create_space(name, dim=options.dim)
            client.upsert(name, ids, vectors)
        client.fit_bridge("source", "target", name="bench", method="procrustes", timeout=600)
        bridge = BridgeFiles(Path(folder) / "bridges").get("bench").map
        ready = make_ready(bridge)
        weights = {dtype: np.ascontiguousarray(bridge.weights, dtype=dtype) for dtype in (np.float32, np.float64)}
        mean = bridge.source_mean

        def product(dtype: type) -> None:
            for start in range(0, len(rows), BATCH):
                centred = unit(unit(rows[start : start + BATCH].astype(dtype)) - mean.astype(dtype))
                unit(centred @ weights[dtype]).astype(np.float32)

        def bare() -> None:
            for start in range(0, len(rows), BATCH):
                rows[start : start + BATCH] @ weights[np.float32]

        def batches() -> Iterator[np.ndarray]:
            for start in range(0, len(rows), BATCH):
                yield rows[start : start + BATCH]

        def stream() -> None:
            for _ in client.translate("bench", batches()):
                pass

        sides = {
            "bare product, float32": bare,
            "unit, centre, product, float32": lambda: product(np.float32),
            "unit, centre, product, float64": lambda: product(np.float64),
            "the server's map, in one order": lambda: map_vectors(ready, rows, Control()),
            "service, one array": lambda: client.translate("bench", rows, timeout=3600),
            "service, a stream of batches": stream,
        }
        timed = {name: rate(side, options.rows) for name, side in sides.items()}
        title = f"translate: {options.rows:,} rows, {options.dim} to {options.dim}"
        print(table(title, "rows/s", interleave(options.rounds, timed), note="Client and server share the machine's cores."))


if __name__ == "__main__":
    main()
