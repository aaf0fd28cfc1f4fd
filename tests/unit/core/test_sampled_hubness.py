import numpy as np
import pytest
from scipy.stats import skew

from consilience_server.core.sampled_hubness import sampled_hubness


def members(n, d, k, seed=0):
    """(n, n) whether column j is in the list of row i."""
    points = np.random.default_rng(seed).standard_normal((n, d))
    distances = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    found = np.zeros((n, n))
    np.put_along_axis(found, np.argsort(distances, axis=1)[:, :k], 1.0, axis=1)
    return found


@pytest.mark.parametrize("d", [3, 40])
def test_of_all_items_it_is_the_skewness(d):
    counts = members(300, d, 10).sum(axis=0)
    assert sampled_hubness(counts, 300, 300) == pytest.approx(skew(counts), rel=1e-9)


@pytest.mark.parametrize("d", [5, 40])
def test_of_a_sample_it_is_near_that_of_all_items(d):
    found = members(500, d, 10)
    whole = skew(found.sum(axis=0))
    draw = np.random.default_rng(1)
    samples = [found[draw.choice(500, 125, replace=False)].sum(axis=0) for _ in range(100)]
    assert np.mean([sampled_hubness(counts, 125, 500) for counts in samples]) == pytest.approx(whole, rel=0.1, abs=0.1)


def test_thinning_alone_looks_like_hubness_to_the_plain_skewness():
    """Every item in ten of 500 lists: no hubs, whatever a sample's own counts say."""
    draw = np.random.default_rng(2)
    samples = [draw.hypergeometric(10, 490, 125, 500).astype(float) for _ in range(50)]
    assert np.mean([skew(counts) for counts in samples]) > 0.2
    assert np.mean([sampled_hubness(counts, 125, 500) == 0.0 for counts in samples]) > 0.3


def test_where_nothing_varies_there_is_none():
    assert sampled_hubness(np.full(100, 5.0), 100, 100) == 0.0
    assert sampled_hubness(np.zeros(10), 5, 10) == 0.0
    assert sampled_hubness(np.array([1.0, 0.0, 3.0]), 2, 3) == 0.0
