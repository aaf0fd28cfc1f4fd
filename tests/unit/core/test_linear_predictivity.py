import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import PredefinedSplit, cross_val_predict

from consilience_server.core.errors import ConstantFeatures, ShapeMismatch, TooFewItems
from consilience_server.core.folds import item_folds
from consilience_server.core.linear_predictivity import linear_predictivity, target_scores

RANDOM = np.random.default_rng(0)


def related(n=90, dx=6, dy=4, noise=1.0):
    z = RANDOM.normal(size=(n, 3))
    return z @ RANDOM.normal(size=(3, dx)) + 5.0, z @ RANDOM.normal(size=(3, dy)) + noise * RANDOM.normal(size=(n, dy)) - 2.0


class RidgeOfMeanEigenvalue(Ridge):
    """scikit-learn's ridge with our unit of the penalty."""

    def fit(self, x, y):
        self.alpha = self.penalty * ((x - x.mean(axis=0)) ** 2).sum() / x.shape[1]
        return super().fit(x, y)

    def set_penalty(self, penalty):
        self.penalty = penalty
        return self


@pytest.mark.parametrize("penalty", [0.01, 1.0, 30.0])
def test_agrees_with_scikit_learn_at_a_fixed_penalty(penalty):
    x, y = related()
    x = x + RANDOM.normal(size=x.shape)
    folds = item_folds(len(x), 5)
    predicted = np.empty_like(y)
    for fold in range(5):
        model = RidgeOfMeanEigenvalue().set_penalty(penalty).fit(x[folds != fold], y[folds != fold])
        predicted[folds == fold] = model.predict(x[folds == fold])
    expected = r2_score(y, predicted, multioutput="raw_values")
    assert target_scores(x, y, folds, [penalty]) == pytest.approx(expected, abs=1e-10)
    correlations = [np.corrcoef(y[:, at], predicted[:, at])[0, 1] for at in range(4)]
    assert target_scores(x, y, folds, [penalty], "pearson") == pytest.approx(correlations, abs=1e-10)
    assert linear_predictivity(x, y, folds, [penalty], "pearson", "median") == pytest.approx(np.median(correlations), abs=1e-10)


def test_without_a_penalty_it_is_least_squares():
    x, y = related()
    x = x + RANDOM.normal(size=x.shape)
    folds = item_folds(len(x), 4)
    predicted = cross_val_predict(LinearRegression(), x, y, cv=PredefinedSplit(folds))
    assert target_scores(x, y, folds, [0.0]) == pytest.approx(r2_score(y, predicted, multioutput="raw_values"), abs=1e-10)


def test_gcv_is_the_error_of_the_hat_matrix():
    """The choice on one training set by the n x n hat matrix, which the definition has no need of."""
    x, y = related(n=40, dx=60)
    x = x + RANDOM.normal(size=x.shape)
    folds, penalties = item_folds(40, 2), [0.001, 0.1, 1.0, 10.0]
    predicted = np.empty_like(y)
    for fold in (0, 1):
        inside, outside = folds != fold, folds == fold
        a, b = x[inside] - x[inside].mean(axis=0), y[inside] - y[inside].mean(axis=0)
        unit = np.trace(a.T @ a) / 60
        hats = [a @ np.linalg.solve(a.T @ a + penalty * unit * np.eye(60), a.T) for penalty in penalties]
        errors = [((b - hat @ b) ** 2).sum(axis=0) / (1 - (1 + np.trace(hat)) / len(a)) ** 2 for hat in hats]
        for target, best in enumerate(np.argmin(errors, axis=0)):
            weights = np.linalg.solve(a.T @ a + penalties[best] * unit * np.eye(60), a.T @ b[:, target])
            predicted[outside, target] = (x[outside] - x[inside].mean(axis=0)) @ weights + y[inside, target].mean()
    assert target_scores(x, y, folds, penalties) == pytest.approx(r2_score(y, predicted, multioutput="raw_values"), abs=1e-8)


def test_what_is_linear_is_predicted_and_what_is_not_is_not():
    x, y = related(noise=0.0)
    assert linear_predictivity(x, y, item_folds(90, 5)) > 0.999
    assert linear_predictivity(x, RANDOM.normal(size=(90, 3)), item_folds(90, 5)) < 0.1


def test_constant_targets_count_nowhere():
    x, y = related()
    with_constant = np.column_stack([y, np.full(90, 3.0)])
    folds = item_folds(90, 5)
    assert np.isnan(target_scores(x, with_constant, folds)[4])
    assert linear_predictivity(x, with_constant, folds) == pytest.approx(linear_predictivity(x, y, folds), abs=1e-12)


def test_refuses_bad_input():
    x, y = related()
    folds = item_folds(90, 5)
    with pytest.raises(ShapeMismatch):
        linear_predictivity(x, y[1:], folds)
    with pytest.raises(TooFewItems):
        linear_predictivity(x[:3], y[:3], folds[:3])
    with pytest.raises(ConstantFeatures, match="in x, so linear predictivity"):
        linear_predictivity(np.ones_like(x), y, folds)
