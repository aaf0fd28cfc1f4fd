"""Rejections at independence, metric by metric: continuous spaces, and spaces full of ties and duplicates.

    python tests/bench/null_level.py [--draws 500] [--metrics mutual_knn,cka] [--sizes 40,64] [--permutations 99] [--workers 2]

A draw is two unrelated spaces of one kind. At alpha = .05 a permutation test rejects in 5% of draws, in fewer where scores tie; more than a
binomial variable reaches in 99.9% of its draws (41 of 500) is a broken null. The least share tells nothing against a metric: many pairings
of one-hot spaces score the same.
"""

import argparse
import os
from collections.abc import Callable, Iterator
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

Kind = Callable[[np.random.Generator, int], np.ndarray]
KINDS: dict[str, Kind] = {
    "continuous": lambda draw, n: draw.normal(size=(n, 5)),
    "one-hot of 16": lambda draw, n: np.eye(16)[draw.integers(0, 16, n)],
    "seven bits": lambda draw, n: np.hstack([np.ones((n, 1)), draw.integers(0, 2, (n, 7))]),
    "eight-fold duplicates": lambda draw, n: draw.normal(size=(n // 8, 5))[draw.integers(0, n // 8, n)],
}


def options_of(metric: str, kind: str) -> dict[str, str]:
    """Correlation distance is undefined for an item of equal components, such as seven ones."""
    return {"rdm_distance": "euclidean"} if (metric, kind) == ("rsa", "seven bits") else {}


def rejected(task: tuple[str, str, int, int, int, int]) -> int:
    """Rejections in draws [start, stop)."""
    metric, kind, n, permutations, start, stop = task
    count = 0
    for seed in range(start, stop):
        draw = np.random.default_rng([2026, n, seed])
        x, y = (KINDS[kind](draw, n) for _ in range(2))
        asked = options_of(metric, kind)
        report = align_arrays(x, y, k=K, metric=metric, permutations=permutations, seed=seed, interval_kind="queries", **asked)
        count += report.p_value is not None and report.p_value <= ALPHA
    return count


def rows(metrics: list[str], sizes: list[int], permutations: int, draws: int, workers: int) -> Iterator[str]:
    """Markdown, a row as soon as it is known."""
    most, step = int(binom.ppf(0.999, draws, ALPHA)), max(1, -(-draws // (4 * workers)))
    yield f"| metric | n | {' | '.join(KINDS)} | at most {most} of {draws:,} |\n|---|---|{'---|' * len(KINDS)}---|"
    with ProcessPoolExecutor(workers) as pool:
        for metric in metrics:
            for n in sizes:
                tasks = [(metric, kind, n, permutations, at, min(at + step, draws)) for kind in KINDS for at in range(0, draws, step)]
                counts = np.array(list(pool.map(rejected, tasks))).reshape(len(KINDS), -1).sum(axis=1)
                held = "held" if counts.max() <= most else "**not held**"
                yield f"| {metric} | {n} | {' | '.join(str(count) for count in counts)} | {held} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--metrics", default=",".join(sorted(FAMILY_OF)))
    parser.add_argument("--sizes", default="40,64")
    parser.add_argument("--permutations", type=int, default=99)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    given = parser.parse_args()
    hasten_draws()
    print(f"{machine()}\n", flush=True)
    sizes = [int(size) for size in given.sizes.split(",")]
    for row in rows(given.metrics.split(","), sizes, given.permutations, given.draws, given.workers):
        print(row, flush=True)


if __name__ == "__main__":
    main()
