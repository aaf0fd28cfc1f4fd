"""Residuals beyond a third space: an orthonormal view of what is orthogonal to it, of named items; and what cannot be is refused."""

import numpy as np
import pytest
import scipy.linalg

from consilience_server.core.errors import ConstantFeatures, ShapeMismatch, TooFewItems
from consilience_server.core.partial import beyond


def by_definition(n, z, kept):
    """(m, n) the map: P E_S (E_S' P E_S)^(-1/2), transposed, with P the projection away from the constant and z."""
    basis = scipy.linalg.orth(np.hstack([np.ones((n, 1)), z]))
    away = np.eye(n) - basis @ basis.T
    return np.linalg.inv(scipy.linalg.sqrtm(away[np.ix_(kept, kept)]).real) @ away[kept]


@pytest.mark.parametrize("width", [1, 5, 20])
def test_the_residuals_are_theil_s(width):
    n, draw = 30, np.random.default_rng(width)
    z, x, y = draw.normal(size=(n, width)), draw.normal(size=(n, 4)) + 100, draw.normal(size=(n, 40))
    found = beyond([x, y], z)
    assert (found.rank, len(found.kept)) == (width, n - 1 - width)
    view = by_definition(n, z, found.kept)
    np.testing.assert_allclose(view @ view.T, np.eye(len(found.kept)), atol=1e-8)
    np.testing.assert_allclose(view @ np.hstack([np.ones((n, 1)), z]), 0.0, atol=1e-7)
    for space, residuals in zip((x, y), found.residuals, strict=True):
        np.testing.assert_allclose(residuals, view @ space, atol=1e-7)
    ordinary = y - np.hstack([np.ones((n, 1)), z]) @ np.linalg.lstsq(np.hstack([np.ones((n, 1)), z]), y, rcond=None)[0]
    np.testing.assert_allclose(found.residuals[1].T @ found.residuals[1], ordinary.T @ ordinary, atol=1e-8)
    assert found.explained[1] == pytest.approx(1 - (ordinary**2).sum() / ((y - y.mean(axis=0)) ** 2).sum())


def test_what_spans_the_same_explains_the_same():
    n, draw = 40, np.random.default_rng(0)
    z, x = draw.normal(size=(n, 3)), draw.normal(size=(n, 5))
    one, other = beyond([x], z), beyond([x], np.hstack([z @ draw.normal(size=(3, 7)) + 5, np.ones((n, 2))]))
    assert other.rank == 3
    np.testing.assert_allclose(one.residuals[0], other.residuals[0], atol=1e-8)


def test_one_hot_classes_leave_each_class_its_own_variation():
    labels = np.arange(24) % 4
    z, draw = np.eye(4)[labels], np.random.default_rng(1)
    found = beyond([z @ draw.normal(size=(4, 6)) + draw.normal(size=(24, 6))], z)
    assert found.rank == 3
    assert sorted(labels[np.setdiff1d(np.arange(24), found.kept)]) == [0, 1, 2, 3]


def test_what_cannot_be_is_refused():
    draw = np.random.default_rng(2)
    x, z = draw.normal(size=(20, 3)), draw.normal(size=(20, 4))
    with pytest.raises(ShapeMismatch):
        beyond([x], z[:19])
    with pytest.raises(ConstantFeatures, match="explains nothing"):
        beyond([x], np.ones((20, 4)))
    with pytest.raises(ConstantFeatures, match="explains all of y"):
        beyond([x, z @ draw.normal(size=(4, 2))], z)
    with pytest.raises(TooFewItems, match="spans 16 dimensions, which leaves 3 degrees of freedom of 20 items"):
        beyond([x], draw.normal(size=(20, 16)))
    with pytest.raises(TooFewItems, match="leaves 0 degrees"):
        beyond([x], draw.normal(size=(20, 300)))
