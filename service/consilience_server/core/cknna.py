"""CKNNA: CKA restricted to nearest neighbours, in the three versions that go by that name. The definitions, plainly.

Of two spaces with kernels K and L (similarities of all items) and neighbour masks M_X and M_Y (1 where j is in the k-list of i), with
M = M_X o M_Y the neighbours that both have. All three are normalised as s = S(x, y) / sqrt(S(x, x) S(y, y)), with the mask M in S(x, y) and
a space's own mask in S(x, x).

- `cknna`, the authors' code: mask first, then the unbiased HSIC. The masked matrices A = M o K and B = M o L are not symmetric:
  ```
  S = [ sum_ij A_ij B_ji + sum A sum B / ((n - 1)(n - 2)) - 2 / (n - 2) sum_l (sum_i A_il)(sum_j B_lj) ] / (n (n - 3))
  ```
  so the first term counts an edge only if it goes both ways, and exchanging x and y changes the last term and the score a little. Neither
  bounded by 1 nor 0 at independence. With k = n - 1 it is unbiased CKA.
- `cknna_paper`, their paper's equations 16 to 18: rows are centred over all items first, then summed over the mask:
  ```
  S = sum_ij M_ij (K_ij - mean_l K_il)(L_ij - mean_l L_il)
  ```
  In [-1, 1].
- `cknna_centred`, equation 36 of the Aristotelian paper: mask first, then centre rows and columns, H = I - 11'/n:
  ```
  S = < H (M o K) H, H (M o L) H >
  ```

Sources: Huh et al. 2024 (arXiv 2405.07987), appendix A; platonic-rep, metrics.py `cknna` (unbiased); arXiv 2602.14486.
"""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import ConstantFeatures, ShapeMismatch, TooFewItems
from consilience_server.core.ordered_lists import OrderedLists, check_comparable

CknnaMetric = Literal["cknna", "cknna_paper", "cknna_centred"]

PROPERTIES = {
    "range": (-math.inf, math.inf),
    "range_paper": (-1.0, 1.0),
    "self_value": 1.0,
    "symmetric": True,
    "symmetric_code": False,
    "invariances": ("item_order", "orthogonal", "positive_scale"),
}
"""What the property tests hold this metric to."""

LEAST_ITEMS = 4
"""HSIC_u is defined for four items or more."""

SMALLEST = 1e-13
"""A space's own term below this share of the sum of its squares is rounding, and the score undefined."""


def cknna(metric: CknnaMetric, kernel_x: NDArray[np.float64], kernel_y: NDArray[np.float64], x: OrderedLists, y: OrderedLists) -> float:
    """One of the three versions above, from whole matrices. O(n^2).

    Args:
        metric: which.
        kernel_x: (n, n) similarities of all items in one space.
        kernel_y: those of the same items in the other.
        x: the k-lists that kernel_x gives.
        y: the k-lists that kernel_y gives.

    Raises:
        ShapeMismatch, InvalidK: kernels and lists are of different items or k.
        TooFewItems: fewer than 4 items.
        ConstantFeatures: a space's own term is not positive, so the score is undefined.
    """
    cross, own_x, own_y = cknna_terms(metric, kernel_x, kernel_y, x, y)
    for name, own, kernel, lists in (("x", own_x, kernel_x, x), ("y", own_y, kernel_y, y)):
        check_own(metric, name, own, float((_mask(lists) * kernel * kernel).sum()), x.n)
    return cross / (math.sqrt(own_x) * math.sqrt(own_y))


def cknna_terms(
    metric: CknnaMetric, kernel_x: NDArray[np.float64], kernel_y: NDArray[np.float64], x: OrderedLists, y: OrderedLists
) -> tuple[float, float, float]:
    """S(x, y), S(x, x) and S(y, y); arguments and refusals as `cknna`, without the last."""
    check_comparable(x, y)
    if not kernel_x.shape == kernel_y.shape == (x.n, x.n):
        raise ShapeMismatch(f"kernels of {kernel_x.shape} and {kernel_y.shape} for lists of {x.n} items; give (n, n) matrices")
    check_count(x.n)
    mask_x, mask_y = (_mask(side) for side in (x, y))
    return (
        _term(metric, mask_x * mask_y, kernel_x, kernel_y),
        _term(metric, mask_x, kernel_x, kernel_x),
        _term(metric, mask_y, kernel_y, kernel_y),
    )


def check_count(n: int) -> None:
    """There are enough items. TooFewItems."""
    if n < LEAST_ITEMS:
        raise TooFewItems(f"only {n} items; CKNNA needs at least {LEAST_ITEMS}, add items that both spaces have", n=n)


def check_own(metric: CknnaMetric, name: str, own: float, squares: float, n: int) -> None:
    """A space's own term S is positive, beyond rounding. ConstantFeatures.

    Args:
        metric: which.
        name: of the space, `x` or `y` where there are two.
        own: S of the space with itself.
        squares: sum of its squared similarities over its own mask.
        n: number of items.
    """
    if not own > SMALLEST * squares / (n * (n - 3) if metric == "cknna" else 1):
        remedy = "ask another k, or cknna_centred" if metric == "cknna" else "its neighbours are all equally similar; use other features"
        raise ConstantFeatures(
            f"{metric} is undefined: the term of {name} with itself is not positive; {remedy}",
            field=name if name in ("x", "y") else "spaces",
        )


def _mask(lists: OrderedLists) -> NDArray[np.float64]:
    mask = np.zeros((lists.n, lists.n))
    np.put_along_axis(mask, lists.indices.astype(np.int64), 1.0, axis=1)
    return mask


def _term(metric: CknnaMetric, mask: NDArray[np.float64], k: NDArray[np.float64], l: NDArray[np.float64]) -> float:  # noqa: E741 - the formula's letter
    n = len(mask)
    if metric == "cknna_paper":
        return float((mask * (k - k.mean(axis=1, keepdims=True)) * (l - l.mean(axis=1, keepdims=True))).sum())
    a, b = mask * k, mask * l
    if metric == "cknna_centred":
        centring = np.eye(n) - 1.0 / n
        return float(((centring @ a @ centring) * (centring @ b @ centring)).sum())
    paired = a.sum(axis=0) @ b.sum(axis=1)
    return float(((a * b.T).sum() + a.sum() * b.sum() / ((n - 1) * (n - 2)) - 2.0 / (n - 2) * paired) / (n * (n - 3)))
