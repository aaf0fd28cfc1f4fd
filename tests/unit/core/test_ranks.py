"""Ranks with ties that rounding cannot break."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from consilience_server.core.ranks import average_ranks, dense_codes


@given(values=st.lists(st.integers(-5, 5), min_size=1, max_size=40), seed=st.integers(0, 2**32))
def test_ranks_are_scipys_and_rounding_does_not_break_ties(values, seed):
    exact = np.array(values, dtype=np.float64) / 3 + 2.0
    noisy = exact + 1e-15 * np.random.default_rng(seed).normal(size=len(values))
    assert np.array_equal(dense_codes(noisy), rankdata(exact, "dense") - 1)
    assert np.array_equal(average_ranks(dense_codes(noisy)), rankdata(exact) - 1)


def test_ranks_of_some_are_counted_anew():
    codes = np.array([7, 2, 2, 9, 0], dtype=np.int32)
    assert average_ranks(codes[:4]).tolist() == [2.0, 0.5, 0.5, 3.0]


def test_values_that_float32_tells_apart_are_not_tied():
    values = np.float32(0.7) + np.arange(50) * np.spacing(np.float32(0.7)).astype(np.float64)
    assert dense_codes(values.astype(np.float64)).tolist() == list(range(50))
    # One value a million times as large as the others does not tie them.
    assert len(set(dense_codes(np.append(np.linspace(1.0, 2.0, 1000), 1e6)).tolist())) == 1001
