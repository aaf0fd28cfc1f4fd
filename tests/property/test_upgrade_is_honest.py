"""An upgrade that just misses its threshold passes in no more decisions than it may."""

import numpy as np
from scipy.stats import binomtest

from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.bridges.fit import fit_map
from consilience_server.core.control import Control
from consilience_server.core.relevance import Relevance, recalls_at
from consilience_server.core.retention import kept_share
from consilience_server.core.similarity import Similarity
from consilience_server.core.upgrade_verdict import judge_share
from consilience_server.engine.exact_neighbours import ExactNeighbours
from consilience_server.engine.faiss_cpu import FaissCpuScan

CONTROL = Control()
ENGINE = ExactNeighbours(FaissCpuScan(1), 1)


def retained(noise, seed, queries=3000, items=500, width=8):
    """(queries,) recall@10 kept by a bridge, of so many queries that they are the population."""
    rng = np.random.default_rng(seed)
    rotation = np.linalg.qr(rng.standard_normal((width, width)))[0]
    old, asked = (rng.standard_normal((count, width)) for count in (items, queries))
    new, asked_new = ((side @ rotation + noise * rng.standard_normal(side.shape)).astype(np.float32) for side in (old, asked))
    bridge, _ = fit_map("procrustes", new, old.astype(np.float32), (), CONTROL)
    ready = make_ready(bridge)
    truth = ENGINE.query(asked_new, new, Similarity.COSINE, 10, control=CONTROL).indices[:, :10]
    mapped, gallery = map_vectors(ready, asked_new, CONTROL), centre_gallery(ready, old.astype(np.float32), CONTROL)
    found = ENGINE.query(mapped, gallery, Similarity.COSINE, 10, control=CONTROL).indices[:, :10]
    relevance = Relevance.of_lists(truth)
    return recalls_at(relevance.gains(found), relevance.sizes, 10)


def test_of_300_migrations_at_the_threshold_no_more_pass_than_may():
    """Each migration keeps exactly what is asked of all queries; a sample of them decides."""
    passed = decided_against = 0
    for at, noise in enumerate((0.02, 0.1, 0.3)):
        population = retained(noise, at)
        rng = np.random.default_rng(at)
        threshold = population.mean() * (1 + 1e-9)
        for trial in range(100):
            sample = population[rng.integers(0, len(population), 40 if trial % 2 else 200)]
            outcome = judge_share("recall@10", min(threshold, 1.0), kept_share(sample, np.ones(len(sample))), len(sample), 1).outcome
            passed += outcome == "passes"
            decided_against += outcome == "fails"
    assert binomtest(passed, 300, 0.025, alternative="greater").pvalue > 0.01
    assert binomtest(decided_against, 300, 0.025, alternative="greater").pvalue > 0.01


def test_a_migration_that_keeps_clearly_more_does_pass():
    population = retained(0.1, 0)
    sample = population[np.random.default_rng(0).integers(0, len(population), 400)]
    share = kept_share(sample, np.ones(400))
    assert judge_share("recall@10", population.mean() - 0.05, share, 400, 1).outcome == "passes"
    assert judge_share("recall@10", population.mean() + 0.05, share, 400, 1).outcome == "fails"
