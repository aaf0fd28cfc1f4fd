import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler, normalize

from consilience_server.core.errors import ConstantFeatures, NotFinite, ZeroVector
from consilience_server.core.standard_forms import centre, check_directions, standardize, unit

RANDOM = np.random.default_rng(0)
X = (RANDOM.standard_normal((5000, 7)) * [1, 2, 3, 0.01, 100, 1, 1] + 3).astype(np.float32)


def test_agrees_with_scikit_learn():
    wide = X.astype(np.float64)
    np.testing.assert_allclose(centre(X), StandardScaler(with_std=False).fit_transform(wide), rtol=1e-6, atol=1e-6)
    columns, constant = standardize(X)
    np.testing.assert_allclose(columns, StandardScaler().fit_transform(wide), rtol=1e-6, atol=1e-6)
    assert constant == 0
    np.testing.assert_allclose(unit(X), normalize(wide), rtol=1e-6)
    assert centre(X).dtype == columns.dtype == unit(X).dtype == np.float32


def test_no_order_of_rows_shows():
    rho = RANDOM.permutation(len(X))
    assert np.array_equal(centre(X[rho]), centre(X)[rho])
    assert np.array_equal(standardize(X[rho])[0], standardize(X)[0][rho])
    assert np.array_equal(unit(X[rho]), unit(X)[rho])


def test_constant_columns_are_left_out_and_counted():
    with_constants = np.column_stack([np.full(50, 5.0), X[:50, 0], np.zeros(50)]).astype(np.float32)
    columns, constant = standardize(with_constants)
    assert constant == 2
    assert np.array_equal(columns, standardize(X[:50, :1])[0])
    with pytest.raises(ConstantFeatures, match="all 3 columns are constant over 50 items"):
        standardize(np.ones((50, 3), np.float32))


def test_what_has_no_direction_is_named():
    zero = X[:20].copy()
    zero[[3, 7]] = 0
    with pytest.raises(ZeroVector, match="2 of 20 rows have length 0 and no direction: rows 3, 7") as refused:
        unit(zero)
    assert refused.value.field == "spec.preprocess"
    check_directions(X, "")


def test_what_leaves_float32_is_refused():
    with pytest.raises(NotFinite, match="beyond float32"):
        centre(np.array([[3e38], [-3e38], [-3e38]], np.float32))
    tiny = unit(np.array([[3e-38, 4e-38]], np.float32))
    np.testing.assert_allclose(tiny, [[0.6, 0.8]], rtol=1e-6)
