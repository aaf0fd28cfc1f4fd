import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from consilience_server.core.linear_probe import PENALTY, fit_probe


@pytest.mark.parametrize("classes", [2, 4])
def test_it_is_scikit_learns_logistic_regression(classes):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 6))
    labels = np.argmax(x @ rng.standard_normal((6, classes)) + rng.standard_normal((300, classes)), axis=1)
    probe = fit_probe(x, labels, classes)
    rows = (x - x.mean(axis=0)) / x.std(axis=0)
    # Theirs sums losses and divides the penalty by C; two classes have one set of weights, half of whose square ours splits on two.
    penalty = PENALTY * 300 / (1 if classes > 2 else 2)
    theirs = LogisticRegression(C=1 / penalty, tol=1e-8, max_iter=5000).fit(rows, labels)
    centred = probe.weights - probe.weights.mean(axis=1, keepdims=True)
    wanted = theirs.coef_ - theirs.coef_.mean(axis=0) if classes > 2 else np.vstack([-theirs.coef_, theirs.coef_]) / 2
    assert np.allclose(centred.T, wanted, atol=5e-3)
    assert (probe.predict(x) == theirs.predict(rows)).mean() > 0.99


def test_columns_that_do_not_vary_are_no_harm():
    x = np.column_stack([np.linspace(-1, 1, 40), np.full(40, 7.0)])
    probe = fit_probe(x, (x[:, 0] > 0).astype(np.int64), 2)
    assert (probe.predict(x) == (x[:, 0] > 0)).all()


def test_the_mean_gets_the_commonest_class():
    rng = np.random.default_rng(1)
    probe = fit_probe(rng.standard_normal((90, 3)), np.array([0] * 60 + [1] * 30), 2)
    assert probe.predict(probe.mean[None])[0] == 0
