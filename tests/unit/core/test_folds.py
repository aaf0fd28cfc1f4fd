import numpy as np
import pytest

from consilience_server.core.errors import TooFewItems
from consilience_server.core.folds import grouped_folds, item_folds

RANDOM = np.random.default_rng(0)


def test_folds_are_as_equal_as_can_be():
    assert np.bincount(item_folds(23, 5)).tolist() == [5, 5, 5, 4, 4]


def test_no_group_is_split_and_folds_are_balanced():
    groups = RANDOM.integers(0, 40, 400) * 7 - 3
    folds = grouped_folds(groups, 5)
    assert all(len(set(folds[groups == group])) == 1 for group in set(groups))
    assert np.bincount(folds, minlength=5).min() > 60


def test_names_of_groups_do_not_matter():
    groups = RANDOM.integers(0, 12, 100)
    renamed = RANDOM.permutation(12)[groups]
    assert np.array_equal(grouped_folds(groups, 3), grouped_folds(renamed, 3))


def test_refuses_too_few():
    with pytest.raises(TooFewItems, match="at most 3 folds"):
        item_folds(7, 5)
    with pytest.raises(TooFewItems, match="3 groups cannot be spread over 5 folds; ask at most 3"):
        grouped_folds(np.arange(30) % 3, 5)
