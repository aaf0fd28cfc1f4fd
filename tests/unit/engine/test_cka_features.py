"""Features, and moments without each group, against computing anew."""

import numpy as np
import pytest

from consilience_server.core.cka import linear_hsic, moments, unbiased_hsic_of
from consilience_server.core.control import Control
from consilience_server.engine.cka_features import centred_features, moments_without_groups


@pytest.mark.parametrize("widths", [(5, 3), (90, 4), (90, 120)])
def test_deletion_equals_computing_anew(widths):
    draw = np.random.default_rng(0)
    n, groups = 60, 7
    arrays = [draw.normal(size=(n, d)) + 10.0 for d in widths]
    order = draw.permutation(n)
    found = moments_without_groups([centred_features(x, order) for x in arrays], groups, Control())
    x, y = (array[order] for array in arrays)
    for group in [None, *range(groups)]:
        left = np.ones(n, dtype=bool)
        if group is not None:
            left[group::groups] = False
        given = found[0, 1].full if group is None else found[0, 1].without[group]
        for part, expected in vars(moments(x[left], y[left])).items():
            assert getattr(given, part) == pytest.approx(expected, rel=1e-9), part
        assert given.linear().cka == pytest.approx(linear_hsic(x[left], y[left]).cka, abs=1e-12)
        assert given.unbiased().cka == pytest.approx(unbiased_hsic_of(x[left], y[left]).cka, abs=1e-11)


def test_wide_spaces_shrink_and_keep_their_gram_matrix():
    x = np.random.default_rng(0).normal(size=(20, 300))
    features = centred_features(x, np.arange(20))
    assert features.values.shape == (20, 20)
    centred = x - x.mean(axis=0)
    np.testing.assert_allclose(features.values @ features.values.T, centred @ centred.T, atol=1e-10)
    np.testing.assert_allclose(features.squares, (centred**2).sum(axis=1))
