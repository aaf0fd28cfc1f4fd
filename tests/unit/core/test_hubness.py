import numpy as np
import pytest
from scipy.stats import skew
from support.brute_table import table

from consilience_server.core.hubness import antihub_fraction, hubness, k_occurrences

RANDOM = np.random.default_rng(0)


def test_occurrences_are_counted_over_all_lists():
    found = table(RANDOM.normal(size=(60, 20)), 7)
    expected = np.bincount(found.indices[:, :7].ravel(), minlength=60)
    assert np.array_equal(k_occurrences(found.sets(7)), expected)


def test_ties_count_by_their_weight():
    occurrences = k_occurrences(table(np.eye(4)[RANDOM.integers(0, 4, 60)], 5).sets(5))
    assert occurrences.sum() == pytest.approx(5 * 60)
    assert occurrences == pytest.approx(5.0)  # within a class all are alike


@pytest.mark.parametrize("width", [3, 50])
def test_agrees_with_scipy(width):
    occurrences = k_occurrences(table(RANDOM.normal(size=(200, width)), 5).sets(5))
    assert hubness(occurrences) == pytest.approx(skew(occurrences), abs=1e-12)
    assert antihub_fraction(occurrences) == (occurrences == 0).mean()


def test_grows_with_the_dimension():
    low, high = (hubness(k_occurrences(table(RANDOM.normal(size=(400, width)) + 1, 10).sets(10))) for width in (3, 100))
    assert high > low + 1


def test_equal_occurrences_have_no_skew():
    assert hubness(np.full(9, 4.0)) == 0.0
    assert hubness(np.full(9, 0.1 + 0.2)) == 0.0
