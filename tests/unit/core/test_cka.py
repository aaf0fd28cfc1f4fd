"""Feature-form CKA against its definition in Gram matrices, its chance against permutations, its refusals."""

from itertools import permutations

import numpy as np
import pytest

from consilience_server.core import cka
from consilience_server.core.cka import gram_hsic, linear_chance, linear_cka, linear_hsic, moments, unbiased_cka, unbiased_hsic_of
from consilience_server.core.errors import ConstantFeatures, ShapeMismatch, TooFewItems


@pytest.mark.parametrize(("n", "dx", "dy"), [(40, 7, 5), (40, 60, 5), (40, 60, 80), (4, 2, 9)])
def test_feature_form_equals_gram_form(n, dx, dy, monkeypatch):
    monkeypatch.setattr(cka, "_BLOCK", 7)
    draw = np.random.default_rng(n)
    x, y = draw.normal(size=(n, dx)) + 3.0, draw.normal(size=(n, dy)) - 1.0
    x[:, 0] += y[:, 0]
    for unbiased, form in ((False, linear_hsic), (True, unbiased_hsic_of)):
        feature, gram = form(x, y), gram_hsic(x @ x.T, y @ y.T, unbiased=unbiased)
        for part in ("xy", "xx", "yy"):
            assert getattr(feature, part) == pytest.approx(getattr(gram, part), rel=1e-9, abs=1e-12 * feature.xx)
        assert feature.cka == pytest.approx(gram.cka, abs=1e-10)


def test_float32_input_is_accumulated_in_float64():
    draw = np.random.default_rng(0)
    x = (draw.normal(size=(5000, 8)) + 100.0).astype(np.float32)
    y = (x[:, :5] + draw.normal(size=(5000, 5))).astype(np.float32)
    assert linear_cka(x, y) == pytest.approx(linear_cka(x.astype(np.float64), y.astype(np.float64)), abs=1e-13)
    assert unbiased_cka(x, y) == pytest.approx(unbiased_cka(x.astype(np.float64), y.astype(np.float64)), abs=1e-13)


def test_chance_is_the_mean_over_all_pairings_exactly():
    draw = np.random.default_rng(3)
    x, y = draw.normal(size=(6, 4)) + 1.0, draw.normal(size=(6, 2))
    orders = [np.array(rho) for rho in permutations(range(6))]
    assert np.mean([linear_cka(x, y[rho]) for rho in orders]) == pytest.approx(linear_chance(x, y), abs=1e-12)
    assert np.mean([unbiased_hsic_of(x, y[rho]).xy for rho in orders]) == pytest.approx(0.0, abs=1e-12)


def test_chance_is_high_where_width_is_not_small():
    draw = np.random.default_rng(0)
    found = [np.mean([linear_chance(draw.normal(size=(64, d)), draw.normal(size=(64, d))) for _ in range(20)]) for d in (16, 64, 256, 1024)]
    # For Gaussian features tr^2 / |K|^2 is about m d / (m + d), m = n - 1.
    np.testing.assert_allclose(found, [d / (63 + d) for d in (16, 64, 256, 1024)], atol=0.005)
    # Published at 64 items; the generator is not.
    np.testing.assert_allclose(found, [0.209, 0.511, 0.805, 0.943], atol=0.015)


@pytest.mark.parametrize("scale", [1e-25, 1e-3, 1e12])
@pytest.mark.parametrize("metric", [linear_cka, unbiased_cka])
def test_no_constant_spoils_small_scales(metric, scale):
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(30, 4)), draw.normal(size=(30, 3))
    assert metric(scale * x, y) == pytest.approx(metric(x, y), rel=1e-12)


@pytest.mark.parametrize("metric", [linear_cka, unbiased_cka])
def test_constant_features_are_refused(metric):
    x = np.random.default_rng(0).normal(size=(9, 3))
    with pytest.raises(ConstantFeatures, match="in y"):
        metric(x, np.full((9, 2), 0.1))
    with pytest.raises(ShapeMismatch, match="9 rows and y 8"):
        metric(x, x[:8])


def test_items_equally_far_from_each_other_have_no_unbiased_cka():
    x = np.random.default_rng(0).normal(size=(9, 3))
    with pytest.raises(ConstantFeatures, match="equally far"):
        unbiased_cka(np.eye(9) * 0.3, x)
    assert 0 < linear_cka(np.eye(9) * 0.3, x) < 1


def test_too_few_items_are_refused():
    x = np.random.default_rng(0).normal(size=(4, 3))
    assert -1 <= unbiased_cka(x, x[::-1]) <= 1
    with pytest.raises(TooFewItems, match="4 items or more, there are 3"):
        unbiased_cka(x[:3], x[:3])
    with pytest.raises(TooFewItems):
        linear_cka(x[:1], x[:1])
    assert moments(x, x).n == 4
