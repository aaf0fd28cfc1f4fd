"""CKA of random pairings against recomputation, in both forms."""

import numpy as np
import pytest

from consilience_server.core.cka import moments
from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled
from consilience_server.core.permutation import Pairings, permutation
from consilience_server.engine import cka_null
from consilience_server.engine.cka_features import centred_features
from consilience_server.engine.cka_null import permuted_moments


@pytest.fixture(params=["features", "gram"])
def form(request, monkeypatch):
    monkeypatch.setattr(cka_null, "_GATHER_RATE", 1e30 if request.param == "gram" else 1e-30)
    return request.param


def test_the_trick_equals_recomputation(form):
    draw = np.random.default_rng(0)
    n, permutations = 150, 7  # more rows than one block of the Gram form
    arrays = [draw.normal(size=(n, d)) + 1.0 for d in (6, 200, 9)]
    found = permuted_moments([centred_features(x, np.arange(n)) for x in arrays], permutations, Pairings(n, 4), 2, Control())
    for (i, j), (norms, paired) in found.items():
        for b in range(permutations):
            expected = moments(arrays[i], arrays[j][permutation(4, b, n)])
            assert norms[b] == pytest.approx(expected.xy, rel=1e-10)
            assert paired[b] == pytest.approx(expected.ab, rel=1e-10)


def test_cancellation_is_heard(form):
    control = Control()
    control.cancel()
    spaces = [centred_features(np.random.default_rng(0).normal(size=(20, 3)), np.arange(20))] * 2
    with pytest.raises(Cancelled):
        permuted_moments(spaces, 50, Pairings(len(spaces[0].values), 0), 2, control)
