"""What calibrated alignments cost in time and memory, each in a fresh process through the public `align_arrays`.

    python tests/bench/alignment.py               all four
    python tests/bench/alignment.py grid metrics  some

- `null`: 999 permutations of mutual k-NN at n = 100,000, k = 10, against the two searches that they need.
- `metrics`: every metric at n = 50,000, d = 256 (`rbf_cka` and `rsa` on their sample of items), with 99 permutations and its interval:
  seconds, and memory beyond the arrays.
- `million`: linear and unbiased CKA of 1,000,000 x 512, with the interval.
- `grid`: the paper's 12 x 17 pairs of models, n = 1,024, 12 layers a side, 499 permutations shared by the layers: one pair of models is
  timed and scaled; of the paper's method (full matrix, argsort, dense masks) one pair of layers is, with 5 of its permutations.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from join_data import clustered

PAIRS, LAYERS, PERMUTATIONS = 12 * 17, 12, 499


def pair(n: int, d: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two (n, d) float32 arrays that agree in part."""
    random = np.random.default_rng(seed)
    x = clustered(n, d, seed)
    turn = np.linalg.qr(random.standard_normal((d, d)))[0].astype(np.float32)
    return x, x @ turn + np.float32(0.03) * random.standard_normal((n, d), dtype=np.float32)


def measured(work: Callable[[], object]) -> dict[str, float]:
    """Seconds, and the largest resident size beyond what was there before, in MB."""
    Path("/proc/self/clear_refs").write_text("5")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.perf_counter()
    work()
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "megabytes": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024}


def one_alignment(n: int, d: int, options: dict[str, object]) -> dict[str, float]:
    """`align_arrays` once, after a small one that loads everything."""
    import consilience

    x, y = pair(n, d)
    consilience.align_arrays(x[:500], y[:500], **{**options, "permutations": 9})
    return measured(lambda: consilience.align_arrays(x, y, **options))


def one_null(n: int, d: int) -> dict[str, float]:
    """Seconds of two searches, and of the null from their tables."""
    from consilience_server.core.control import Control
    from consilience_server.core.similarity import Similarity
    from consilience_server.engine.alignment_scores import ScoreOptions
    from consilience_server.engine.choose import make_engine
    from consilience_server.engine.neighbour_scores import mutual_knn_scores

    threads = len(os.sched_getaffinity(0))
    engine, keys = make_engine(threads, "cpu"), np.random.default_rng(0).permutation(n).astype(np.uint64)
    vectors = pair(n, d)
    begun = time.perf_counter()
    tables = [engine.self_join(one, Similarity.COSINE, 10, tie_keys=keys, control=Control()) for one in vectors]
    searched = time.perf_counter() - begun

    def scored(permutations: int) -> float:
        options = ScoreOptions(permutations, 0, 0.05, "queries", 0.95, keys, threads)
        started = time.perf_counter()
        mutual_knn_scores(tables[0], tables[1], [10], options, Control())
        return time.perf_counter() - started

    without = scored(0)
    return {"search": searched, "null": scored(999) - without}


def one_grid() -> dict[str, float]:
    """Seconds of one pair of models, and of one pair of layers by the paper's method."""
    import consilience

    n, d = 1024, 768
    x, y = ([pair(n, d, seed)[side] for seed in range(LAYERS)] for side in (0, 1))
    consilience.align_arrays(x[0][:200], y[0][:200], permutations=9)
    ours = measured(lambda: consilience.align_arrays(x, y, k=10, permutations=PERMUTATIONS, layer_selection="max"))["seconds"]

    def paper() -> None:
        masks = []
        for one in (x[0], y[0]):
            unit = one / np.linalg.norm(one, axis=1, keepdims=True)
            scores = unit @ unit.T
            np.fill_diagonal(scores, -1e8)
            mask = np.zeros((n, n), dtype=np.float32)
            np.put_along_axis(mask, np.argsort(-scores, axis=1)[:, :10], 1.0, axis=1)
            masks.append(mask)
        (masks[0] * masks[1]).sum()
        masks_of["x"], masks_of["y"] = masks

    masks_of: dict[str, np.ndarray] = {}
    score = measured(paper)["seconds"]
    random = np.random.default_rng(0)

    def permuted() -> None:
        for _ in range(5):
            order = random.permutation(n)
            (masks_of["x"] * masks_of["y"][np.ix_(order, order)]).sum()

    return {"ours": ours, "paper score": score, "paper permutation": measured(permuted)["seconds"] / 5}


def in_process(name: str, *arguments: object) -> dict[str, float]:
    """The result of one of the functions above, from a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--one", name, json.dumps(arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def null() -> None:
    found = in_process("one_null", 100_000, 768)
    share = found["null"] / found["search"]
    print("### 999 permutations of mutual k-NN, n = 100,000, k = 10\n")
    print(
        f"Two searches of 100,000 x 768 {found['search']:.1f} s, 999 permutations {found['null']:.2f} s: {share:.3f} of them.\n", flush=True
    )


def metrics() -> None:
    from consilience_server.app.metric_families.registry import FAMILY_OF

    print("### every metric, 50,000 x 256, 99 permutations, interval over items\n\n| metric | s | MB beyond the arrays |\n|---|---|---|")
    for metric in sorted(FAMILY_OF):
        try:
            found = in_process("one_alignment", 50_000, 256, {"metric": metric, "permutations": 99})
        except RuntimeError as error:
            print(f"| {metric} | failed: {str(error).splitlines()[-1]} | |", flush=True)
            continue
        print(f"| {metric} | {found['seconds']:.1f} | {found['megabytes']:,.0f} |", flush=True)
    print()


def million() -> None:
    print("### CKA of 1,000,000 x 512 (4,096 MB of arrays), interval over items\n\n| metric | s | MB beyond the arrays |\n|---|---|---|")
    for metric in ("cka", "unbiased_cka"):
        found = in_process("one_alignment", 1_000_000, 512, {"metric": metric, "permutations": 0})
        print(f"| {metric} | {found['seconds']:.1f} | {found['megabytes']:,.0f} |", flush=True)
    print()


def grid() -> None:
    found = in_process("one_grid")
    ours = found["ours"] * PAIRS
    paper = (found["paper score"] + PERMUTATIONS * found["paper permutation"]) * LAYERS**2 * PAIRS
    print(f"### the paper's grid: {PAIRS} pairs of models, n = 1,024, {LAYERS} layers a side, {PERMUTATIONS} permutations\n")
    score, permutation = found["paper score"], found["paper permutation"] * 1e3
    print(f"One pair of models {found['ours']:.2f} s, the grid {ours / 60:.1f} min.")
    print(f"The paper's method, scaled from one pair of layers ({score:.3f} s a score, {permutation:.1f} ms a permutation):")
    print(f"{paper / 3600:.1f} h, {paper / ours:,.0f} times as long.\n", flush=True)


PARTS = {"null": null, "metrics": metrics, "million": million, "grid": grid}
ONE = {"one_alignment": one_alignment, "one_null": one_null, "one_grid": one_grid}


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(ONE[sys.argv[2]](*json.loads(sys.argv[3]))))
        return
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()


if __name__ == "__main__":
    main()
