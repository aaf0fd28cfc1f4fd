"""The bounds hold what they promise: exactly where a distribution can be enumerated, and over a thousand versions of one watch."""

import math
from itertools import product

import numpy as np
import pytest
from scipy.stats import binom

from consilience_server.core.confidence_sequence import (
    check_level,
    expected_false_alarms,
    log_evidence,
    lower_bound,
    stakes,
    upper_bound,
)
from consilience_server.core.mutual_knn import overlaps
from consilience_server.core.neighbours import neighbour_sets, self_scores
from consilience_server.core.similarity import Similarity

VALUES = [np.array([-1.0, 1.0]), np.array([-1.0, 0.1]), np.array([-0.3, 0.0, 1.0]), np.array([-1.0, 0.0, 0.05, 0.9])]


def plain_evidence(differences, mean):
    """The definition, factor by factor."""
    return sum(math.prod(1 - c * (d - mean) / (1 - mean) for d in differences) for c in stakes(len(differences))) / len(
        stakes(len(differences))
    )


def test_the_evidence_is_the_mixture_of_products():
    draw = np.random.default_rng(0)
    for m in (1, 3, 60):
        differences = draw.uniform(-1, 1, m)
        for mean in (-0.5, 0.0, 0.4):
            assert log_evidence(differences, mean) == pytest.approx(math.log(plain_evidence(differences, mean)), rel=1e-12)
    many = np.tile(draw.uniform(-0.2, 0.2, 1000), 40)
    shares = stakes(len(many))
    whole = np.log1p(-shares[:, None] * many).sum(axis=1)
    assert log_evidence(many, 0.0) == pytest.approx(np.logaddexp.reduce(whole) - math.log(len(shares)), rel=1e-12)


def test_more_probes_mix_smaller_stakes():
    assert [len(stakes(m)) for m in (0, 1, 70, 256, 1024, 4096, 65_536)] == [1, 1, 1, 2, 4, 6, 10]
    for m in (256, 4096, 10**6):
        found = stakes(m)
        assert found[0] == 0.95
        assert found[:-1] / found[1:] == pytest.approx(math.sqrt(2))
        assert 8 / math.sqrt(m) <= found[-1] < 8 * math.sqrt(2) / math.sqrt(m)


@pytest.mark.parametrize("values", VALUES, ids=str)
def test_with_replacement_it_is_one_on_average_at_the_edge_of_the_null_and_less_inside(values):
    for inside in (0.0, 0.1):
        mean = float(values.mean()) - inside
        average = np.mean([plain_evidence(sample, mean) for sample in product(values, repeat=3)])
        assert average == pytest.approx(1.0, abs=1e-12) if inside == 0 else average < 1.0


def test_without_replacement_it_is_no_more_than_one_on_average():
    population = np.array([-1.0, -0.4, 0.0, 0.0, 0.3, 1.0])
    for m in (2, 3, 6):
        samples = [population[list(rows)] for rows in product(range(6), repeat=m) if len(set(rows)) == m]
        assert np.mean([plain_evidence(sample, population.mean()) for sample in samples]) <= 1.0


def test_the_bounds_are_where_the_evidence_reaches_its_level():
    differences = np.random.default_rng(1).uniform(-0.6, 0.4, 200)
    for level in (0.05, 1e-6):
        bound = upper_bound(differences, level)
        assert log_evidence(differences, bound) == pytest.approx(-math.log(level), abs=1e-6)
        assert lower_bound(differences, level) < differences.mean() < bound
        assert lower_bound(differences, level) == -upper_bound(-differences, level)


def test_a_sample_that_says_nothing_bounds_nothing():
    assert upper_bound(np.empty(0), 0.05) == 1.0
    assert lower_bound(np.empty(0), 0.05) == -1.0
    assert upper_bound(np.array([0.0]), 0.001) == pytest.approx(1.0, abs=1e-2)
    assert -1.0 <= upper_bound(np.full(10_000, -1.0), 0.05) < -0.99


def test_the_coverage_is_at_least_what_was_asked_for():
    """Binomial differences, summed up exactly: the upper bound lies below the mean with at most the level's chance."""
    for low, high, chance in ((-1.0, 0.0, 0.03), (-1.0, 1.0, 0.5), (-0.1, 0.9, 0.1)):
        m, mean = 150, low * chance + high * (1 - chance)
        missed = sum(
            binom.pmf(count, m, chance)
            for count in range(m + 1)
            if log_evidence(np.repeat([low, high], [count, m - count]), mean) >= math.log(20)
        )
        assert missed <= 0.05


def test_the_bound_is_not_far_from_that_of_a_known_variance():
    differences = np.random.default_rng(2).normal(0.0, 0.1, 4096).clip(-1, 1)
    width = upper_bound(differences, 0.001) - differences.mean()
    known = 3.09 * 0.1 / 64
    assert known < width < 1.6 * known


def test_the_levels_spend_alpha_and_no_more():
    spent = sum(check_level(0.05, t) for t in range(1, 100_001))
    assert spent + expected_false_alarms(0.05, 100_000) == pytest.approx(0.05, rel=1e-9)
    assert expected_false_alarms(0.05, 0) == pytest.approx(0.05, rel=1e-15)
    levels = [check_level(1.0, t) for t in (1, 10, 100, 1000)]
    assert levels == pytest.approx([0.37, 1.01e-2, 3.2e-4, 1.45e-5], rel=0.01)
    assert levels == pytest.approx([math.log(2) * (1 / math.log(t + 1) - 1 / math.log(t + 2)) for t in (1, 10, 100, 1000)], rel=1e-9)
    assert check_level(0.05, 10**15) > 0
    assert expected_false_alarms(0.05, 10, 12) == pytest.approx(sum(check_level(0.05, t) for t in range(11, 23)))


class TestAWatchForEver:
    """One sample of probes, asked again and again."""

    MIN_DROP = 0.02
    ALPHA = 0.05

    def alarms(self, differences, check):
        """The alarm of check `check` for a batch of watches: (watches, m) differences."""
        needed = -math.log(check_level(self.ALPHA, check))
        gains = (differences + self.MIN_DROP) / (1 + self.MIN_DROP)
        shares = stakes(differences.shape[1])
        logs = np.stack([np.log1p(-share * gains).sum(axis=1) for share in shares])
        return np.logaddexp.reduce(logs, axis=0) - math.log(len(shares)) >= needed

    def test_at_the_edge_of_the_null_few_watches_ever_alarm(self):
        """600 watches of a thousand versions whose mean is exactly -min_drop: new items fall at each, the worst for a union bound."""
        draw = np.random.default_rng(3)
        # Differences of -1, 0 and 1, so that counts are enough: two thousand items, of which 256 are probes.
        falls, rises, items, m = 140, 100, 2000, 256
        shares = stakes(m)
        assert (rises - falls) / items == -self.MIN_DROP
        base = np.stack([np.log1p(-shares * (value + self.MIN_DROP) / (1 + self.MIN_DROP)) for value in (-1.0, 0.0, 1.0)])
        alarmed = np.zeros(600, dtype=bool)
        for check in range(1, 1001):
            counts = draw.multivariate_hypergeometric([falls, items - falls - rises, rises], m, size=600)
            evidence = np.logaddexp.reduce(counts @ base, axis=1) - math.log(len(shares))
            alarmed |= evidence >= -math.log(check_level(self.ALPHA, check))
        assert alarmed.mean() <= self.ALPHA

    def test_a_small_lasting_drop_that_the_probes_exaggerate_does_not_become_certain(self):
        """All watches see a drop below min_drop, the same at each version: a test that multiplied its evidence would alarm for many."""
        draw = np.random.default_rng(4)
        population = np.where(np.arange(4000) < 4000 * 0.019, -1.0, 0.0)
        differences = np.stack([draw.choice(population, 500, replace=False) for _ in range(300)])
        assert (differences.mean(axis=1) < -self.MIN_DROP).mean() > 0.3
        # Later checks ask the same with more: whoever alarms ever alarms at the first.
        assert self.alarms(differences, 1).mean() <= self.ALPHA
        assert not (self.alarms(differences, 1000) & ~self.alarms(differences, 1)).any()

    def test_a_thousand_versions_without_a_change_are_silent_and_a_model_change_is_seen_at_once(self):
        """Real neighbour lists: the vectors are computed again at each version, with a jitter as of lower precision."""
        draw = np.random.default_rng(5)
        latent = draw.standard_normal((300, 6))
        x, y = (latent @ draw.standard_normal((6, d)) + 0.8 * draw.standard_normal((300, d)) for d in (24, 16))
        probes = np.sort(draw.choice(300, 200, replace=False))

        def overlap(a, b):
            lists = []
            for vectors in (a, b):
                unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
                scores = unit[probes] @ unit.T
                scores[np.arange(len(probes)), probes] = -np.inf
                member = np.zeros_like(scores, dtype=bool)
                np.put_along_axis(member, np.argpartition(scores, -10, axis=1)[:, -10:], values=True, axis=1)
                lists.append(member)
            return (lists[0] & lists[1]).sum(axis=1) / 10

        def jittered(vectors):
            return vectors + 0.02 * draw.standard_normal(vectors.shape)

        baseline = overlap(x, y)
        sets = [neighbour_sets(self_scores(side.astype(np.float32), Similarity.COSINE), 10) for side in (x, y)]
        assert baseline == pytest.approx(overlaps(*sets)[probes])
        min_drop = 0.1 * (baseline.mean() - 10 / 299)
        moved = 0
        for check in range(1, 1001):
            differences = overlap(jittered(x), jittered(y)) - baseline
            moved += differences.any()
            # Not yet as much as 1 / level: the upper bound is not below -min_drop.
            assert log_evidence(differences, -min_drop) < -math.log(check_level(self.ALPHA, check)), check
        assert moved == 1000
        # Check 1,001: one encoder was exchanged, or its ids were mixed up, or its vectors have become noisy.
        for changed in (
            latent @ draw.standard_normal((6, 16)) + 3.0 * draw.standard_normal((300, 16)),
            y[draw.permutation(300)],
            y + 3.0 * draw.standard_normal(y.shape),
        ):
            differences = overlap(x, changed) - baseline
            assert upper_bound(differences, check_level(self.ALPHA, 1001)) < -min_drop
