import math

import numpy as np
import pytest

from consilience_server.core.buckets import bucket_of, default_count, mean_of_pairs, mean_with_reference


def test_buckets_hold_about_equally_many_and_keep_equal_numbers_together():
    numbers = np.array([5.0, 1, 3, 3, 3, 9])
    assert [members.tolist() for members in bucket_of(numbers, (), 3)] == [[1], [2, 3, 4], [0, 5]]
    assert [members.tolist() for members in bucket_of(np.arange(6.0), (), 2)] == [[0, 1, 2], [3, 4, 5]]
    assert sum(len(members) for members in bucket_of(np.full(4, 2.0), (), 3)) == 4


def test_edges_part_the_numbers_and_empty_buckets_are_left_out():
    numbers = np.array([0.0, 20, 40, 100])
    assert [members.tolist() for members in bucket_of(numbers, (20, 50, 60), 9)] == [[0], [1, 2], [3]]


@pytest.mark.parametrize(("m", "count"), [(3, 1), (8, 2), (14, 4), (78, 5)])
def test_a_bucket_has_three_spaces_or_more(m, count):
    assert default_count(m) == count


def test_with_a_reference_the_error_is_that_of_a_mean():
    scores = np.array([0.1, 0.4, 0.7, 9.0])
    assert mean_with_reference(scores, np.array([0, 1, 2])) == pytest.approx((0.4, 0.3 / math.sqrt(3), 3))
    assert math.isnan(mean_with_reference(scores, np.array([1]))[1])


def pair_scores(m, seed=0):
    square = np.random.default_rng(seed).random((m, m))
    square = square + square.T
    np.fill_diagonal(square, np.nan)
    return square


def test_within_a_bucket_each_pair_counts_once_and_each_space_is_left_out_in_turn():
    scores, members = pair_scores(6), np.array([0, 2, 3, 5])
    mean, error, count = mean_of_pairs(scores, members, members)

    def mean_over(chosen):
        return np.mean([scores[i, j] for i in chosen for j in chosen if i < j])

    without = np.array([mean_over([i for i in members if i != left]) for left in members])
    assert mean == pytest.approx(mean_over(members))
    assert error == pytest.approx(math.sqrt(3 / 4 * ((without - without.mean()) ** 2).sum()))
    assert count == 6


def test_across_buckets_spaces_of_both_are_left_out():
    scores, rows, columns = pair_scores(7), np.array([0, 1, 2]), np.array([4, 6])
    mean, error, count = mean_of_pairs(scores, rows, columns)
    block = scores[np.ix_(rows, columns)]
    variance = sum(
        (m - 1) / m * ((without - without.mean()) ** 2).sum()
        for m, without in (
            (3, np.array([np.delete(block, i, 0).mean() for i in range(3)])),
            (2, np.array([np.delete(block, j, 1).mean() for j in range(2)])),
        )
    )
    assert (mean, count) == (pytest.approx(block.mean()), 6)
    assert error == pytest.approx(math.sqrt(variance))


def test_too_few_spaces_have_no_error_and_one_alone_no_pair():
    scores = pair_scores(4)
    two = mean_of_pairs(scores, np.array([0, 1]), np.array([0, 1]))
    assert two[0] == pytest.approx(scores[0, 1])
    assert math.isnan(two[1])
    assert math.isnan(mean_of_pairs(scores, np.array([0]), np.array([0]))[0])
    assert math.isnan(mean_of_pairs(scores, np.array([0]), np.array([1, 2]))[1])
