"""What is left of spaces beyond a third one: residuals of linear regression whose rows are exchangeable, so that they can be permuted."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from consilience_server.core.errors import ConstantFeatures, ShapeMismatch, TooFewItems

_NOTHING = 1e-6
"""Singular values below this share of the largest are rounding of float32, not directions."""

_EXPLAINED = 1e-10
"""A space of whose variance no more than this is left says nothing beyond the third."""


@dataclass(frozen=True)
class Partial:
    """Spaces without what a third one explains.

    Attributes:
        kept: (m,) int64, the rows that the residuals are of, ascending; m = n - 1 - rank, the degrees of freedom that are left.
        rank: dimensions that the third space spans, centred.
        residuals: (m, d) float64 of each space.
        explained: of each space the share of its variance that the third explains, in [0, 1].
    """

    kept: NDArray[np.int64]
    rank: int
    residuals: list[NDArray[np.float64]]
    explained: list[float]


def beyond(
    spaces: Sequence[NDArray[np.floating]], given: NDArray[np.floating], least: int = 4, names: Sequence[str] = ("x", "y")
) -> Partial:
    """The residuals of least squares of each space's columns on those of `given` and a constant, as Theil's BLUS residuals.

    Ordinary residuals R x = (I - U U') x, U an orthonormal basis of the constant and the columns of `given`, are of n items but have only
    n - 1 - rank degrees of freedom: they are correlated across items, permuting them breaks that, and a null of permuted residuals is too
    low (Winkler et al. 2020). Theil's residuals of m = n - 1 - rank of the items have covariance sigma^2 I where the noise has, and are the
    nearest to the ordinary ones of those items that do:
    ```
    (I - U_S U_S')^(-1/2) (R x)_S  =  (R x)_S + U_S W diag(1 / (t (1 + t))) W' U_S' (R x)_S,     U_D' U_D = W diag(t^2) W'
    ```
    S the m items that are kept, D the rank + 1 that are left out: those that a QR decomposition of U' with column pivoting names first, so
    that U_D is far from singular. For normal noise their rows are independent and alike, and a permutation test of them is exact, however
    the spaces depend on `given` linearly; what depends on it in other ways stays.

    Args:
        spaces: (n, d) each, finite, row i the same item.
        given: (n, d_z), finite, of the same items.
        least: the fewest degrees of freedom that may be left.
        names: of the spaces, for refusals; those that follow are called controls.

    Raises:
        ShapeMismatch: different numbers of rows.
        ConstantFeatures: `given` tells no items apart, or a space is explained by it altogether.
        TooFewItems: fewer than `least` degrees of freedom would be left.

    Cost:
        O(n d_z min(n, d_z)) and O(n d rank) a space.

    Source:
        Theil 1965, "The analysis of disturbances in regression analysis", JASA 60; for permutation tests Winkler, Renaud, Smith and Nichols
        2020, "Permutation inference for canonical correlation analysis", NeuroImage 220, section 2.4. The choice of D is ours.
    """
    n = len(given)
    if any(len(space) != n for space in spaces):
        sizes = ", ".join(f"{len(space):,}" for space in spaces)
        raise ShapeMismatch(f"given has {n:,} rows, the spaces {sizes}; all must be of the same items", field="given")
    directions = _directions(given)
    rank = directions.shape[1]
    left = n - 1 - rank
    if rank == 0:
        raise ConstantFeatures("all items have the same vector in given, so that it explains nothing; leave it out", field="given")
    if left < least:
        raise TooFewItems(
            f"given spans {rank:,} dimensions, which leaves {max(left, 0):,} degrees of freedom of {n:,} items; {least} are needed: add "
            "items, or give a narrower space",
            field="given",
            n=n,
            rank=rank,
        )
    basis = np.hstack([np.full((n, 1), n**-0.5), directions])
    _, pivots = scipy.linalg.qr(basis.T, mode="r", pivoting=True, check_finite=False)
    kept = np.setdiff1d(np.arange(n), pivots[: rank + 1])
    squares, axes = np.linalg.eigh(basis[pivots[: rank + 1]].T @ basis[pivots[: rank + 1]])
    t = np.sqrt(np.clip(squares, np.finfo(float).tiny, 1.0))
    turned = basis[kept] @ axes
    residuals, explained = [], []
    for number, space in enumerate(spaces):
        centred = space - space.mean(axis=0, dtype=np.float64)
        ordinary = centred - directions @ (directions.T @ centred)
        total, remaining = float(np.vdot(centred, centred)), float(np.vdot(ordinary, ordinary))
        if remaining <= _EXPLAINED * total:
            name = names[number] if number < len(names) else f"controls[{number - len(names)}].space"
            raise ConstantFeatures(f"given explains all of {name}: nothing of it is left to align; give another space", field=name)
        residuals.append(ordinary[kept] + turned @ ((turned.T @ ordinary[kept]) / (t * (1.0 + t))[:, None]))
        explained.append(1.0 - remaining / total)
    return Partial(kept.astype(np.int64), rank, residuals, explained)


def _directions(given: NDArray[np.floating]) -> NDArray[np.float64]:
    """(n, rank) orthonormal basis of the centred columns."""
    centred = given - given.mean(axis=0, dtype=np.float64)
    left, values, _ = scipy.linalg.svd(centred, full_matrices=False, check_finite=False)
    return np.ascontiguousarray(left[:, values > _NOTHING * values[0]]) if values[0] > 0 else left[:, :0]
