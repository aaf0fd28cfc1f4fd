import math

import numpy as np
import pytest

from consilience_server.core.infonce import infonce_loss, infonce_terms


def gaussian_pairs(n, dimensions, correlation, rng):
    x = rng.standard_normal((n, dimensions))
    return x, correlation * x + math.sqrt(1 - correlation**2) * rng.standard_normal((n, dimensions))


def test_the_definition_written_out():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((5, 3)), rng.standard_normal((5, 3))
    total = 0.0
    for i in range(5):
        of = [[x[a] @ y[b] / np.linalg.norm(x[a]) / np.linalg.norm(y[b]) / 0.2 for b in range(5)] for a in range(5)]
        total -= of[i][i] - math.log(sum(math.exp(of[i][j]) for j in range(5)))
        total -= of[i][i] - math.log(sum(math.exp(of[j][i]) for j in range(5)))
    assert infonce_loss(x, y, 0.2) == pytest.approx(total / 10, rel=1e-12)
    assert infonce_terms(x, y, 0.2).mean() == pytest.approx(math.log(5) - total / 10, rel=1e-12)


def test_one_pair_shows_nothing_and_partners_that_are_told_apart_show_log_n():
    assert infonce_terms(np.ones((1, 2)), np.ones((1, 2)), 0.1).tolist() == [0.0]
    assert infonce_terms(np.eye(8), np.eye(8), 0.01) == pytest.approx(np.full(8, math.log(8)))
    assert infonce_loss(np.ones((8, 2)), np.ones((8, 2)), 0.01) == pytest.approx(math.log(8))


@pytest.mark.parametrize("temperature", [0.05, 0.2, 1.0])
@pytest.mark.parametrize("correlation", [0.0, 0.4, 0.8, 0.95])
def test_the_bound_stays_below_the_information_of_gaussian_vectors(correlation, temperature):
    """I(X; Y) = -d/2 log(1 - rho^2); the mean over many batches lies below, and a good temperature gets near."""
    rng = np.random.default_rng(7)
    truth = -4 / 2 * math.log(1 - correlation**2)
    found = np.array([infonce_terms(*gaussian_pairs(200, 4, correlation, rng), temperature).mean() for _ in range(40)])
    assert found.mean() <= truth + 3 * found.std(ddof=1) / math.sqrt(40)
    assert found.max() <= math.log(200)
    if correlation == 0.95 and temperature == 0.05:
        assert found.mean() > 0.5 * truth
