"""The paper's preparation, element by element."""

import math

import numpy as np
import pytest

from consilience_server.core import preprocess
from consilience_server.core.errors import ZeroVector
from consilience_server.core.preprocess import platonic_rep


@pytest.mark.parametrize("q", [0.5, 0.95, 0.999])
def test_clip_and_normalisation_by_the_definition(q):
    x = np.random.default_rng(0).standard_t(3, size=(37, 11)).astype(np.float32)
    before = x.copy()
    found, clip = platonic_rep(x, q)
    quantiles = []
    for row in x:
        elements = sorted(abs(float(value)) for value in row)
        place = q * 10
        below = math.floor(place)
        quantiles.append(elements[below] + (place - below) * (elements[min(below + 1, 10)] - elements[below]))
    assert clip == np.float32(sum(quantiles) / 37)
    clipped = np.clip(x.astype(np.float64), -clip, clip)
    np.testing.assert_allclose(found, clipped / np.linalg.norm(clipped, axis=1, keepdims=True), rtol=2e-7)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(x, before)


def test_q_one_clips_nothing():
    x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    found, clip = platonic_rep(x, 1.0)
    assert clip == math.inf
    np.testing.assert_allclose(found, x / np.linalg.norm(x, axis=1, keepdims=True), rtol=2e-7)


def test_tiny_and_huge_rows_keep_their_direction():
    found, _ = platonic_rep(np.array([[3e-38, 4e-38], [3e38, 3e38]], np.float32), 1.0)
    np.testing.assert_allclose(found, [[0.6, 0.8], [0.5**0.5, 0.5**0.5]], rtol=1e-6)


def test_rows_without_direction_are_named():
    x = np.ones((6, 4), np.float32)
    x[[2, 5]] = 0.0
    with pytest.raises(ZeroVector, match=r"2 of 6 rows are zero after clipping to 0\.666667 .*rows 2, 5"):
        platonic_rep(x)
    sparse = np.zeros((30, 10), np.float32)
    sparse[:, 0] = 1e-30
    with pytest.raises(ZeroVector, match="clipping to 0"):
        platonic_rep(sparse, 0.5)


def test_the_order_of_rows_does_not_show(monkeypatch):
    monkeypatch.setattr(preprocess, "_BLOCK", 7)
    x = np.random.default_rng(0).standard_t(2, size=(200, 9)).astype(np.float32)
    rho = np.random.default_rng(1).permutation(200)
    found, clip = platonic_rep(x)
    moved, same = platonic_rep(x[rho])
    assert clip == same
    np.testing.assert_array_equal(found[rho], moved)
