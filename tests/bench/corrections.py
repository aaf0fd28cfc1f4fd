"""`match` under each correction, p50 and p99 of one query vector by one caller at a time, gallery 100,000 x 256; and the per-item terms of
a gallery of 1,000,000 x 256 against a bank: seconds, and the peak of this process's memory beyond the vectors.

    python tests/bench/corrections.py
    python tests/bench/corrections.py --items 2000 --bank 500 --calls 20 --term-items 3000 --term-bank 500
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from report import number
from support.server_process import running_server

from consilience import Client
from consilience_server.core.control import Control
from consilience_server.core.csls import neighbourhood_mean
from consilience_server.core.similarity import Similarity
from consilience_server.engine.bank_partition import log_partition
from consilience_server.engine.choose import make_engine

DIM, K, NEIGHBOURS = 256, 10, 10
CORRECTIONS = ("none", "csls", "margin_distance", "margin_ratio", "inverted_softmax")


def latencies(options: argparse.Namespace) -> None:
    """Through a bridge whose source space is the bank; terms are there before the clock runs."""
    random = np.random.default_rng(0)
    gallery = random.standard_normal((options.items, DIM), dtype=np.float32)
    ids = [f"item-{row:07d}" for row in range(options.items)]
    bank = gallery[: options.bank] + 0.5 * random.standard_normal((options.bank, DIM), dtype=np.float32)
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder)) as server, Client(server.address, timeout=3600) as client:
        for name, vectors in (("bank", bank), ("gallery", gallery)):
            client.create_space(name, dim=DIM)
            client.upsert(name, ids[: len(vectors)], vectors)
        client.fit_bridge("bank", "gallery", name="bench", method="procrustes", timeout=3600)
        print(f"### match through a bridge, {options.items:,} x {DIM}, bank {options.bank:,}, k = {K}, one query a call\n")
        print("| correction | first call s | p50 ms | p99 ms | calls |\n|---|---|---|---|---|")
        for correction in CORRECTIONS:
            taken = []
            for _ in range(options.calls + 1):
                query = random.standard_normal((1, DIM), dtype=np.float32)
                begin = time.perf_counter()
                client.match(query, bridge="bench", k=K, correction=correction, correction_k=NEIGHBOURS)
                taken.append(time.perf_counter() - begin)
            first, rest = taken[0], np.array(taken[1:]) * 1000
            cells = (number(first), number(float(np.percentile(rest, 50))), number(float(np.percentile(rest, 99))))
            print(f"| {correction} | {' | '.join(cells)} | {len(rest)} |", flush=True)
    print("\nThe first call maps the bank and centres the gallery (`none`), or computes the terms.\n")


def terms(options: argparse.Namespace) -> None:
    """What a gallery's terms cost, in this process: neighbourhoods serve CSLS and both margins."""
    random = np.random.default_rng(1)
    items = random.standard_normal((options.term_items, DIM), dtype=np.float32)
    bank = random.standard_normal((options.term_bank, DIM), dtype=np.float32)
    engine = make_engine(options.threads)
    print(f"### per-item terms, {options.term_items:,} x {DIM} against a bank of {options.term_bank:,}\n")
    print("| term | seconds | peak MiB beyond the vectors |\n|---|---|---|")

    def neighbourhoods() -> None:
        neighbourhood_mean(engine.query(items, bank, Similarity.COSINE, NEIGHBOURS, control=Control()).scores, NEIGHBOURS)

    # Peaks only grow: the smaller one goes first.
    for name, compute in (
        ("inverted_softmax, beta 30", lambda: log_partition(items, bank, 30.0, Control())),
        (f"csls and margins, k = {NEIGHBOURS}", neighbourhoods),
    ):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begin = time.perf_counter()
        compute()
        taken = time.perf_counter() - begin
        peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(f"| {name} | {number(taken)} | {number(peak)} |", flush=True)
    print(f"\nBackend {engine.backend}, {options.threads} threads.\n")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--bank", type=int, default=20_000)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--term-items", type=int, default=1_000_000)
    parser.add_argument("--term-bank", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    latencies(options)
    terms(options)


if __name__ == "__main__":
    main()
