"""How often the interval of sampled queries covers the score over all items: 2000 draws for each size, gallery and agreement.

python tests/bench/query_coverage.py
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.brute_table import latent_pair, table

from consilience_server.core.intervals import query_interval
from consilience_server.core.mutual_knn import overlaps

DRAWS, K = 2000, 10


def main() -> None:
    """Print a table; coverage of a 95% interval should lie between 93 and 97%."""
    print("| n | noise | score | queries | covered |\n|---|---|---|---|---|")
    for n in (1000, 4000):
        for noise in (0.3, 1.0, 3.0):
            x, y = (table(side, K) for side in latent_pair(0, n, 16, 12, 6, noise))
            every = overlaps(x.sets(K), y.sets(K))
            draw = np.random.default_rng(1)
            for m in (64, 256, n // 2):
                inside = 0
                for _ in range(DRAWS):
                    low, high = query_interval(every[draw.permutation(n)[:m]], n, 0.95, 0.0, 1.0)
                    inside += low <= every.mean() <= high
                print(f"| {n:,} | {noise:g} | {every.mean():.3f} | {m} | {inside / DRAWS:.3f} |")


if __name__ == "__main__":
    main()
