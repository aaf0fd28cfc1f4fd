"""Features, and moments without each group, against computing anew."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from consilience_server.core.cka import linear_hsic, moments, unbiased_hsic_of
from consilience_server.core.control import Control
from consilience_server.engine import cka_features, cka_null, cka_scores
from consilience_server.engine.alignment_scores import ScoreOptions
from consilience_server.engine.cka_features import centred_features, moments_without_groups
from consilience_server.engine.cka_scores import cka_bytes, cka_score


@pytest.fixture(params=["whole", "tiles"])
def form(request, monkeypatch):
    """Spaces are copied as a whole, or centred in tiles of a few rows."""
    if request.param == "tiles":
        monkeypatch.setattr(cka_features, "DENSE_BYTES", 0)
        monkeypatch.setattr(cka_features, "_TILE_ENTRIES", 50)


@pytest.mark.usefixtures("form")
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


@pytest.mark.usefixtures("form")
def test_rows_are_centred_wherever_they_are_read():
    x, order = np.random.default_rng(0).normal(size=(47, 6)).astype(np.float32) + 1000, np.random.default_rng(1).permutation(47)
    features = centred_features(x, order)
    expected = x.astype(np.float64)[order] - x.astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(features.values, expected, atol=1e-11)
    np.testing.assert_allclose(features.rows(np.array([3, 1])), expected[[3, 1]], atol=1e-11)
    np.testing.assert_allclose(features.squares, (expected**2).sum(axis=1), rtol=1e-9)
    assert (features.n, features.width) == (47, 6)


@pytest.mark.parametrize("unbiased", [False, True])
@pytest.mark.parametrize("groups", [False, True])
def test_tiles_change_no_score_and_no_order_of_rows_does(unbiased, groups, monkeypatch):
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(90, 7)).astype(np.float32), draw.normal(size=(90, 5)).astype(np.float32)
    y[:, 0] += x[:, 0]
    keys, labels = draw.integers(0, 2**64, 90, dtype=np.uint64), draw.integers(0, 4, 90) if groups else None
    given = ScoreOptions(19, 0, 0.05, "items", 0.95, keys, 1, labels)
    monkeypatch.setattr(cka_null, "_GATHER_RATE", 1e-30)  # the feature form
    expected = cka_score(x, y, unbiased, given, Control())
    monkeypatch.setattr(cka_features, "DENSE_BYTES", 0)
    monkeypatch.setattr(cka_features, "_TILE_ENTRIES", 100)
    rho = draw.permutation(90)
    moved = replace(given, item_order=keys[rho], groups=None if labels is None else labels[rho])
    for found in (cka_score(x, y, unbiased, given, Control()), cka_score(x[rho], y[rho], unbiased, moved, Control())):
        for field in ("score", "chance", "p_value", "threshold", "null_sd"):
            assert getattr(found, field) == pytest.approx(getattr(expected, field), abs=1e-12), field
        assert (found.interval.low, found.interval.high) == pytest.approx((expected.interval.low, expected.interval.high), abs=1e-11)


@pytest.mark.parametrize("interval_kind", ["items", "queries"])
def test_a_large_space_is_not_copied(interval_kind, monkeypatch):
    monkeypatch.setattr(cka_features, "DENSE_BYTES", 0)
    monkeypatch.setattr(cka_scores, "DENSE_BYTES", 0)
    monkeypatch.setattr(cka_features, "_TILE_ENTRIES", 1 << 16)
    n, width = 60_000, 96
    draw = np.random.default_rng(0)
    x = draw.standard_normal((n, width), dtype=np.float32)
    y = x[:, :64] + draw.standard_normal((n, 64), dtype=np.float32)
    given = ScoreOptions(2, 0, 0.05, interval_kind, 0.95, draw.integers(0, 2**64, n, dtype=np.uint64), 1)
    tracemalloc.start()
    try:
        found = cka_score(x, y, True, given, Control())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= cka_bytes(n, [width, 64], [(0, 1)], interval_kind)
    # A copy of x in float64 alone would be 46 MB. What is left are numbers of n, of d^2 and of a tile.
    assert peak < 0.3 * 8 * n * width
    assert found.p_value == 1 / 3
