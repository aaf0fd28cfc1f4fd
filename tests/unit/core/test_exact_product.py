from fractions import Fraction

import numpy as np
import pytest

from consilience_server.core.exact_product import cut, exact_product, slice_bits


def factors(seed, m, inner, n, spread=0):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((m, inner)) * np.exp2(rng.integers(-spread, spread + 1, (m, inner)))
    b = rng.standard_normal((inner, n)) * np.exp2(rng.integers(-spread, spread + 1, (inner, n)))
    return a, b


def product(a, b):
    return exact_product(cut(a, inner_axis=1), cut(b, inner_axis=0))


@pytest.mark.parametrize("inner", [1, 2, 3, 64, 65, 768, 1025])
def test_slices_fill_the_mantissa_and_no_more(inner):
    bits = slice_bits(inner)
    assert inner * 2 ** (2 * bits) <= 2**53
    assert inner * 2 ** (2 * (bits + 1)) > 2**51


def test_every_slice_product_is_the_real_sum():
    a, b = factors(0, 3, 200, 4, spread=6)
    left, right = cut(a, inner_axis=1), cut(b, inner_axis=0)
    for x, y in ((left.high, right.high), (left.high, right.low), (left.low, right.high), (left.low, right.low)):
        got = x @ y
        for i in range(3):
            for j in range(4):
                real = sum((Fraction(p) * Fraction(q) for p, q in zip(x[i].tolist(), y[:, j].tolist(), strict=True)), Fraction(0))
                assert Fraction(float(got[i, j])) == real


def test_a_plain_product_depends_on_the_order_and_ours_does_not():
    a, b = factors(1, 40, 777, 50, spread=3)
    expected = product(a, b)
    plain_moves = 0
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(777)
        shuffled = product(np.ascontiguousarray(a[:, order]), np.ascontiguousarray(b[order]))
        assert np.array_equal(shuffled, expected)
        plain_moves += not np.array_equal(a @ b, np.ascontiguousarray(a[:, order]) @ np.ascontiguousarray(b[order]))
    assert plain_moves == 5


def test_a_row_alone_has_the_bits_it_has_in_a_batch():
    a, b = factors(2, 33, 300, 20)
    whole = product(a, b)
    for row in range(33):
        assert np.array_equal(product(a[row : row + 1], b)[0], whole[row])


@pytest.mark.parametrize(("inner", "spread"), [(1, 0), (25, 0), (768, 0), (768, 8)])
def test_the_error_stays_under_the_documented_bound(inner, spread):
    a, b = factors(3, 10, inner, 10, spread)
    real = np.array([[float(sum(Fraction(p) * Fraction(q) for p, q in zip(r, c, strict=True))) for c in b.T.tolist()] for r in a.tolist()])
    bound = inner * 2.0 ** (1 - 2 * slice_bits(inner)) * np.abs(a).max(axis=1)[:, None] * np.abs(b).max(axis=0)
    # The last three additions and the reference itself round too.
    assert (np.abs(product(a, b) - real) <= bound + 4 * np.finfo(float).eps * np.abs(real)).all()


def test_zero_lines_give_zeros():
    a, b = factors(4, 3, 8, 3)
    a[1], b[:, 2] = 0.0, 0.0
    got = product(a, b)
    assert not got[1].any()
    assert not got[:, 2].any()
    assert got[0, 0] != 0
