import numpy as np
import pytest

from consilience_server.core.dual_bootstrap import Resampled, drawn, dual_interval, dual_variance, resample


def test_the_draws_are_named_by_their_number_and_cover_everything():
    first = drawn(7, 3, 50)
    assert first.tolist() == sorted(first)
    assert first.tolist() == drawn(7, 3, 50).tolist()
    assert first.tolist() != drawn(7, 4, 50).tolist()
    counts = np.bincount(np.concatenate([drawn(0, index, 10) for index in range(2000)]), minlength=10)
    assert counts.sum() == 20_000
    # Chi-squared with 9 degrees of freedom: 27.9 is its 99.9% quantile.
    assert ((counts - 2000) ** 2 / 2000).sum() < 27.9


def series(variance, mean=0.3):
    values = np.array([-1.0, 1.0] * 50)
    return mean + values * (variance / np.var(values, ddof=1)) ** 0.5


# rsatoolbox 0.3.2, _dual_bootstrap of (both, subjects, items) with 6 subjects and 10 items.
@pytest.mark.parametrize(("both", "expected"), [(0.010, 0.009022222222222221), (0.0095, 0.0095), (0.02, 0.005 * 10 / 9)])
def test_the_variance_is_that_of_rsatoolbox(both, expected):
    resampled = Resampled(series(both), series(0.004), series(0.005), 0)
    assert dual_variance(resampled, 6, 10) == pytest.approx(expected, rel=1e-12)


def test_the_interval_counts_the_smaller_of_both_samples():
    low, high = dual_interval(0.4, 0.01, 5, 100, 0.95)
    assert (high - 0.4, 0.4 - low) == pytest.approx((0.1 * 2.7764451, 0.1 * 2.7764451))
    assert dual_interval(0.9, 0.5, 5, 100, 0.95)[1] == 1.0


def test_subjects_and_items_share_their_draws():
    effects = np.random.default_rng(0).normal(size=(4, 30))

    def scores_of(items):
        return (effects if items is None else effects[:, items]).mean(axis=1)[None]

    (found,) = resample(scores_of, 4, 30, 5, seed=3)
    for draw in range(5):
        subjects, items = drawn(3, 2 * draw, 4), drawn(3, 2 * draw + 1, 30)
        assert found.both[draw] == pytest.approx(effects[np.ix_(subjects, items)].mean())
        assert found.subjects[draw] == pytest.approx(effects[subjects].mean())
        assert found.items[draw] == pytest.approx(effects[:, items].mean())
    assert found.undefined == 0


def test_draws_without_a_score_are_left_out_of_all_three_and_counted():
    def scores_of(items):
        return np.full((2, 3), np.nan if items is not None and items[0] > 0 else 0.5)

    for found in resample(scores_of, 3, 8, 200, seed=0):
        assert len(found.both) == len(found.subjects) == len(found.items) == 200 - found.undefined
        assert 0 < found.undefined < 200


def test_intervals_of_a_mean_over_subjects_and_items_cover_it():
    inside = 0
    for seed in range(200):
        draw = np.random.default_rng(seed)
        effects = 0.3 * draw.normal(size=(12, 1)) + 0.3 * draw.normal(size=(1, 20)) + draw.normal(size=(12, 20))

        def scores_of(items, effects=effects):
            return (effects if items is None else effects[:, items]).mean(axis=1)[None]

        (found,) = resample(scores_of, 12, 20, 60, seed)
        low, high = dual_interval(0.0, dual_variance(found, 12, 20), 12, 20, 0.95)
        half = (high - low) / 2
        inside += abs(float(effects.mean())) <= half
    assert 180 <= inside <= 200
