"""The score against a literal loop in the documented order (to the bit) and against a correctly rounded sum (to the error bound)."""

import math

import numpy as np
import pytest

from consilience_server.core.exact_score import exact_dots, exact_norms, exact_pair_scores, exact_scores
from consilience_server.core.similarity import Similarity

WIDTHS = [1, 2, 3, 31, 32, 33, 63, 64, 65, 100, 128, 200, 769]


def lane_sum(terms):
    """64 lanes, each from +0.0 in steps of 64, then halved: plain Python floats only."""
    lanes = [0.0] * 64
    for position, term in enumerate(terms):
        lanes[position % 64] += term
    half = 32
    while half >= 1:
        lanes = [lanes[lane] + lanes[lane + half] for lane in range(half)]
        half //= 2
    return lanes[0]


def literal_score(q, x, similarity):
    q, x = [float(value) for value in q], [float(value) for value in x]
    dot = lane_sum([a * b for a, b in zip(q, x, strict=True)])
    if similarity is Similarity.INNER_PRODUCT:
        return dot
    if similarity is Similarity.SQUARED_L2:
        return 0.0 - lane_sum([(a - b) * (a - b) for a, b in zip(q, x, strict=True)])
    return dot / (math.sqrt(lane_sum([a * a for a in q])) * math.sqrt(lane_sum([b * b for b in x])))


def wild(rows, width, seed):
    """Values over many orders of magnitude and both signs, so that any other order of summation shows."""
    random = np.random.default_rng(seed)
    return (random.standard_normal((rows, width)) * 10.0 ** random.integers(-12, 12, (rows, width))).astype(np.float32)


@pytest.mark.parametrize("similarity", list(Similarity))
@pytest.mark.parametrize("width", WIDTHS)
def test_every_bit_is_that_of_the_literal_loop(similarity, width):
    q, x = wild(3, width, 1), wild(4, width, 2)
    expected = [[literal_score(a, b, similarity) for b in x] for a in q]
    assert exact_scores(q, x, similarity).tolist() == expected


@pytest.mark.parametrize("width", WIDTHS)
def test_within_the_rounding_bound_of_the_true_sum(width):
    a, b = wild(5, width, 3), wild(5, width, 4)
    for dot, p, q in zip(exact_dots(a, b), a.astype(np.float64), b.astype(np.float64), strict=True):
        additions = math.ceil(width / 64) + 6
        assert abs(dot - math.fsum(p * q)) <= additions * 2.0**-53 * math.fsum(np.abs(p * q)) * 1.001


def test_the_order_matters_for_these_inputs():
    # Else the bit-for-bit tests would pass for any order.
    q, x = wild(50, 769, 5), wild(50, 769, 6)
    plain = (q.astype(np.float64) * x.astype(np.float64)).cumsum(axis=1)[:, -1]
    assert (exact_dots(q, x) != plain).any()


@pytest.mark.parametrize("similarity", list(Similarity))
def test_pairs_are_bit_for_bit_the_full_scores(similarity):
    random = np.random.default_rng(7)
    q, x = wild(40, 100, 8), wild(60, 100, 9)
    query_rows, gallery_rows = random.integers(0, 40, 1500), random.integers(0, 60, 1500)
    pairs = exact_pair_scores(q, x, similarity, query_rows, gallery_rows, query_norms=exact_norms(q), gallery_norms=exact_norms(x))
    assert np.array_equal(pairs, exact_scores(q, x, similarity)[query_rows, gallery_rows])
    assert np.array_equal(pairs, exact_pair_scores(q, x, similarity, query_rows, gallery_rows))


@pytest.mark.parametrize("similarity", list(Similarity))
def test_scores_are_symmetric_to_the_bit(similarity):
    x = wild(30, 130, 10)
    scores = exact_scores(x, x, similarity)
    assert np.array_equal(scores, scores.T)


def test_larger_is_nearer_and_a_copy_is_at_positive_zero():
    x = np.array([[1.0, 2.0], [1.0, 2.0], [3.0, 2.0]], dtype=np.float32)
    scores = exact_scores(x, x, Similarity.SQUARED_L2)
    assert scores.tolist() == [[0.0, 0.0, -4.0], [0.0, 0.0, -4.0], [-4.0, -4.0, 0.0]]
    assert not np.signbit(scores[0, 1])


def test_negative_zeros_do_not_show():
    x = np.array([[-0.0, 0.0, -0.0]], dtype=np.float32)
    y = np.array([[1.0, -1.0, 1.0]], dtype=np.float32)
    assert not np.signbit(exact_dots(x, y)).any()


def test_the_largest_and_the_smallest_float32_stay_exact():
    big, small = np.float32(3.4028235e38), np.float32(1e-45)
    x = np.array([[big, small], [small, big]], dtype=np.float32)
    assert exact_dots(x, x)[0] == float(big) * float(big)
    assert exact_dots(x[:1], x[1:])[0] == 2 * float(big) * float(small)
    assert exact_norms(np.array([[small]], dtype=np.float32))[0] == float(small)
