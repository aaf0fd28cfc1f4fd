import numpy as np
import pytest

from consilience_server.core.relational_loss import cosine_relational_loss


def test_the_definition_written_out():
    rng = np.random.default_rng(0)
    x, y = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in rng.standard_normal((2, 6, 4)))
    own = np.mean([1 - x[i] @ y[i] for i in range(6)])
    among = np.mean([(x[i] @ x[j] - y[i] @ y[j]) ** 2 for i in range(6) for j in range(6)])
    assert cosine_relational_loss(3 * x, y / 2, 0.7) == pytest.approx(own + 0.7 * among, rel=1e-12)


def test_a_rotation_changes_no_relation():
    rng = np.random.default_rng(0)
    x, turn = rng.standard_normal((20, 5)), np.linalg.qr(rng.standard_normal((5, 5)))[0]
    assert cosine_relational_loss(x, x, 1.0) == pytest.approx(0, abs=1e-12)
    assert cosine_relational_loss(x @ turn, x, 5.0) == pytest.approx(cosine_relational_loss(x @ turn, x, 0.0), abs=1e-12)
