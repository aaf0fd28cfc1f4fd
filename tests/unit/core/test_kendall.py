"""Kendall's tau against SciPy and against counting every pair."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled
from consilience_server.core.kendall import concordance, falling_pairs

CODES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=70)


@given(pairs=CODES)
def test_counting_every_pair_gives_the_same(pairs):
    x, y = np.array(pairs, dtype=np.int32).T
    signs = np.sign(np.subtract.outer(x, x)) * np.sign(np.subtract.outer(y, y))
    found = concordance(x, y)
    upper = np.triu_indices(len(x), 1)
    assert found.surplus == signs[upper].sum()
    assert found.pairs == len(upper[0])
    assert found.tied_x == np.count_nonzero(np.equal.outer(x, x)[upper])
    assert found.tied_y == np.count_nonzero(np.equal.outer(y, y)[upper])
    assert falling_pairs(y) == np.count_nonzero(np.greater.outer(y, y)[upper])
    if len(set(x.tolist())) > 1 and len(set(y.tolist())) > 1:
        assert found.tau_b == pytest.approx(kendalltau(x, y).statistic, abs=1e-12)
        assert found.tau_a == pytest.approx(signs[upper].mean(), abs=1e-12)
    else:
        assert np.isnan(found.tau_b)


def test_long_sequences_agree_with_scipy():
    draw = np.random.default_rng(0)
    for distinct in (5000, 50):
        x, y = draw.integers(0, distinct, (2, 5000)).astype(np.int32)
        assert concordance(x, y).tau_b == pytest.approx(kendalltau(x, y).statistic, abs=1e-12)


def test_cancellation_is_heard():
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        falling_pairs(np.arange(9, dtype=np.int32), control)
