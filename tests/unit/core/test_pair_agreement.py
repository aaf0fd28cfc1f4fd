import numpy as np
import pytest
import scipy.stats

from consilience_server.core.pair_agreement import pair_agreement


def test_by_hand():
    # Sources 0-4, targets 0-4; known: 0-0, 1-1, 2-2 (groups 7, 8, 9).
    source_groups = np.array([7, 8, 9, -1, -1])
    target_groups = np.array([7, 8, 9, -1, 5])
    # right, wrong (target 2 is known), unjudged, wrong (source 2 is known).
    sources, targets = np.array([0, 3, 4, 2]), np.array([0, 2, 3, 4])
    found = pair_agreement(sources, targets, np.array([0.9, 0.8, 0.7, 0.6]), source_groups, target_groups)
    assert (found.known_sources, found.precision.successes, found.precision.trials) == (3, 1, 3)
    assert (found.recall.successes, found.recall.trials, found.recall.value) == (1, 3, 1 / 3)
    # With the first pair alone: precision 1, recall 1/3.
    assert (found.best_threshold, found.best_f1) == (0.9, pytest.approx(0.5))


def test_by_brute_force():
    rng = np.random.default_rng(0)
    for _ in range(50):
        m, n, p = rng.integers(3, 12, 3)
        source_groups, target_groups = rng.integers(-1, 5, m), rng.integers(-1, 5, n)
        source_groups[0] = target_groups[0] = 3
        sources, targets = rng.integers(0, m, p), rng.integers(0, n, p)
        scores = -np.sort(-rng.integers(0, 4, p).astype(float))
        found = pair_agreement(sources, targets, scores, source_groups, target_groups)
        known = {(a, b) for a in range(m) for b in range(n) if source_groups[a] == target_groups[b] >= 0}
        known_a, known_b = {a for a, _ in known}, {b for _, b in known}

        rows = list(zip(sources.tolist(), targets.tolist(), scores, strict=True))

        def measure(threshold, rows=rows, known=known, sides=(known_a, known_b)):
            pairs = [(a, b) for a, b, score in rows if score >= threshold]
            judged = [(a, b) for a, b in pairs if a in sides[0] or b in sides[1]]
            right = [pair for pair in judged if pair in known]
            return len(right), len(judged), len({a for a, _ in right})

        right, judged, hit = measure(-np.inf)
        assert (found.precision.successes, found.precision.trials) if found.precision else (right, judged) == (0, 0)
        assert (found.recall.successes, found.recall.trials, found.known_sources) == (hit, len(known_a), len(known_a))
        f1 = {}
        for threshold in set(scores):
            good, told, hits = measure(threshold)
            f1[threshold] = 2 * (good / told) * (hits / len(known_a)) / (good / told + hits / len(known_a)) if good else 0.0
        if right:
            assert found.best_f1 == pytest.approx(max(f1.values()))
            assert f1[found.best_threshold] == pytest.approx(found.best_f1)
        else:
            assert found.best_threshold is None


def test_intervals_are_wilsons():
    groups = np.arange(40)
    sources = np.arange(40)
    targets = np.where(sources < 31, sources, (sources + 1) % 40)
    found = pair_agreement(sources, targets, np.linspace(1, 0, 40), groups, groups)
    low, high = scipy.stats.binomtest(31, 40).proportion_ci(method="wilson")
    assert (found.precision.low, found.precision.high) == pytest.approx((low, high), abs=1e-12)
    assert (found.recall.low, found.recall.high) == pytest.approx((low, high), abs=1e-12)


def test_nothing_found():
    none = np.array([], dtype=np.int64)
    found = pair_agreement(none, none, np.array([]), np.array([1, -1]), np.array([1]))
    assert (found.precision, found.recall.successes, found.best_threshold) == (None, 0, None)
