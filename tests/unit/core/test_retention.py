import numpy as np
import pytest
from scipy.stats import binomtest, ttest_1samp

from consilience_server.core.retention import kept_share


def test_a_mean_of_hits_has_little_more_than_wilsons_interval():
    kept = np.array([1.0] * 180 + [0.0] * 20)
    low, high = kept_share(kept, np.ones(200)).limits(0.95)
    wilson = binomtest(180, 200).proportion_ci(method="wilson")
    assert wilson.low - 0.01 < low <= wilson.low
    assert wilson.high <= high < wilson.high + 0.01


def test_all_kept_is_not_certain():
    low, high = kept_share(np.ones(20), np.ones(20)).limits(0.95)
    assert high == 1.0
    assert 0.78 < low < 0.86
    assert kept_share(np.full(20, 0.99), np.ones(20)).limits(0.95)[0] < 0.86
    assert kept_share(np.ones(2000), np.ones(2000)).limits(0.95)[0] > 0.995


def test_a_ratio_holds_what_fiellers_test_does_not_reject():
    rng = np.random.default_rng(0)
    whole = rng.integers(0, 11, 80) / 10
    kept = np.clip(whole - rng.integers(0, 4, 80) / 10, 0, 1)
    share = kept_share(kept, whole)
    assert share.value == pytest.approx(kept.mean() / whole.mean())
    low, high = share.limits(0.95)
    # Every ratio that a t-test of kept - u whole accepts is inside.
    accepted = [u for u in np.linspace(0, 1.2, 600) if ttest_1samp(kept - u * whole, 0).pvalue > 0.05]
    assert low <= min(accepted)
    assert max(accepted) <= high


def test_clusters_count_once():
    rng = np.random.default_rng(1)
    kept = rng.random(40)
    alone = kept_share(kept, np.ones(40)).limits(0.95)
    copied = kept_share(np.repeat(kept, 5), np.ones(200), np.repeat(np.arange(40), 5)).limits(0.95)
    assert copied == pytest.approx(alone, abs=0.02)
    naive = kept_share(np.repeat(kept, 5), np.ones(200)).limits(0.95)
    assert naive[0] > alone[0]


@pytest.mark.parametrize(("kept", "whole"), [([0.0] * 9, [0.0] * 9), ([1.0], [1.0])])
def test_nothing_to_keep_or_one_query_tells_nothing(kept, whole):
    low, high = kept_share(np.array(kept), np.array(whole)).limits(0.95)
    assert (low, high) == (0.0, np.inf)


def hits(rng, m):
    return (rng.random(m) < 0.9).astype(float)


def tenths(rng, m):
    return rng.binomial(10, 0.9, m) / 10


def few_lost_altogether(rng, m):
    """Nine in ten keep all but a little, the others next to nothing: mean .9."""
    return np.where(rng.random(m) < 0.9, 0.99, 0.09)


@pytest.mark.parametrize("draw", [hits, tenths, few_lost_altogether])
@pytest.mark.parametrize("m", [30, 300])
def test_the_lower_end_is_above_the_truth_in_at_most_2_5_percent(draw, m):
    rng = np.random.default_rng(2)
    above = sum(kept_share(draw(rng, m), np.ones(m)).limits(0.95)[0] > 0.9 for _ in range(1500))
    assert binomtest(above, 1500, 0.025, alternative="greater").pvalue > 1e-3


def test_the_lower_end_of_a_ratio_is_above_the_truth_in_at_most_2_5_percent():
    """Of judged queries some have nothing to find at all; the others lose a tenth of what there is."""
    rng = np.random.default_rng(3)
    above = 0
    for _ in range(1500):
        whole = np.where(rng.random(100) < 0.6, rng.integers(1, 5, 100) / 4, 0.0)
        kept = np.where(rng.random(100) < 0.9, whole, 0.0)
        above += kept_share(kept, whole).limits(0.95)[0] > 0.9
    assert binomtest(above, 1500, 0.025, alternative="greater").pvalue > 1e-3
