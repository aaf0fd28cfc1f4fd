import numpy as np

from consilience_server.core.units import unit_means, unit_medians


def test_a_unit_counts_once_however_many_queries_it_has():
    values = np.array([1.0, 0.0, 0.0, 1.0, 1.0, 0.5])
    units = np.array([7, 7, 7, 2, 2, 9])
    assert unit_means(values, units).tolist() == [1.0, 1 / 3, 0.5]
    assert unit_means(values, None) is values


def test_medians_by_unit():
    ranks = np.array([5, 1, 9, 3, 4, 8])
    units = np.array([1, 0, 1, 0, 1, 0])
    assert unit_medians(ranks, units).tolist() == [3.0, 5.0]
    assert unit_medians(ranks, None).tolist() == ranks.tolist()
    rng = np.random.default_rng(0)
    ranks, units = rng.integers(1, 100, 500), rng.integers(0, 60, 500)
    assert unit_medians(ranks, units).tolist() == [np.median(ranks[units == unit]) for unit in np.unique(units)]
