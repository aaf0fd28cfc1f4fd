"""Chance within groups: the mean over every such permutation, one by one."""

from itertools import permutations

import numpy as np
import pytest

from consilience_server.core.within_groups import mean_product


def within(groups):
    """All permutations that keep every item within its group."""
    return [np.array(pi) for pi in permutations(range(len(groups))) if (groups[np.array(pi)] == groups).all()]


@pytest.mark.parametrize("groups", [[0] * 5, [0, 0, 1, 1, 1], [0, 1, 2, 2, 0], [1, 0, 3, 4, 2], [2, 2, 0, 0, 2]])
def test_it_is_the_mean_over_every_permutation_within_the_groups(groups):
    draw, groups = np.random.default_rng(0), np.array(groups)
    k, l = draw.normal(size=(2, 5, 5))
    every = [float((k * l[np.ix_(pi, pi)]).sum()) for pi in within(groups)]
    assert mean_product(k, l, groups) == pytest.approx(np.mean(every), rel=1e-12, abs=1e-12)


def test_with_one_group_it_is_what_the_metrics_files_say():
    draw, n = np.random.default_rng(1), 30
    groups = np.zeros(n, dtype=np.int64)
    centred = [side - side.mean(axis=0) for side in draw.normal(size=(2, n, 4))]
    k, l = (side @ side.T for side in centred)
    assert mean_product(k, l, groups) == pytest.approx(np.trace(k) * np.trace(l) / (n - 1), rel=1e-12)
    lists = [np.argsort(-(gram - 1e9 * np.eye(n)), axis=1)[:, :3] for gram in (k, l)]
    w, v = (np.array([np.isin(np.arange(n), row) for row in one]).astype(float) for one in lists)
    assert mean_product(w, v, groups) / (n * 3) == pytest.approx(3 / (n - 1), rel=1e-12)
