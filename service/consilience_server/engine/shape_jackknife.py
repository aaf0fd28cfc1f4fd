"""Shape metrics without each group of items: what their delete-group jackknife needs."""

from collections.abc import Sequence

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from consilience_server.core.column_space import column_space, components_kept, standardized
from consilience_server.core.control import Control
from consilience_server.core.permutation import permutation
from consilience_server.engine.alignment_scores import Pair
from consilience_server.engine.shape_features import ShapeFeatures, ShapeMetric, shape_scores_of
from consilience_server.engine.shape_null import nuclear_norm

_GONE = 1e-10
"""A direction of which the items that are left keep less than this share went with the group that was deleted."""

_SPLITS = 16
_SPLIT_SEED = 2**63
"""Names the splits into halves (`core/permutation.py`), apart from the seeds that callers are likely to name."""

Without = dict[Pair, NDArray[np.float64]]
"""For every ordered pair (x, y) of spaces the (G,) scores without each group, NaN where there is none."""


def scores_without_groups(
    metric: ShapeMetric, spaces: Sequence[ShapeFeatures], pairs: Sequence[Pair], groups: int, components: int, control: Control
) -> Without:
    """The score of every pair over all items but one group, for each group: centred, whitened or standardised anew on what is left.

    Args:
        metric: which.
        spaces: over the same n items.
        pairs: (x, y) into `spaces`.
        groups: G; canonical position c belongs to group c mod G.
        components: of `svcca`.
        control: asked before every group.

    Cost:
        With C = X'Y over all rows, C_g and the row sums s, t over group g, and n' rows left, these have the cross-product
        C - C_g - s t'/n': so all groups cost one more pass over the data, O(n d^2), and O(d^3) a group. SVCCA of spaces wider than n:
        O(n^2 d) a group.
    """
    found: Without = {pair: np.full(groups, np.nan) for pair in pairs}
    cross = {(i, j): spaces[i].values.T @ spaces[j].values for i, j in pairs} if metric != "svcca" else {}
    gram = [_gram(space) for space in spaces] if metric == "svcca" else []
    for group in range(groups):
        control.check()
        if metric == "svcca":
            removed = np.arange(group, len(spaces[0].values), groups)
            left = [_strongest_left(space, product, removed, components) for space, product in zip(spaces, gram, strict=True)]
            for i, j in pairs:
                found[i, j][group] = _of_bases(left[i], left[j])
        else:
            _by_moments(metric, spaces, cross, group, groups, found)
    return found


def scores_of_halves(
    spaces: Sequence[ShapeFeatures], pairs: Sequence[Pair], components: int, control: Control
) -> dict[Pair, NDArray[np.float64]]:
    """SVCCA of every pair over both halves of 16 random splits of the items: (32,) each, NaN where a half has too few items.

    Cost: 32 times half a pass over the data for Z'Z, and 32 eigendecompositions of order d a space.
    """
    found: dict[Pair, NDArray[np.float64]] = {pair: np.full(2 * _SPLITS, np.nan) for pair in pairs}
    gram = [_gram(space) for space in spaces]
    n = len(spaces[0].values)
    for split in range(_SPLITS):
        order = permutation(_SPLIT_SEED, split, n)
        for half, removed in enumerate((order[: n // 2], order[n // 2 :])):
            control.check()
            left = [_strongest_left(space, product, np.sort(removed), components) for space, product in zip(spaces, gram, strict=True)]
            for i, j in pairs:
                found[i, j][2 * split + half] = _of_bases(left[i], left[j])
    return found


def _by_moments(
    metric: ShapeMetric,
    spaces: Sequence[ShapeFeatures],
    cross: dict[Pair, NDArray[np.float64]],
    group: int,
    groups: int,
    found: Without,
) -> None:
    rows = [space.values[group::groups] for space in spaces]
    sums = [part.sum(axis=0) for part in rows]
    kept = len(spaces[0].values) - len(rows[0])
    if metric == "cca":
        whiteners = [_whitener(part, total, kept) for part, total in zip(rows, sums, strict=True)]
        sizes = [float(whitener.shape[1]) for whitener in whiteners]
    else:
        sizes = [_square_left(*side, kept) for side in zip(spaces, rows, sums, strict=True)]
    for (i, j), whole in cross.items():
        if min(sizes[i], sizes[j]) <= 0.0 or (metric == "cca" and max(sizes[i], sizes[j]) >= kept - 1):
            continue
        left = whole - rows[i].T @ rows[j] - np.outer(sums[i], sums[j] / kept)
        if metric == "cca":
            left = whiteners[i].T @ left @ whiteners[j]
        nuclear = np.linalg.svd(left, compute_uv=False).sum()
        found[i, j][group] = shape_scores_of(metric, nuclear, sizes[i], sizes[j])


def _whitener(rows: NDArray[np.float64], total: NDArray[np.float64], kept: int) -> NDArray[np.float64]:
    """(r, r') W that makes the basis orthonormal again on the rows that are left."""
    left = np.eye(rows.shape[1]) - rows.T @ rows - np.outer(total, total / kept)
    shares, directions = scipy.linalg.eigh(left, check_finite=False)
    there = shares > _GONE
    whitener: NDArray[np.float64] = directions[:, there] / np.sqrt(shares[there])
    return whitener


def _square_left(space: ShapeFeatures, rows: NDArray[np.float64], total: NDArray[np.float64], kept: int) -> float:
    """The squared norm of the rows that are left, centred anew; 0 where they are all equal."""
    square = space.size - float(np.vdot(rows, rows)) - float(total @ total) / kept
    return square if square > 1e-13 * space.size else 0.0


def _gram(space: ShapeFeatures) -> NDArray[np.float64] | None:
    """Z'Z of the standardised columns, None where they are more than the items: then each group is decomposed by its rows."""
    values = space.standardized
    assert values is not None
    return values.T @ values if values.shape[1] <= len(values) else None


def _strongest_left(
    space: ShapeFeatures, gram: NDArray[np.float64] | None, removed: NDArray[np.int64], components: int
) -> NDArray[np.float64]:
    """(n', c) the strongest components of the rows that are left, their columns standardised anew; (n', 0) where they are all equal."""
    values = space.standardized
    assert values is not None
    rest = np.delete(values, removed, axis=0)
    if gram is None:
        again = standardized(rest)
        return column_space(again, 0.0).first(components).basis if again.shape[1] else rest[:, :0]
    rows = values[removed]
    mean = rows.sum(axis=0) / -len(rest)
    left = gram - rows.T @ rows - len(rest) * np.outer(mean, mean)
    variances = np.diagonal(left)
    varied = np.flatnonzero(variances > _GONE * len(values))
    if not len(varied):
        return rest[:, :0]
    scale = np.sqrt(variances[varied])
    squares, directions = scipy.linalg.eigh(left[np.ix_(varied, varied)] / np.outer(scale, scale), check_finite=False)
    squares, directions = squares[::-1], directions[:, ::-1]
    spanned = int(np.count_nonzero(squares > _GONE * squares[0]))
    strengths = np.sqrt(squares[:spanned])
    taken = components_kept(strengths, components)
    weights = directions[:, :taken] / (scale[:, None] * strengths[:taken])
    basis: NDArray[np.float64] = (rest[:, varied] - mean[varied]) @ weights
    return basis


def _of_bases(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Mean canonical correlation of two orthonormal bases; NaN where a side has no direction or all that there are."""
    if not x.shape[1] or not y.shape[1] or max(x.shape[1], y.shape[1]) >= len(x) - 1:
        return float("nan")
    return float(min(nuclear_norm(x, y) / min(x.shape[1], y.shape[1]), 1.0))
