import numpy as np
import pytest
from scipy import stats

from consilience_server.core.errors import ConstantFeatures, TooFewItems
from consilience_server.core.noise_ceiling import compare_known, noise_ceiling, one_scale

DRAW = np.random.default_rng(0)
REPEATS = DRAW.random((6, 45)) + DRAW.random(45) * 1.5

# rsatoolbox 0.3.2, boot_noise_ceiling of these matrices.
RSATOOLBOX = {
    "cosine": (0.9778639729725217, 0.9846599703951547),
    "pearson": (0.7911257929484757, 0.857799167976106),
    "spearman": (0.7733673584943191, 0.8442614406658614),
    "kendall_tau_a": (0.5772727272727273, 0.6558922558922559),
    "kendall_tau_b": (0.5789809248737329, 0.6588940667967634),
}


@pytest.mark.parametrize("comparison", RSATOOLBOX)
def test_ceilings_are_those_of_rsatoolbox(comparison):
    found = noise_ceiling(REPEATS, comparison)
    assert (found.lower, found.upper) == pytest.approx(RSATOOLBOX[comparison], abs=1e-12)
    assert found.by_repeat_lower.mean() == pytest.approx(found.lower)
    assert len(found.by_repeat_upper) == 6


@pytest.mark.parametrize("comparison", ["cosine", "pearson", "spearman"])
def test_no_matrix_scores_above_the_upper_ceiling(comparison):
    ceiling = noise_ceiling(REPEATS, comparison)
    draw = np.random.default_rng(1)
    for scale in (0, 0.01, 0.1, 1):
        model = REPEATS.mean(axis=0) + scale * draw.random(45)
        score = np.mean([compare_known(model, repeat, comparison) for repeat in REPEATS])
        assert score <= ceiling.upper + 1e-12


def test_repeats_that_agree_have_a_ceiling_of_one():
    same = np.tile(REPEATS[0], (3, 1)) * np.array([[1], [2], [3]])
    found = noise_ceiling(same, "pearson")
    assert (found.lower, found.upper) == pytest.approx((1, 1))


def test_gaps_are_left_out_pair_by_pair():
    gappy = REPEATS.copy()
    gappy[1:][np.random.default_rng(2).random((5, 45)) < 0.4] = np.nan
    found = noise_ceiling(gappy, "spearman")
    scaled = np.array([one_scale(repeat, "spearman", "x") for repeat in gappy])
    expected = []
    for at, repeat in enumerate(gappy):
        others = np.nanmean(np.delete(scaled, at, axis=0), axis=0)
        known = ~np.isnan(repeat) & ~np.isnan(others)
        expected.append(stats.spearmanr(others[known], repeat[known]).statistic)
    assert found.by_repeat_lower == pytest.approx(expected, abs=1e-12)
    assert np.nanmean(scaled**2, axis=1) == pytest.approx(np.ones(6))


@pytest.mark.parametrize("comparison", ["pearson", "spearman", "kendall_tau_b"])
def test_a_comparison_is_over_the_pairs_that_both_sides_have(comparison):
    u, v = REPEATS[0].copy(), REPEATS[1].copy()
    u[:5], v[3:12] = np.nan, np.nan
    known = np.arange(12, 45)
    oracle = {"pearson": stats.pearsonr, "spearman": stats.spearmanr, "kendall_tau_b": stats.kendalltau}[comparison]
    assert compare_known(u, v, comparison) == pytest.approx(oracle(u[known], v[known]).statistic, abs=1e-12)


def test_what_has_no_ceiling_is_refused():
    with pytest.raises(TooFewItems, match="two repeats"):
        noise_ceiling(REPEATS[:1], "pearson")
    with pytest.raises(ConstantFeatures):
        noise_ceiling(np.array([REPEATS[0], np.ones(45)]), "pearson")
    sparse = REPEATS.copy()
    sparse[0, 5:] = np.nan
    with pytest.raises(TooFewItems, match="only 5 pairs"):
        noise_ceiling(sparse, "pearson")
