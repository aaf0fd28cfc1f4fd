import numpy as np
import pytest
from scipy.stats import entropy

from consilience_server.core.effective_rank import effective_rank, participation_ratio


def test_equal_strengths_count_in_full():
    assert effective_rank(np.full(7, 0.3)) == pytest.approx(7, abs=1e-12)
    assert participation_ratio(np.full(7, 0.3)) == pytest.approx(7, abs=1e-12)
    assert effective_rank(np.array([2.0])) == participation_ratio(np.array([2.0])) == 1.0


def test_agrees_with_scipy_and_the_formula():
    strengths = np.sort(np.random.default_rng(0).exponential(size=20))[::-1]
    assert effective_rank(strengths) == pytest.approx(np.exp(entropy(strengths)), abs=1e-10)
    variances = strengths**2
    assert participation_ratio(strengths) == pytest.approx(variances.sum() ** 2 / (variances**2).sum(), abs=1e-10)
    assert 1 < participation_ratio(strengths) < effective_rank(strengths) < 20


def test_what_is_not_there_does_not_count():
    assert effective_rank(np.array([3.0, 3.0, 0.0])) == pytest.approx(2)
