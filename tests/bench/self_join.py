"""Self-join, side by side in one run: Consilience, plain FAISS as installed and tuned, and the paper's full-matrix method.

Each contender runs in a fresh process, in turn, several rounds; a warm-up search precedes each. Prints minimum, median and maximum
seconds from the raw vectors to the neighbour lists (normalisation, index, certificate and all), processor seconds, the ratio to tuned
FAISS, the BLAS kernel that ran, and the floor: the time that the scan's float32 multiplications take at the speed which this machine's
matrix product reaches in the same run.

    python tests/bench/self_join.py                      50,000 x 768, and 10,000 x 384 with the paper's method; both kinds of data
    python tests/bench/self_join.py --n 20000 --d 768 --rounds 3 --threads 2

Data: `clustered` is n / 200 Gaussian clusters in a subspace of half the width, a power-law spectrum i^-0.5, a common mean and some noise;
`isotropic` has no structure at all. Peak: the largest resident size of the process, vectors and their making included.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

import numpy as np

K = 10
CONTENDERS = {
    "faiss-default": "plain FAISS flat as installed",
    "faiss-tuned": "plain FAISS flat, chosen kernel, BLAS for every batch",
    "consilience": "Consilience: certified exact",
    "paper": "the paper's method: full matrix, argsort",
}


def clustered(n, d, seed=0):
    """(n, d) float32 as described above."""
    random = np.random.default_rng(seed)
    inner, clusters = d // 2, max(2, n // 200)
    spectrum = (np.arange(1, inner + 1) ** -0.5).astype(np.float32)
    basis = np.linalg.qr(random.standard_normal((d, inner)))[0].astype(np.float32)
    centres = random.standard_normal((clusters, inner), dtype=np.float32) * spectrum
    points = centres[random.integers(0, clusters, n)] + 0.5 * random.standard_normal((n, inner), dtype=np.float32) * spectrum
    mean = random.standard_normal(d, dtype=np.float32) * np.float32(0.05)
    return points @ basis.T + mean + 0.02 * random.standard_normal((n, d), dtype=np.float32)


def isotropic(n, d, seed=0):
    """(n, d) float32, independent normal coordinates."""
    return np.random.default_rng(seed).standard_normal((n, d), dtype=np.float32)


DATA = {"clustered": clustered, "isotropic": isotropic}


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def with_faiss(faiss, threads):
    faiss.omp_set_num_threads(threads)

    def join(x):
        y = unit(x)
        index = faiss.IndexFlatIP(x.shape[1])
        index.add(y)
        return index.search(y, K + 1)[1]

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

    def join(x):
        keys = np.arange(len(x), dtype=np.uint64)
        table = engine.self_join(x, Similarity.COSINE, K, tie_keys=keys, control=Control())
        assert table.certificate.certified_rows + table.certificate.refined_rows == len(x)
        return table.indices

    return join


def paper(threads):
    from consilience_server.engine.threads import size_thread_pools

    size_thread_pools(threads)

    def join(x):
        y = unit(x)
        scores = y @ y.T
        np.fill_diagonal(scores, -1e8)
        return np.argsort(-scores, axis=1)[:, :K]

    return join


def matmul_gflops(threads):
    """The speed of this machine's float32 matrix product with the kernel that FAISS runs: FAISS's own product on a shape it likes."""
    from consilience_server.engine.blas import load_faiss

    faiss = load_faiss()
    faiss.omp_set_num_threads(threads)
    x = np.random.default_rng(0).standard_normal((4096, 1024), dtype=np.float32)
    out = np.empty((4096, 4096), dtype=np.float32)
    best = float("inf")
    for _ in range(4):
        begun = time.perf_counter()
        faiss.knn(x, x, 1, metric=faiss.METRIC_INNER_PRODUCT)
        best = min(best, time.perf_counter() - begun)
    return 2 * out.size * x.shape[1] / best / 1e9


def run_one(name, n, d, threads, data):
    """Child process: one contender, once, as a line of JSON."""
    from threadpoolctl import threadpool_info

    x = DATA[data](n, d)
    join = {"faiss-default": faiss_default, "faiss-tuned": faiss_tuned, "consilience": consilience, "paper": paper}[name](threads)
    join(x[:1000])
    begun, cpu = time.perf_counter(), time.process_time()
    join(x)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    own = [pool for pool in pools if ("faiss" in pool["filepath"]) == (name != "paper")]
    kernel = ", ".join(f"{pool['internal_api']} {pool['version']} {pool.get('architecture')}" for pool in own[:1])
    if name == "consilience":
        from consilience_server.engine.kernels import kernels_status

        kernel = f"native {kernels_status()}"
    gflops = matmul_gflops(threads) if name == "faiss-tuned" else None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu": cpu, "kernel": kernel, "gflops": gflops, "peak": peak}))


def in_fresh_process(name, n, d, threads, data):
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    if name == "faiss-default":
        environment.pop("OPENBLAS_CORETYPE", None)
    command = [sys.executable, __file__, "--one", name, "--n", str(n), "--d", str(d), "--threads", str(threads), "--data", data]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(answer.stdout.splitlines()[-1])


def compare(names, n, d, threads, rounds, data):
    print(f"### self-join {n:,} x {d}, {data}, k = {K}, cosine, {threads} threads, {rounds} rounds\n", flush=True)
    runs = {name: [] for name in names}
    for round_number in range(rounds):
        # Every other round backwards, so that a drift of the machine meets all alike.
        for name in names if round_number % 2 == 0 else reversed(names):
            runs[name].append(in_fresh_process(name, n, d, threads, data))
    seconds = {name: sorted(run["seconds"] for run in own) for name, own in runs.items()}
    reference = statistics.median(seconds["faiss-tuned"])
    print("| | min s | median s | max s | median over tuned FAISS | processor s | peak MB | kernel |")
    print("|---|---|---|---|---|---|---|---|")
    for name in names:
        least, middle, most = seconds[name][0], statistics.median(seconds[name]), seconds[name][-1]
        cpu = statistics.median(run["cpu"] for run in runs[name])
        times = f"{least:.2f} | {middle:.2f} | {most:.2f} | {middle / reference:.3f} | {cpu:.1f}"
        peak = statistics.median(run["peak"] for run in runs[name])
        print(f"| {CONTENDERS[name]} | {times} | {peak:.0f} | {runs[name][0]['kernel']} |")
    pairs = [a["seconds"] / b["seconds"] for a, b in zip(runs["consilience"], runs["faiss-tuned"], strict=True)]
    gflops = max(run["gflops"] for run in runs["faiss-tuned"])
    floor = 2 * n * n * d / gflops / 1e9
    print(f"\nConsilience over tuned FAISS, round by round: {', '.join(f'{ratio:.3f}' for ratio in pairs)}.")
    print(f"Floor: 2 n^2 d at {gflops:.0f} GF/s (float32 product, same run) = {floor:.2f} s.", end=" ")
    print(f"Consilience at its best took {seconds['consilience'][0] / floor:.2f} times the floor.\n", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int)
    parser.add_argument("--d", type=int, default=768)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", choices=sorted(DATA), default="clustered")
    parser.add_argument("--paper", action="store_true", help="the paper's method too: n x n scores and their argsort in memory")
    parser.add_argument("--one", choices=sorted(CONTENDERS), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        run_one(chosen.one, chosen.n, chosen.d, chosen.threads, chosen.data)
        return
    plain = ["faiss-default", "faiss-tuned", "consilience"]
    if chosen.n:
        compare([*plain, "paper"] if chosen.paper else plain, chosen.n, chosen.d, chosen.threads, chosen.rounds, chosen.data)
        return
    for data in DATA:
        compare(plain, 50_000, 768, chosen.threads, chosen.rounds, data)
        compare([*plain, "paper"], 10_000, 384, chosen.threads, chosen.rounds, data)


if __name__ == "__main__":
    main()
