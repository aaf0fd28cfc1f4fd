from fractions import Fraction

import numpy as np
import pytest

from consilience_server.core.column_means import column_means

RANDOM = np.random.default_rng(0)


def test_agrees_with_exact_arithmetic():
    x = RANDOM.standard_cauchy(size=(9001, 3)).astype(np.float32) * np.float32([1e-20, 1.0, 1e20])
    exact = [float(sum(Fraction(float(value)) for value in column) / len(x)) for column in x.T]
    assert (np.abs(column_means(x) - exact) < 1e-12 * np.abs(x).max(axis=0)).all()


def test_no_order_of_rows_shows():
    x = (RANDOM.standard_normal((10_000, 4)) * 10.0 ** RANDOM.integers(-6, 6, (10_000, 1))).astype(np.float32)
    means = column_means(x)
    assert len({tuple(x[RANDOM.permutation(len(x))].mean(axis=0, dtype=np.float64)) for _ in range(5)}) > 1  # what a plain mean does
    for _ in range(5):
        assert np.array_equal(column_means(x[RANDOM.permutation(len(x))]), means)


def test_of_a_function_of_the_elements():
    x = RANDOM.standard_normal((500, 2)).astype(np.float32)
    assert column_means(x, lambda rows: rows**2) == pytest.approx((x.astype(float) ** 2).mean(axis=0), rel=1e-13)
    assert np.array_equal(column_means(np.zeros((3, 2), np.float32)), [0, 0])
