"""How often intervals of the kind `items` cover what samples of their size score on average: 2,000 draws of each metric, n and strength.

    python tests/bench/interval_coverage.py [--draws 2000] [--metrics mutual_knn,cka] [--workers 2]

A draw is a fresh sample of n items of one population, a latent seen by two fixed linear maps with noise. What the interval is about is the
mean score of such samples, taken from the draws themselves. The jackknife is conservative: 95% asked, at least 95% expected.
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

from consilience import align_arrays
from consilience_server.app.metric_families.registry import FAMILY_OF

SIZES, NOISES, K = (64, 256), {"strong": 0.3, "weak": 2.0, "none": 1e6}, 5


def sample(draw: np.random.Generator, n: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """n items of a population that never changes."""
    fixed = np.random.default_rng(2026)
    maps = fixed.normal(size=(2, 4, 8))
    latent = draw.normal(size=(n, 4))
    x, y = (latent @ seen + noise * draw.normal(size=(n, 8)) for seen in maps)
    return x, y


def covered(task: tuple[str, int, float, int]) -> tuple[float, float, float]:
    """Share of intervals that cover the mean score; that mean; the mean width."""
    metric, n, noise, draws = task
    found = []
    for seed in range(draws):
        report = align_arrays(*sample(np.random.default_rng(seed), n, noise), k=K, metric=metric, permutations=0)
        found.append((report.score, *report.interval))
    score, low, high = np.array(found).T
    return float(np.mean((low <= score.mean()) & (score.mean() <= high))), float(score.mean()), float((high - low).mean())


def rows(metrics: list[str], draws: int, workers: int) -> Iterator[str]:
    """Markdown, a row as soon as it is known."""
    tasks = [(metric, n, noise, draws) for metric in metrics for n in SIZES for noise in NOISES.values()]
    names = [(metric, n, strength) for metric in metrics for n in SIZES for strength in NOISES]
    yield f"| metric | n | signal | covered of {draws:,} | mean score | mean width |\n|---|---|---|---|---|---|"
    with ProcessPoolExecutor(workers) as pool:
        for (metric, n, strength), (share, score, width) in zip(names, pool.map(covered, tasks), strict=True):
            yield f"| {metric} | {n} | {strength} | {100 * share:.1f}% | {score:.3f} | {width:.3f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--metrics", default=",".join(sorted(FAMILY_OF)))
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    given = parser.parse_args()
    hasten_draws()
    print(f"{machine()}\n", flush=True)
    for row in rows(given.metrics.split(","), given.draws, given.workers):
        print(row, flush=True)


if __name__ == "__main__":
    main()
