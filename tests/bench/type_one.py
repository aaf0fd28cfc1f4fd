"""Rejections at independence over pairs of layers: the maximum calibrated as one, the pair chosen on one half, and what nobody corrected.

    python tests/bench/type_one.py [--draws 500] [--metrics mutual_knn,cka] [--layers 4,12] [--items 64] [--permutations 99] [--workers 2]

A draw is two unrelated models of L layers each, whose layers resemble each other as those of a model do: half of their columns are
shared. At alpha = .05 the corrected p-values must reject in no more draws than a binomial variable does in 99.9% of its draws (45 of 500);
the least p-value of all pairs shows what the correction is for.
"""

import argparse
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("CONSILIENCE_THREADS", "1")

import numpy as np
from draws import hasten_draws
from report import machine
from scipy.stats import binom

from consilience import align_arrays
from consilience_server.app.metric_families.registry import FAMILY_OF

ALPHA, K = 0.05, 5


def model(draw: np.random.Generator, n: int, layers: int) -> list[np.ndarray]:
    """Layers of 12 columns, six of them common to all."""
    common = draw.normal(size=(n, 6))
    return [np.hstack([common, draw.normal(size=(n, 6))]) for _ in range(layers)]


def rejected(task: tuple[str, int, int, int, int, int]) -> tuple[int, int, int]:
    """Of draws [start, stop): rejections by the maximum, by the held-out half, and by the least p-value of all pairs."""
    metric, n, layers, permutations, start, stop = task
    counts = np.zeros(3, dtype=np.int64)
    for seed in range(start, stop):
        draw = np.random.default_rng([2026, layers, seed])
        x, y = model(draw, n, layers), model(draw, n, layers)
        report = align_arrays(x, y, k=K, metric=metric, permutations=permutations, seed=seed, interval_kind="queries")
        counts += np.array([report.maximum.p_value, report.p_value, np.nanmin(report.layer_p_values)]) <= ALPHA
    return int(counts[0]), int(counts[1]), int(counts[2])


def rows(metrics: list[str], layers: list[int], n: int, permutations: int, draws: int, workers: int) -> Iterator[str]:
    """Markdown, a row as soon as it is known."""
    most = int(binom.ppf(0.999, draws, ALPHA))
    yield f"| metric | pairs | maximum of {draws:,} | held-out half | least p of all pairs | at most {most} |\n|---|---|---|---|---|---|"
    step = max(1, -(-draws // (4 * workers)))
    with ProcessPoolExecutor(workers) as pool:
        for metric in metrics:
            for count in layers:
                tasks = [(metric, n, count, permutations, start, min(start + step, draws)) for start in range(0, draws, step)]
                maximum, held_out, least = np.sum(list(pool.map(rejected, tasks)), axis=0)
                held = "held" if max(maximum, held_out) <= most else "**not held**"
                yield f"| {metric} | {count * count} | {maximum} | {held_out} | {least} | {held} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--metrics", default=",".join(sorted(FAMILY_OF)))
    parser.add_argument("--layers", default="4,12")
    parser.add_argument("--items", type=int, default=64)
    parser.add_argument("--permutations", type=int, default=99)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    told = parser.parse_args()
    hasten_draws()
    print(f"{machine()}\n", flush=True)
    layers = [int(count) for count in told.layers.split(",")]
    for row in rows(told.metrics.split(","), layers, told.items, told.permutations, told.draws, told.workers):
        print(row, flush=True)


if __name__ == "__main__":
    main()
