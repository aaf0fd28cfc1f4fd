"""Neighbour lists of 100,000 items, k = 10: their overlap, and 1,000 random pairings, against NumPy, side by side in one run.

    python tests/bench/lists.py

NumPy's overlap sorts both lists of an item together and counts equal neighbours; its permutation draws a random order with a generator,
renames and reorders one space's lists, and overlaps again. Thirty of those are timed in a round, and a thousand scaled from them. The
engine's time is that of all 1,000 of its own (`core/permutation.py`, the same on every machine), on all threads. NumPy gets the lists as
int32, and as int64, in which FAISS and `argsort` return them.
"""

import os

import numpy as np
from report import interleave, seconds, table

from consilience_server.core.control import Control
from consilience_server.core.permutation import Pairings
from consilience_server.engine.kernels import kernels_status
from consilience_server.engine.overlap import KeyedSets, overlap_scores
from consilience_server.engine.permutation_null import permuted_overlaps
from consilience_server.engine.threads import size_thread_pools

ITEMS, K, PERMUTATIONS, ROUNDS, PERMUTATIONS_OF_NUMPY = 100_000, 10, 1000, 5, 30


def lists(random: np.random.Generator, near: np.ndarray | None = None) -> np.ndarray:
    """(n, k) int64 distinct neighbours of each item, not itself, ascending; half of the lists those of `near`."""
    offsets = np.sort(random.integers(1, ITEMS - K, (ITEMS, K)), axis=1) + np.arange(K)
    found = (np.arange(ITEMS)[:, None] + offsets) % ITEMS
    if near is not None:
        found[: ITEMS // 2] = near[: ITEMS // 2]
    return np.sort(found, axis=1)


def keyed(neighbours: np.ndarray) -> KeyedSets:
    keys = (np.arange(ITEMS, dtype=np.int64)[:, None] * ITEMS + neighbours).ravel()
    return KeyedSets(ITEMS, (K,), keys, np.ones((len(keys), 1)))


def overlap_of_numpy(x: np.ndarray, y: np.ndarray) -> float:
    both = np.sort(np.concatenate([x, y], axis=1), axis=1)
    return float((both[:, 1:] == both[:, :-1]).sum() / x.size)


def permutations_of_numpy(x: np.ndarray, y: np.ndarray, random: np.random.Generator) -> list[float]:
    found = []
    for _ in range(PERMUTATIONS_OF_NUMPY):
        order = random.permutation(ITEMS).astype(x.dtype)
        renamed = np.empty_like(y)
        renamed[order] = order[y]
        found.append(overlap_of_numpy(x, renamed))
    return found


def main() -> None:
    threads = len(os.sched_getaffinity(0))
    size_thread_pools(threads)
    random = np.random.default_rng(0)
    x = lists(random)
    y = lists(random, x)
    spaces = [keyed(x), keyed(y)]
    pairings = Pairings(spaces[0].n, 0)
    print(f"Native kernels: {kernels_status()}; {threads} threads.\n")
    assert np.isclose(overlap_scores(*spaces)[0], overlap_of_numpy(x, y))
    widths = {"int64": (x, y), "int32": (x.astype(np.int32), y.astype(np.int32))}
    overlaps = {"Consilience": seconds(lambda: [overlap_scores(*spaces, threads) for _ in range(20)])}
    permuted = {f"Consilience, {PERMUTATIONS:,}": seconds(lambda: permuted_overlaps(spaces, PERMUTATIONS, pairings, threads, Control()))}
    for width, both in widths.items():
        overlaps[f"NumPy, {width}"] = seconds(lambda both=both: [overlap_of_numpy(*both) for _ in range(20)])
        of_numpy = seconds(lambda both=both: permutations_of_numpy(*both, random))
        name = f"NumPy, {width}, {PERMUTATIONS:,} from {PERMUTATIONS_OF_NUMPY}"
        permuted[name] = lambda of_numpy=of_numpy: of_numpy() * PERMUTATIONS / PERMUTATIONS_OF_NUMPY
    print(table(f"overlap of the lists of {ITEMS:,} items, k = {K}, 20 times", "s", interleave(ROUNDS, overlaps)))
    print(table(f"random pairings of the lists of {ITEMS:,} items, k = {K}", "s", interleave(ROUNDS, permuted)))


if __name__ == "__main__":
    main()
