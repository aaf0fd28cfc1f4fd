"""Centred kernel alignment with linear kernels, biased and unbiased: in feature form, and in Gram form as the definition."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import ConstantFeatures, ShapeMismatch, TooFewItems

PROPERTIES = {
    "range": (0.0, 1.0),
    "range_unbiased": (-1.0, 1.0),
    "self_value": 1.0,
    "symmetric": True,
    "invariances": ("item_order", "orthogonal", "positive_scale", "shift"),
}
"""What the property tests hold these metrics to."""

_BLOCK = 4096
"""Rows converted to float64 at a time."""


@dataclass(frozen=True)
class Hsic:
    """Dependence of two spaces, and of each with itself: the parts of a CKA.

    Attributes:
        xy: HSIC of x with y, by one of the two estimators below.
        xx: of x with itself.
        yy: of y with itself.
    """

    xy: float
    xx: float
    yy: float

    @property
    def cka(self) -> float:
        """The ratio xy / sqrt(xx yy): no constant is added, so it does not depend on the scale of either space."""
        ratio = self.xy / (math.sqrt(self.xx) * math.sqrt(self.yy))
        return min(max(ratio, -1.0), 1.0)


@dataclass(frozen=True)
class Moments:
    """What both estimators need of two sets of centred rows x_i, y_i; a_i = |x_i|^2, b_i = |y_i|^2.

    Attributes:
        n: number of items.
        xy, xx, yy: |X'Y|_F^2, |X'X|_F^2, |Y'Y|_F^2.
        a, b: sums of a_i, of b_i.
        ab, aa, bb: sums of a_i b_i, of a_i^2, of b_i^2.
    """

    n: int
    xy: float
    xx: float
    yy: float
    a: float
    b: float
    ab: float
    aa: float
    bb: float

    def linear(self) -> Hsic:
        """tr(KHLH) = |X'Y|_F^2 on centred rows (without the factor 1/(n-1)^2, which cancels)."""
        return Hsic(self.xy, self.xx, self.yy)

    def unbiased(self) -> Hsic:
        """HSIC_u of Song et al. 2012, equation 5, on centred rows, where 1'K~1 = -sum a_i and 1'K~L~1 = sum a_i b_i.

        ```
        HSIC_u = (|X'Y|^2 - n/(n-2) sum a_i b_i + (sum a_i)(sum b_i) / ((n-1)(n-2))) / (n (n-3))
        ```
        """
        return Hsic(
            unbiased_hsic(self.n, self.xy, self.ab, self.a * self.b),
            unbiased_hsic(self.n, self.xx, self.aa, self.a * self.a),
            unbiased_hsic(self.n, self.yy, self.bb, self.b * self.b),
        )


def unbiased_hsic(n: int, cross: float, paired: float, product: float) -> float:
    """HSIC_u from |X'Y|^2 (`cross`), sum a_i b_i (`paired`) and (sum a_i)(sum b_i) (`product`); n >= 4."""
    return (cross - n / (n - 2) * paired + product / ((n - 1) * (n - 2))) / (n * (n - 3))


def linear_cka(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """Linear CKA: tr(KHLH) / sqrt(tr(KHKH) tr(LHLH)), K = XX', L = YY'.

    In [0, 1], larger is more alike, 1 for spaces equal up to rotation, scale and shift. Its chance level is high wherever the width is not
    small against n (`linear_chance`): never read it alone.

    Args:
        x: (n, d_x), finite, n >= 2.
        y: (n, d_y), row i the same item.

    Raises:
        ShapeMismatch: different numbers of rows.
        TooFewItems: n < 2.
        ConstantFeatures: all rows of a side are equal, so CKA is undefined.

    Cost:
        O(n d^2) time, O(d^2) memory beside the inputs, d the wider width; with n below both widths O(n^2 d) and the centred inputs.
        Accumulated in float64 from any input dtype; relative error below 1e-12.

    Source:
        Kornblith et al. 2019 (arXiv 1905.00414), equations 2-3.
    """
    return linear_hsic(x, y).cka


def unbiased_cka(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """CKA with the unbiased HSIC of Song et al. 2012: as `linear_cka`, but with mean 0 over random pairings at any width.

    In [-1, 1]. Arguments, errors, cost and error as `linear_cka`; n >= 4.

    Raises:
        TooFewItems: n < 4.
        ConstantFeatures: all items of a side are equally far from each other, or equal.

    Source:
        Song et al. 2012 (JMLR 13), equation 5; Nguyen et al. 2021 (arXiv 2010.15327).
    """
    return unbiased_hsic_of(x, y).cka


def linear_hsic(x: NDArray[np.floating], y: NDArray[np.floating]) -> Hsic:
    """The parts of `linear_cka`."""
    check_items(x, y, unbiased=False)
    return moments(x, y).linear()


def unbiased_hsic_of(x: NDArray[np.floating], y: NDArray[np.floating]) -> Hsic:
    """The parts of `unbiased_cka`."""
    check_items(x, y, unbiased=True)
    found = moments(x, y)
    check_informative(found)
    return found.unbiased()


def linear_chance(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """The mean of `linear_cka` over all pairings of the items, exactly: tr(KH) tr(LH) / ((n-1) |HKH|_F |HLH|_F).

    Under a uniform pairing a diagonal entry of the centred Gram matrix K meets a diagonal entry of L (mean tr L / n), and an off-diagonal
    one meets an off-diagonal one (mean -tr L / (n (n-1)), as the entries of a centred matrix sum to 0); both together: tr K tr L / (n-1).
    The denominator does not depend on the pairing. For few uncorrelated features of equal variance this is about sqrt(d_x d_y) / n.

    The same argument gives exactly 0 for `unbiased_cka`: with u = 1'K~1 and v = 1'L~1 its three terms have the means u v/(n (n-1)),
    u v/((n-1)(n-2)) and -2 u v/(n (n-2)), which add up to 0.
    """
    check_items(x, y, unbiased=False)
    return chance_of(moments(x, y))


def chance_of(found: Moments) -> float:
    """`linear_chance` from the moments."""
    return min(found.a * found.b / ((found.n - 1) * math.sqrt(found.xx) * math.sqrt(found.yy)), 1.0)


def moments(x: NDArray[np.floating], y: NDArray[np.floating]) -> Moments:
    """Centre both sides and accumulate their moments in float64, a block of rows at a time."""
    n = len(x)
    mean_x, mean_y = _mean(x), _mean(y)
    narrow = min(x.shape[1], y.shape[1])
    if n < narrow:
        return _wide_moments(x - mean_x, y - mean_y)
    xy = np.zeros((x.shape[1], y.shape[1]))
    xx = np.zeros((x.shape[1], x.shape[1]))
    yy = np.zeros((y.shape[1], y.shape[1]))
    a, b = np.empty(n), np.empty(n)
    for rows in _blocks(n):
        left, right = x[rows] - mean_x, y[rows] - mean_y
        xy += left.T @ right
        xx += left.T @ left
        yy += right.T @ right
        a[rows], b[rows] = squares(left), squares(right)
    return _moments(n, _norm(xy), _norm(xx), _norm(yy), a, b)


def gram_hsic(k: NDArray[np.float64], l: NDArray[np.float64], *, unbiased: bool) -> Hsic:  # noqa: E741 - the formula's letter
    """The parts of CKA from two (n, n) Gram matrices, by the definition: what the feature form is held to. O(n^2) memory.

    ```
    HSIC_b = tr(KHLH);   HSIC_u = (tr(K~L~) + 1'K~1 1'L~1 / ((n-1)(n-2)) - 2/(n-2) 1'K~L~1) / (n (n-3)),   ~ = zero diagonal
    ```
    """
    pairs = ((k, l), (k, k), (l, l))
    return Hsic(*[_gram_unbiased(left, right) if unbiased else _gram_biased(left, right) for left, right in pairs])


def check_items(x: NDArray[np.floating], y: NDArray[np.floating], *, unbiased: bool) -> None:
    """Refuse what has no CKA: ShapeMismatch, TooFewItems, ConstantFeatures."""
    if len(x) != len(y):
        raise ShapeMismatch(f"x has {len(x):,} rows and y {len(y):,}; row i of both must be the same item", field="y")
    least = 4 if unbiased else 2
    if len(x) < least:
        name = "unbiased CKA" if unbiased else "CKA"
        raise TooFewItems(f"{name} needs {least} items or more, there are {len(x)}; add items", n=len(x), least=least)
    for name, array in (("x", x), ("y", y)):
        # Block by block: the first block tells nearly always.
        if all(bool((array[rows] == array[:1]).all()) for rows in _blocks(len(array))):
            raise ConstantFeatures(
                f"all {len(array):,} items have the same vector in {name}, so CKA is undefined; use a space that tells items apart",
                field=name,
            )


def check_informative(found: Moments) -> None:
    """ConstantFeatures where all items of a side are equally far from each other: then HSIC_u with itself is 0, but for rounding."""
    parts = found.unbiased()
    for name, own, scale in (("x", parts.xx, found.xx), ("y", parts.yy, found.yy)):
        if own <= 1e-13 * scale / (found.n * (found.n - 3)):
            raise ConstantFeatures(
                f"all items of {name} are equally far from each other, so unbiased CKA is undefined; use a space that tells near from far",
                field=name,
            )


def squares(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) squared length of each row."""
    lengths = np.empty(len(rows))
    np.einsum("ij,ij->i", rows, rows, out=lengths)
    return lengths


def _wide_moments(x: NDArray[np.float64], y: NDArray[np.float64]) -> Moments:
    """The moments by Gram matrices, where they are smaller than the widths: |X'Y|_F^2 = sum (XX') * (YY')."""
    k, l = x @ x.T, y @ y.T  # noqa: E741 - the formula's letter
    return _moments(len(x), float(np.vdot(k, l)), _norm(k), _norm(l), np.diagonal(k), np.diagonal(l))


def _moments(n: int, xy: float, xx: float, yy: float, a: NDArray[np.float64], b: NDArray[np.float64]) -> Moments:
    return Moments(n, xy, xx, yy, float(a.sum()), float(b.sum()), float((a * b).sum()), float((a * a).sum()), float((b * b).sum()))


def _mean(x: NDArray[np.floating]) -> NDArray[np.float64]:
    """(d,) float64 mean of the rows, taken from the first row on, so that a large common shift costs no digits."""
    first = x[0].astype(np.float64)
    total: NDArray[np.float64] = np.zeros(x.shape[1])
    for rows in _blocks(len(x)):
        total += (x[rows] - first).sum(axis=0)
    mean: NDArray[np.float64] = first + total / len(x)
    return mean


def _blocks(n: int) -> Iterator[slice]:
    return (slice(start, min(start + _BLOCK, n)) for start in range(0, n, _BLOCK))


def _norm(matrix: NDArray[np.float64]) -> float:
    return float(np.vdot(matrix, matrix))


def _gram_biased(k: NDArray[np.float64], l: NDArray[np.float64]) -> float:  # noqa: E741 - the formula's letter
    centre = np.eye(len(k)) - 1.0 / len(k)
    return float(np.trace(k @ centre @ l @ centre))


def _gram_unbiased(k: NDArray[np.float64], l: NDArray[np.float64]) -> float:  # noqa: E741 - the formula's letter
    n = len(k)
    k, l = k - np.diag(np.diagonal(k)), l - np.diag(np.diagonal(l))  # noqa: E741 - the formula's letter
    sums = k.sum() * l.sum() / ((n - 1) * (n - 2)) - 2.0 / (n - 2) * (k.sum(axis=0) @ l.sum(axis=1))
    return float((np.trace(k @ l) + sums) / (n * (n - 3)))
