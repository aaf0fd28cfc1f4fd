import numpy as np
import pytest
from scipy.spatial.distance import cdist

from consilience_server.core.intrinsic_dimension import first_two, two_nn

RANDOM = np.random.default_rng(0)


def sorted_distances(x, count=6):
    distances = cdist(x, x)
    np.fill_diagonal(distances, np.inf)
    return np.sort(distances, axis=1)[:, :count]


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_finds_the_dimension_of_a_cube_bent_into_more_dimensions(dimension):
    z = RANDOM.uniform(size=(1500, dimension))
    x = np.hstack([z, z[:, :1] ** 2, np.sin(z)]) @ RANDOM.normal(size=(2 * dimension + 1, 12))
    found = two_nn(*first_two(sorted_distances(x), 0.0))
    assert found == pytest.approx(dimension, rel=0.1)


def test_ratios_of_the_law_give_its_exponent():
    ratios = RANDOM.uniform(size=20_000) ** (-1 / 7.5)
    assert two_nn(np.ones(20_000), ratios) == pytest.approx(7.5, rel=0.02)


def test_duplicates_are_one_item():
    x = RANDOM.uniform(size=(800, 2))
    twice = np.vstack([x, x, x[:100]])
    assert two_nn(*first_two(sorted_distances(twice, 12), 1e-9)) == pytest.approx(two_nn(*first_two(sorted_distances(x), 0.0)), rel=0.05)


def test_rows_without_two_distances_are_left_out():
    first, second = first_two(np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.5, 0.5, 0.75]]), 0.0)
    assert first.tolist() == [0.5]
    assert second.tolist() == [0.75]


def test_too_few_tell_nothing():
    assert two_nn(np.ones(9), np.full(9, 2.0)) is None
    assert two_nn(np.ones(20), np.ones(20)) is None
