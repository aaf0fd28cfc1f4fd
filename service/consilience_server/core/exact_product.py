"""A matrix product whose every bit is the same on every machine, at the speed of the machine's own BLAS.

A plain float64 product depends on the order in which BLAS adds, so on the library, its kernel and its threads. Here the factors are first
rounded to fixed point and cut into two slices of s bits each, a = a1 + a2, b = b1 + b2 (a: a power of two as unit for each row; b: for each
column), with 2 s + ceil(log2(inner)) <= 53. Every entry of a slice product is then a sum of integers below 2^53 in one unit: float64 holds
each partial sum exactly, whatever the order, with or without fused multiply-add. The four slice products are added in one fixed order:

    a b = (a2 b2 + (a1 b2 + a2 b1)) + a1 b1

The error against the real product is below inner * 2^(1 - 2 s) * max|a_i| max|b_j|: 2^-31 for 768 terms, far under the float32 rounding
that follows it in every use here. Cost: four float64 matrix products.

Source: error-free slicing after Ozaki, Ogita, Oishi and Rump, "Error-free transformations of matrix multiplication", Numer. Algorithms 59
(2012).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MANTISSA_BITS = 53


@dataclass(frozen=True)
class Slices:
    """A matrix in two fixed-point slices; `high + low` is the matrix, rounded to 2 s bits below the largest entry of its row or column."""

    high: NDArray[np.float64]
    low: NDArray[np.float64]


def slice_bits(inner: int) -> int:
    """Bits s of a slice for products over `inner` terms: 2 s + ceil(log2(inner)) <= 53."""
    return (_MANTISSA_BITS - max(inner - 1, 0).bit_length()) // 2


def cut(matrix: NDArray[np.float64], *, inner_axis: int) -> Slices:
    """Cut a factor into its slices.

    Args:
        matrix: (m, inner) with `inner_axis` 1, or (inner, n) with `inner_axis` 0; finite float64, entries between 2^-900 and 2^900 in
            magnitude, or zero.
        inner_axis: the axis the product sums over; every line along it gets a unit of its own.
    """
    bits = slice_bits(matrix.shape[inner_axis])
    largest = np.abs(matrix).max(axis=inner_axis, keepdims=True, initial=0.0)
    # |entry| < 2^exponent along the line.
    exponent = np.frexp(largest)[1]
    unit = np.ldexp(1.0, exponent - bits)
    fine = np.ldexp(1.0, exponent - 2 * bits)
    # Powers of two divide and multiply exactly, and the remainder of a rounding is exact.
    high = np.rint(matrix / unit) * unit
    low = np.rint((matrix - high) / fine) * fine
    return Slices(high, low)


def exact_product(a: Slices, b: Slices) -> NDArray[np.float64]:
    """The product of two cut factors, (m, n) float64: `a` cut with `inner_axis=1`, `b` with `inner_axis=0`."""
    rows = len(a.high)
    # Both slices of the rows in one product each: a single query reads every column slice once.
    stacked = np.concatenate((a.high, a.low))
    with_low, with_high = stacked @ b.low, stacked @ b.high
    product: NDArray[np.float64] = with_low[rows:]
    product += with_low[:rows] + with_high[rows:]
    product += with_high[:rows]
    return product
