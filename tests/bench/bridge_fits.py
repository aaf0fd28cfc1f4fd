"""Ridge and Procrustes on 100,000 pairs x 1024, through our fit against scikit-learn and SciPy, side by side in one process.

    python tests/bench/bridge_fits.py [--pairs 100000] [--width 1024] [--rounds 5]

Ours takes raw float32 rows to the map, centring to unit directions about the mean included; theirs gets those directions ready made, in
float64 as ours computes. Ridge: one penalty against `Ridge` (Cholesky), and our grid, chosen by cross-validated retrieval, against
`RidgeCV` (generalised cross-validation, whose criterion is the squared error) of the same grid. Procrustes: against
`scipy.linalg.orthogonal_procrustes`. Rounds are interleaved, their order rotates, and all use all threads. Maps of one penalty are compared
before anything is timed. Peak memory is that of a process of its own that does one fit, less one that only makes the data.
"""

import argparse
import os
import resource
import subprocess
import sys
import time

import numpy as np
import scipy.linalg
from sklearn.linear_model import Ridge, RidgeCV

from consilience_server.bridges.fit import fit_map
from consilience_server.bridges.ridge_penalty import PENALTIES
from consilience_server.core.centring import centred, unit_mean
from consilience_server.core.control import Control
from consilience_server.engine.threads import size_thread_pools

ONE_PENALTY = 0.1


def pairs(count, width):
    """Two noisy views of one latent cloud, float32."""
    rng = np.random.default_rng(0)
    latent = rng.standard_normal((count, width // 4), dtype=np.float32)
    sides = (latent @ rng.standard_normal((width // 4, width), dtype=np.float32) for _ in range(2))
    return [side + 4 * rng.standard_normal(side.shape, dtype=np.float32) for side in sides]


def fits(x, y, ready):
    """By name; the rows that theirs is given are made by `ready`, before the clock starts."""
    rows, targets = ready()
    scale = float((rows * rows).sum()) / rows.shape[1]
    grid = [penalty * scale for penalty in PENALTIES]
    one = Ridge(ONE_PENALTY * scale, fit_intercept=False, solver="cholesky")
    return {
        "ridge, one penalty: Consilience": lambda: fit_map("ridge", x, y, (ONE_PENALTY,), Control())[0].weights,
        "ridge, one penalty: scikit-learn": lambda: one.fit(rows, targets).coef_.T,
        "ridge, grid: Consilience": lambda: fit_map("ridge", x, y, PENALTIES, Control())[0].weights,
        "ridge, grid: scikit-learn": lambda: RidgeCV(grid, fit_intercept=False).fit(rows, targets).coef_.T,
        "Procrustes: Consilience": lambda: fit_map("procrustes", x, y, (), Control())[0].weights,
        "Procrustes: SciPy": lambda: scipy.linalg.orthogonal_procrustes(rows, targets)[0],
    }


def peak_bytes(name, arguments):
    """Peak of a process that makes the data and does one fit; none for an empty name."""
    command = [sys.executable, __file__, "--pairs", str(arguments.pairs), "--width", str(arguments.width), "--only", name]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=None, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    threads = len(os.sched_getaffinity(0))
    size_thread_pools(threads)
    x, y = pairs(arguments.pairs, arguments.width)

    def ready():
        return tuple(centred(side, unit_mean(side)) for side in (x, y))

    if arguments.only is not None:
        theirs = "Consilience" not in arguments.only
        found = fits(x, y, ready if theirs else lambda: (x[:2], y[:2]))
        if arguments.only in found:
            found[arguments.only]()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
        return
    found = fits(x, y, ready)
    names = list(found)
    for ours, other in ((names[0], names[1]), (names[4], names[5])):
        apart = np.abs(found[ours]() - found[other]()).max()
        print(f"{ours} and {other.rsplit(': ', 1)[1]}: maps apart by at most {apart:.1e}")
    seconds = {name: [] for name in names}
    for turn in range(arguments.rounds):
        for at in range(len(names)):
            name = names[(at + turn) % len(names)]
            start = time.perf_counter()
            found[name]()
            seconds[name].append(time.perf_counter() - start)
    print(f"\n{arguments.pairs:,} pairs x {arguments.width}, {threads} threads, {arguments.rounds} rounds\n")
    print("| fit | median s | ours / theirs, median of rounds | peak MB beyond the data |")
    print("|---|---|---|---|")
    data = peak_bytes("", arguments)
    for ours, other in zip(names[::2], names[1::2], strict=True):
        ratio = np.median(np.array(seconds[ours]) / np.array(seconds[other]))
        for name in (ours, other):
            told = f"{ratio:.2f}" if name == ours else ""
            print(f"| {name} | {np.median(seconds[name]):.2f} | {told} | {(peak_bytes(name, arguments) - data) / 1e6:,.0f} |")


if __name__ == "__main__":
    main()
