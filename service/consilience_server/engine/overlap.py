"""Overlaps of neighbour sets by sorted keys: the fast path of `core/mutual_knn.py`, for several k at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.neighbour_sets import NeighbourSets
from consilience_server.engine.kernels import chosen_isa, load_kernels


@dataclass(frozen=True)
class KeyedSets:
    """The neighbour sets of one space for several k, as sorted keys over canonical positions.

    An edge from the item at canonical position r to the one at c has the key r n + c. Canonical positions belong to the items
    (`core/permutation.py`), so nothing computed from these arrays depends on the order of rows, not even the order of a sum.

    Attributes:
        n: number of items.
        ks: the k of each column of `weights`.
        keys: (m,) int64 ascending: the edges of any k.
        weights: (m, len(ks)) float64, 0 where the edge is not in the list of that k.
        asked: how many items have lists, those at the first positions; None where all have.
    """

    n: int
    ks: tuple[int, ...]
    keys: NDArray[np.int64]
    weights: NDArray[np.float64]
    asked: int | None = None

    @property
    def queries(self) -> int:
        """Number of items that have lists: what a score is the mean over."""
        return self.n if self.asked is None else self.asked

    @cached_property
    def lists(self) -> tuple[NDArray[np.int32], ...] | None:
        """For each k the neighbours of each query, (n, k) by ascending canonical positions; None where ties share places."""
        found = []
        for column, k in enumerate(self.ks):
            weights = self.weights[:, column]
            keys = self.keys[weights == 1.0]
            if len(keys) != self.n * k or np.count_nonzero(weights) != len(keys):
                return None
            found.append((keys - np.repeat(np.arange(self.n) * self.n, k)).astype(np.int32).reshape(self.n, k))
        return tuple(found)

    @property
    def rows(self) -> NDArray[np.int64]:
        """(m,) canonical position of each edge's query."""
        return self.keys // self.n

    @property
    def columns(self) -> NDArray[np.int64]:
        """(m,) canonical position of each edge's neighbour."""
        return self.keys % self.n

    @property
    def counts(self) -> NDArray[np.int64]:
        """(n,) edges of each query."""
        return np.bincount(self.rows, minlength=self.n).astype(np.int64)


def keyed_sets(
    sets: Sequence[NeighbourSets], position: NDArray[np.int64], queries: NDArray[np.int64] | None = None, positions: int | None = None
) -> KeyedSets:
    """Bring the sets of one space for one or more k into keyed form. O(m log m).

    Args:
        sets: one for each k, of the same items.
        position: canonical position of each gallery row.
        queries: (m,) position of each query, a permutation of the first m; None where query i is gallery row i.
        positions: how many positions there are; None: one a gallery row.
    """
    n = len(position) if positions is None else positions
    own = position if queries is None else queries
    parts = []
    for one in sets:
        keys = np.repeat(own * n, np.diff(one.indptr)) + position[one.indices]
        order = np.argsort(keys)
        parts.append((keys[order], one.weights[order]))
    keys = parts[0][0] if len(parts) == 1 else np.unique(np.concatenate([part for part, _ in parts]))
    weights = np.zeros((len(keys), len(parts)))
    for column, (part, weight) in enumerate(parts):
        weights[np.searchsorted(keys, part), column] = weight
    return KeyedSets(n, tuple(one.k for one in sets), keys, weights, None if queries is None else len(queries))


def shared_edges(x: NDArray[np.int64], y: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where two ascending key arrays have the same keys: positions in x, positions in y, both ascending."""
    at_x = np.searchsorted(x, y)
    at_y = np.flatnonzero(x.take(at_x, mode="clip") == y) if len(x) else np.empty(0, dtype=np.int64)
    return at_x[at_y], at_y


def overlap_scores(x: KeyedSets, y: KeyedSets, threads: int = 1) -> NDArray[np.float64]:
    """(len(ks),) mutual k-NN of two spaces for every k; `core/mutual_knn.py` has the definition. Symmetric to the bit, for any threads."""
    kernels = load_kernels()
    if kernels is not None and x.lists is not None and y.lists is not None:
        isa = chosen_isa(kernels)
        counts = [kernels.shared_items(a, b, threads, isa) for a, b in zip(x.lists, y.lists, strict=True)]
        return np.array([count / (x.n * k) for count, k in zip(counts, x.ks, strict=True)])
    at_x, at_y = shared_edges(x.keys, y.keys)
    return np.array(
        [
            min(float(np.add.reduce(x.weights[at_x, column] * y.weights[at_y, column])) / (x.queries * k), 1.0)
            for column, k in enumerate(x.ks)
        ]
    )


def item_overlaps(x: KeyedSets, y: KeyedSets) -> NDArray[np.float64]:
    """(len(ks), queries) the overlap of each query's two lists, by its position: `core/mutual_knn.py: overlaps`. O(m log m)."""
    at_x, at_y = shared_edges(x.keys, y.keys)
    rows = x.keys[at_x] // x.n
    found = [
        np.bincount(rows, weights=x.weights[at_x, column] * y.weights[at_y, column], minlength=x.queries) / k
        for column, k in enumerate(x.ks)
    ]
    return np.minimum(np.array(found), 1.0)


def own_scores(x: KeyedSets) -> NDArray[np.float64]:
    """(len(ks),) what the space scores with itself for every k: `core/mutual_knn.py: self_score`."""
    return np.array(
        [min(float(np.add.reduce(x.weights[:, column] * x.weights[:, column])) / (x.queries * k), 1.0) for column, k in enumerate(x.ks)]
    )
