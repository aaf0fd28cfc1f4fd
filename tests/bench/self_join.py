"""Joins, side by side in one run: Consilience, plain FAISS as installed and tuned, and the paper's full-matrix method.

Each contender runs in a fresh process, in turn, several rounds; a warm-up search precedes each. Prints minimum, median and maximum
seconds from the raw vectors to the neighbour lists (normalisation, index, certificate and all), processor seconds, the ratio to tuned
FAISS, the kernels that ran, and the floors: the time that n^2 d operations take (each pair multiplied once; twice that for queries against
a gallery) at the peaks of this machine's units.

    python tests/bench/self_join.py                      50,000 x 768, and 10,000 x 384 with the paper's method; real sentences; a gallery
    python tests/bench/self_join.py --n 20000 --d 768 --rounds 3 --threads 2
    python tests/bench/self_join.py --n 50000 --gallery  as many queries against n others
    python tests/bench/self_join.py --n 50000 --avx2     everything held to AVX2

Data: `join_data.py`. Memory: the largest resident size of the process during the search, beyond what it was before.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from join_data import DATA, UnavailableError
from peaks import peaks

K = 10
AVX2 = {"OPENBLAS_CORETYPE": "Haswell", "FAISS_OPT_LEVEL": "avx2", "CONSILIENCE_KERNELS_ISA": "avx2"}
CONTENDERS = {
    "faiss-default": "plain FAISS flat as installed",
    "faiss-tuned": "plain FAISS flat, chosen kernel, BLAS for every batch",
    "consilience": "Consilience: certified exact",
    "paper": "the paper's method: full matrix, argsort",
}


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def with_faiss(faiss, threads):
    faiss.omp_set_num_threads(threads)

    def join(x, queries):
        y = unit(x)
        index = faiss.IndexFlatIP(x.shape[1])
        index.add(y)
        return index.search(y, K + 1)[1] if queries is None else index.search(unit(queries), K)[1]

    return join


def faiss_default(threads):
    import faiss

    return with_faiss(faiss, threads)


def faiss_tuned(threads):
    from consilience_server.engine.blas import load_faiss

    return with_faiss(load_faiss(), threads)


def consilience(threads):
    from consilience_server.core.control import Control
    from consilience_server.core.similarity import Similarity
    from consilience_server.engine.choose import make_engine

    engine = make_engine(threads, "cpu")

    def join(x, queries):
        if queries is None:
            keys = np.arange(len(x), dtype=np.uint64)
            table = engine.self_join(x, Similarity.COSINE, K, tie_keys=keys, control=Control())
        else:
            table = engine.query(queries, x, Similarity.COSINE, K, control=Control())
        assert table.certificate.certified_rows + table.certificate.refined_rows == len(x if queries is None else queries)
        return table.indices

    return join


def paper(threads):
    from consilience_server.engine.threads import size_thread_pools

    size_thread_pools(threads)

    def join(x, queries):
        assert queries is None
        y = unit(x)
        scores = y @ y.T
        np.fill_diagonal(scores, -1e8)
        return np.argsort(-scores, axis=1)[:, :K]

    return join


def resident_peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_one(name, n, d, threads, data, gallery):
    """Child process: one contender, once, as a line of JSON."""
    from threadpoolctl import threadpool_info

    x = DATA[data](2 * n if gallery else n, d)
    x, queries = (np.ascontiguousarray(x[:n]), np.ascontiguousarray(x[n:])) if gallery else (x, None)
    join = {"faiss-default": faiss_default, "faiss-tuned": faiss_tuned, "consilience": consilience, "paper": paper}[name](threads)
    join(x[:1000], None if queries is None else queries[:1000])
    # The kernel's mark of the largest size, set back so that the making of the data is not counted.
    Path("/proc/self/clear_refs").write_text("5")
    before = resident_peak()
    begun, cpu = time.perf_counter(), time.process_time()
    join(x, queries)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    memory = resident_peak() - before
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    own = [pool for pool in pools if ("faiss" in pool["filepath"]) == (name != "paper")]
    kernel = ", ".join(f"{pool['internal_api']} {pool['version']} {pool.get('architecture')}" for pool in own[:1])
    if name == "consilience":
        from consilience_server.engine.kernels import chosen_isa, load_kernels

        kernels = load_kernels()
        kernel = f"native {chosen_isa(kernels)}" if kernels else f"FAISS, {kernel}"
    print(json.dumps({"seconds": seconds, "cpu": cpu, "kernel": kernel, "memory": memory, "n": len(x), "d": x.shape[1]}))


def in_fresh_process(name, n, d, threads, data, *, gallery, avx2):
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)} | (AVX2 if avx2 else {})
    if name == "faiss-default" and not avx2:
        environment.pop("OPENBLAS_CORETYPE", None)
    command = [sys.executable, __file__, "--one", name, "--n", str(n), "--d", str(d), "--threads", str(threads), "--data", data]
    answer = subprocess.run(command + ["--gallery"] * gallery, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(answer.stdout.splitlines()[-1])


def compare(names, n, d, threads, rounds, data, *, gallery=False, avx2=False):
    try:
        DATA[data](2, d)
    except UnavailableError as reason:
        print(f"### {data}: not measured\n\n{reason}\n", flush=True)
        return
    runs = {name: [] for name in names}
    for round_number in range(rounds):
        # Every other round backwards, so that a drift of the machine meets all alike.
        for name in names if round_number % 2 == 0 else reversed(names):
            runs[name].append(in_fresh_process(name, n, d, threads, data, gallery=gallery, avx2=avx2))
    n, d = runs[names[0]][0]["n"], runs[names[0]][0]["d"]
    work = f"{n:,} queries against a gallery of {n:,} x {d}" if gallery else f"self-join {n:,} x {d}"
    print(f"### {work}, {data}, k = {K}, cosine, {threads} threads, {rounds} rounds{', held to AVX2' if avx2 else ''}\n")
    seconds = {name: sorted(run["seconds"] for run in own) for name, own in runs.items()}
    reference = statistics.median(seconds["consilience"])
    print("| | min s | median s | max s | median over Consilience | processor s | MB beyond the vectors | kernel |")
    print("|---|---|---|---|---|---|---|---|")
    for name in names:
        least, middle, most = seconds[name][0], statistics.median(seconds[name]), seconds[name][-1]
        cpu = statistics.median(run["cpu"] for run in runs[name])
        times = f"{least:.2f} | {middle:.2f} | {most:.2f} | {middle / reference:.2f} | {cpu:.1f}"
        memory = statistics.median(run["memory"] for run in runs[name])
        print(f"| {CONTENDERS[name]} | {times} | {memory:.0f} | {runs[name][0]['kernel']} |")
    pairs = [a["seconds"] / b["seconds"] for a, b in zip(runs["faiss-tuned"], runs["consilience"], strict=True)]
    print(f"\nTuned FAISS over Consilience, round by round: {', '.join(f'{ratio:.2f}' for ratio in pairs)}.")
    for unit_name, speed in {} if avx2 else peaks(threads).items():
        floor = (2 if gallery else 1) * n * n * d / speed / 1e9
        print(f"Floor at the {unit_name} peak of {speed:,.0f} Gop/s: {floor:.2f} s; Consilience's median is {reference / floor:.2f} of it.")
    print(flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int)
    parser.add_argument("--d", type=int, default=768)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", choices=sorted(DATA), default="clustered")
    parser.add_argument("--paper", action="store_true", help="the paper's method too: n x n scores and their argsort in memory")
    parser.add_argument("--tuned", action="store_true", help="leave out FAISS as installed, which takes by far the longest")
    parser.add_argument("--gallery", action="store_true", help="n queries against n other items, instead of a self-join")
    parser.add_argument("--avx2", action="store_true", help="hold every contender to AVX2")
    parser.add_argument("--one", choices=sorted(CONTENDERS), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        run_one(chosen.one, chosen.n, chosen.d, chosen.threads, chosen.data, chosen.gallery)
        return
    plain, threads, rounds = ["faiss-default", "faiss-tuned", "consilience"], chosen.threads, chosen.rounds
    if chosen.n:
        names = (["faiss-tuned", "consilience"] if chosen.avx2 or chosen.tuned else plain) + ["paper"] * chosen.paper
        compare(names, chosen.n, chosen.d, threads, rounds, chosen.data, gallery=chosen.gallery, avx2=chosen.avx2)
        return
    for data in ("clustered", "isotropic"):
        compare(plain, 50_000, 768, threads, rounds, data)
        compare([*plain, "paper"], 10_000, 384, threads, rounds, data)
    compare(plain, 60_000, 384, threads, rounds, "sentences")
    compare(["faiss-tuned", "consilience"], 50_000, 768, threads, rounds, "clustered", gallery=True)
    compare(["faiss-tuned", "consilience"], 20_000, 768, threads, rounds, "clustered", avx2=True)


if __name__ == "__main__":
    main()
