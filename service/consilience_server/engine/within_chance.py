"""Exact chance under pairings within groups, from neighbour lists and from features: the fast path of `core/within_groups.py`."""

import numpy as np
from numpy.typing import NDArray

from consilience_server.engine.cka_features import Features
from consilience_server.engine.overlap import KeyedSets, shared_edges


def overlap_chance(x: KeyedSets, y: KeyedSets, groups: NDArray[np.int64], sizes: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
    """(len(ks),) the mean of mutual k-NN over all pairings that keep every item within its group.

    Args:
        x: keyed sets of the one space,
        y: of the other, over the same n items and ks.
        groups: (n,) the group of each canonical position.
        sizes: items of each group, where positions are fewer than the items; None counts them.

    Cost:
        O(m log m) for m edges: only pairs of groups that an edge joins are looked at, never all.
    """
    count = int(groups.max()) + 1
    (pairs_x, sums_x), (pairs_y, sums_y) = (_weights_by_groups(space, groups, count) for space in (x, y))
    at_x, at_y = shared_edges(pairs_x, pairs_y)
    members = np.asarray(np.bincount(groups, minlength=count) if sizes is None else sizes, dtype=np.float64)
    left, right = np.divmod(pairs_x[at_x], count)
    pairs = members[left] * (members[right] - (left == right))
    means = (sums_x[at_x] * sums_y[at_y] / pairs[:, None]).sum(axis=0)
    return np.asarray(np.minimum(means / (x.queries * np.array(x.ks, dtype=np.float64)), 1.0), dtype=np.float64)


def moments_chance(x: Features, y: Features, groups: NDArray[np.int64]) -> tuple[float, float]:
    """The means of |X'Y_rho|_F^2 and of sum_i a_i b_rho(i) over all pairings rho that keep every item within its group.

    With s_g and t_g the sums of a group's rows, entries of the Gram matrices from g to h sum to s_g's_h and t_g't_h; over all g and h
    their products over n_g n_h are |S' N^-1 T|_F^2. What remains is within a group.

    Args:
        x: centred features of the one space,
        y: of the other, of the same n items.
        groups: (n,) the group of each canonical position.

    Cost:
        O(n d + G d_x d_y) for G groups.
    """
    count = int(groups.max()) + 1
    order = np.argsort(groups, kind="stable").astype(np.int64)
    sizes = np.bincount(groups, minlength=count).astype(np.float64)
    s, t = (_sums_by_group(space, groups, order, count) for space in (x, y))
    a, b = (np.bincount(groups, weights=space.squares, minlength=count) for space in (x, y))
    cross = (s / sizes[:, None]).T @ t
    of_sums = np.einsum("ij,ij->i", s, s), np.einsum("ij,ij->i", t, t)
    others = (of_sums[0] - a) * (of_sums[1] - b) / np.maximum(sizes * (sizes - 1.0), 1.0)
    between = np.vdot(cross, cross) - (of_sums[0] * of_sums[1] / sizes**2).sum()
    paired = float((a * b / sizes).sum())
    return float(paired + others.sum() + between), paired


def _sums_by_group(space: Features, groups: NDArray[np.int64], order: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """(G, r) the sum of each group's rows, a tile at a time; `order` sorts the rows by group."""
    sums = np.zeros((count, space.width))
    for tile in space.tiles():
        positions = order[tile]
        of = groups[positions]
        starts = np.flatnonzero(np.append(True, of[1:] != of[:-1]))
        sums[of[starts]] += np.add.reduceat(space.rows(positions), starts, axis=0)
    return sums


def matrices_chance(x: NDArray[np.float64], y: NDArray[np.float64], groups: NDArray[np.int64]) -> float:
    """`core/within_groups.py: mean_product` of two symmetric (n, n) matrices in canonical order, O(n^2) whatever the number of groups."""
    order = np.argsort(groups, kind="stable")
    sizes = np.bincount(groups).astype(np.float64)
    starts = np.searchsorted(groups[order], np.flatnonzero(sizes))
    sizes = sizes[sizes > 0]
    sums, diagonals = [], []
    for matrix in (x, y):
        by_group = np.add.reduceat(np.add.reduceat(matrix[np.ix_(order, order)], starts, axis=0), starts, axis=1)
        own = np.add.reduceat(np.diagonal(matrix)[order], starts)
        sums.append(by_group - np.diag(own))
        diagonals.append(own)
    pairs = np.outer(sizes, sizes) - np.diag(sizes)
    return float((diagonals[0] * diagonals[1] / sizes).sum() + (sums[0] * sums[1] / np.maximum(pairs, 1.0)).sum())


def _weights_by_groups(space: KeyedSets, groups: NDArray[np.int64], count: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The pairs of groups that edges join, ascending, and the weights between them for every k."""
    pairs, of = np.unique(groups[space.rows] * count + groups[space.columns], return_inverse=True)
    sums = [np.bincount(of, weights=space.weights[:, column], minlength=len(pairs)) for column in range(len(space.ks))]
    return pairs.astype(np.int64), np.stack(sums, axis=1)
