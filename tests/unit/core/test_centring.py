import math

import numpy as np
import pytest

from consilience_server.core.centring import NO_DIRECTION, centred, unit, unit_mean


@pytest.fixture
def rows():
    return np.random.default_rng(0).standard_normal((50, 130)).astype(np.float32)


def test_unit_rows_have_length_one(rows):
    lengths = [math.fsum(v * v for v in row) for row in unit(rows).tolist()]
    assert np.allclose(lengths, 1.0, rtol=0, atol=1e-14)


def test_centred_is_unit_centre_unit(rows):
    mean = unit_mean(rows)
    wide = rows.astype(np.float64)
    directions = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    offsets = directions - directions.mean(axis=0)
    assert np.allclose(centred(rows, mean), offsets / np.linalg.norm(offsets, axis=1, keepdims=True), rtol=0, atol=1e-14)


def test_a_row_alone_has_the_bits_it_has_in_a_batch(rows):
    mean = unit_mean(rows)
    whole = centred(rows, mean)
    assert all(np.array_equal(centred(rows[i : i + 1], mean)[0], whole[i]) for i in range(len(rows)))


def test_scale_of_a_row_does_not_matter(rows):
    mean = unit_mean(rows)
    # A power of two changes no mantissa.
    assert np.array_equal(centred(rows * np.float32(4), mean), centred(rows, mean))


def test_zero_stays_zero_and_the_mean_itself_has_no_direction():
    assert not unit(np.zeros((1, 5), dtype=np.float32)).any()
    rows = np.array([[3.0, 4.0], [6.0, 8.0], [0.3, 0.4]], dtype=np.float32)
    assert not centred(rows, unit_mean(rows)).any()


def test_what_stands_clear_of_the_mean_keeps_its_direction():
    mean = np.array([1.0, 0.0])
    near = np.array([[1.0, 4 * NO_DIRECTION]])
    assert np.allclose(centred(near, mean), [[0.0, 1.0]], atol=1e-6)
    assert not centred(np.array([[1.0, NO_DIRECTION / 4]]), mean).any()


def test_huge_and_tiny_float32_rows_do_not_overflow():
    rows = np.array([[3e38, -3e38], [1e-38, 2e-38]], dtype=np.float32)
    got = unit(rows)
    assert np.allclose(got[0], [math.sqrt(0.5), -math.sqrt(0.5)])
    assert np.allclose(got[1], np.array([1.0, 2.0]) / math.sqrt(5), rtol=1e-6)
