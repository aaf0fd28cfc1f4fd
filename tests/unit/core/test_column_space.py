import numpy as np
import pytest

from consilience_server.core.column_space import ColumnSpace, centred, column_space, components_kept, rounding_noise, standardized

RANDOM = np.random.default_rng(0)


def test_the_basis_is_orthonormal_and_spans_the_centred_columns():
    x = RANDOM.normal(size=(40, 7)) + 1e6
    space = column_space(centred(x), rounding_noise(x, x.dtype))
    assert space.rank == 7
    assert np.allclose(space.basis.T @ space.basis, np.eye(7), atol=1e-12)
    assert np.allclose(space.basis.mean(axis=0), 0, atol=1e-12)
    assert np.allclose(space.basis @ (space.basis.T @ centred(x)), centred(x), atol=1e-8)
    assert np.all(np.diff(space.strengths) <= 0)


def test_rounding_to_float32_makes_no_directions():
    x = (RANDOM.normal(size=(300, 4)) @ RANDOM.normal(size=(4, 50))).astype(np.float32)
    assert np.linalg.matrix_rank(x.astype(np.float64)) == 50  # the rounding, read as data
    assert column_space(centred(x), rounding_noise(x, x.dtype)).rank == 4


def test_components_that_tie_with_the_last_are_taken_too():
    assert components_kept(np.array([3.0, 2.0, 2.0, 2.0, 1.0]), 2) == 4
    assert components_kept(np.array([3.0, 2.0, 2.0 * (1 - 1e-9), 1.0]), 2) == 3
    assert components_kept(np.array([3.0, 2.0, 1.0]), 2) == 2
    assert components_kept(np.array([3.0, 2.0]), 5) == 2
    space = ColumnSpace(RANDOM.normal(size=(5, 3)), np.array([3.0, 1.0, 0.5])).first(1)
    assert space.rank == 1
    assert space.basis.shape == (5, 1)


def test_constant_columns_have_no_standard_form():
    x = np.column_stack([RANDOM.normal(size=20), np.full(20, 7.0), RANDOM.normal(size=20)])
    z = standardized(x)
    assert z.shape == (20, 2)
    assert np.allclose(z.mean(axis=0), 0, atol=1e-14)
    assert z.std(axis=0, ddof=1) == pytest.approx(1.0)
