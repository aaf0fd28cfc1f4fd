import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled
from consilience_server.engine import permuted_products as module
from consilience_server.engine.permuted_products import permuted_products

DRAW = np.random.default_rng(0)
N = 37
MATRICES = [part + part.T for part in DRAW.normal(size=(14, N, N))]


@pytest.mark.parametrize("entries", [1 << 16, 100])
@pytest.mark.parametrize(("left", "right"), [(1, 1), (2, 3), (3, 9), (1, 12)])
def test_equals_the_sum_over_all_entries(monkeypatch, left, right, entries):
    monkeypatch.setattr(module, "_ENTRIES", entries)
    pairs = [(i, left + j) for i in range(left) for j in range(right)][::-1]
    products = permuted_products(lambda number: MATRICES[number], N, pairs, Control())
    for rho in (np.arange(N), DRAW.permutation(N)):
        found = products(rho)
        assert set(found) == set(pairs)
        for i, j in pairs:
            assert found[i, j] == pytest.approx(float((MATRICES[i] * MATRICES[j][np.ix_(rho, rho)]).sum()), abs=1e-9)


def test_a_cancelled_caller_is_heard():
    control = Control()
    products = permuted_products(lambda number: MATRICES[number], N, [(0, 1)], control)
    control.cancel()
    with pytest.raises(Cancelled):
        products(np.arange(N))
