"""What the alarm of a watch is worth: false alarms of versions that change nothing, and how soon a drop of each size is seen.

python tests/bench/watch_alarms.py
"""

import math
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.brute_table import latent_pair, table

from consilience_server.core.confidence_sequence import check_level, log_evidence, stakes
from consilience_server.core.mutual_knn import chance
from consilience_server.engine.probe_lists import overlaps

ALPHA, VERSIONS, K = 0.05, 1000, 10


def jittered() -> None:
    """Vectors computed anew at each version, with a relative jitter: as of lower precision, another batch size, another machine."""
    print("| relative jitter | probes | watches | mean difference, least to most | alarms |\n|---|---|---|---|---|")
    for jitter in (0.001, 0.01, 0.05):
        alarms, means = 0, []
        for seed in range(4):
            x, y = latent_pair(seed, 300, 16, 12, 6, 0.8)
            draw = np.random.default_rng(seed)
            probes = np.sort(draw.choice(300, 200, replace=False))

            def now(x=x, y=y, draw=draw, scale=0.0):
                sides = [side + scale * side.std() * draw.standard_normal(side.shape) for side in (x, y)]
                return overlaps(*(table(side.astype(np.float32), K).sets(K) for side in sides))

            before = now()[probes]
            min_drop = 0.1 * (before.mean() - chance(K, 300))
            alarmed = False
            for check in range(1, VERSIONS + 1):
                differences = now(scale=jitter)[probes] - before
                means.append(differences.mean())
                alarmed |= log_evidence(differences, -min_drop) >= -math.log(check_level(ALPHA, check))
            alarms += alarmed
        print(f"| {jitter} | 200 | 4 | {min(means):+.4f} to {max(means):+.4f} | {alarms} |")


def edge() -> None:
    """Other items fall at every version, their mean exactly -min_drop: nothing to alarm for, and the most that a union bound can meet."""
    print("| probes | of items | watches | ever alarmed | allowed |\n|---|---|---|---|---|")
    draw, min_drop, watches = np.random.default_rng(0), 0.02, 2000
    for m, items in ((64, 2000), (256, 10_000), (1024, 10_000)):
        falls, rises = int(0.07 * items), int(0.05 * items)
        shares = stakes(m)
        base = np.stack([np.log1p(-shares * (value + min_drop) / (1 + min_drop)) for value in (-1.0, 0.0, 1.0)])
        alarmed = np.zeros(watches, dtype=bool)
        for check in range(1, VERSIONS + 1):
            counts = draw.multivariate_hypergeometric([falls, items - falls - rises, rises], m, size=watches)
            evidence = np.logaddexp.reduce(counts @ base, axis=1) - math.log(len(shares))
            alarmed |= evidence >= -math.log(check_level(ALPHA, check))
        print(f"| {m:,} | {items:,} | {watches:,} | {alarmed.mean():.4f} | {ALPHA} |")


def power() -> None:
    """How likely the first check after a lasting drop alarms, with min_drop = .02, where so many checks were quiet before."""
    print("| probes | standard deviation | drop | after 0 checks | after 10 | after 100 | after 1000 |\n|---|---|---|---|---|---|---|")
    draw = np.random.default_rng(1)
    for m in (256, 1024, 4096):
        for spread in (0.1, 0.2):
            for drop in (0.03, 0.04, 0.06, 0.1):
                found = [log_evidence(draw.normal(-drop, spread, m).clip(-1, 1), -0.02) for _ in range(200)]
                shares = [np.mean(np.array(found) >= -math.log(check_level(ALPHA, done + 1))) for done in (0, 10, 100, 1000)]
                print(f"| {m:,} | {spread} | {drop} | " + " | ".join(f"{share:.2f}" for share in shares) + " |")


if __name__ == "__main__":
    for part in (jittered, edge, power):
        print(f"\n{part.__doc__}\n")
        part()
