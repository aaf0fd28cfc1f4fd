"""A neighbour table by brute force over all similarities: what the statistics are tested on, independent of the engine."""

from functools import cached_property

import numpy as np

from consilience_server.core.neighbour_sets import NeighbourSets
from consilience_server.engine.protocol import Certificate


def cosine(x):
    unit = np.asarray(x, dtype=np.float64)
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    return unit @ unit.T


class BruteTable:
    """Implements NeighbourTable; `similarities` is (n, n), larger is nearer, its diagonal is ignored. Ties are exact equality."""

    self_join = True
    certificate = Certificate("float64", 0.0, 0, 0, 0, "brute")

    def __init__(self, similarities, k_max):
        self.gallery, self.k_max = len(similarities), k_max
        masked = np.array(similarities, dtype=np.float64)
        np.fill_diagonal(masked, -np.inf)
        self._masked = masked

    @cached_property
    def indices(self):
        depth = min(self.k_max + 1, self.gallery - 1)
        return np.argsort(-self._masked, axis=1, kind="stable")[:, :depth].astype(np.int32)

    @cached_property
    def scores(self):
        return np.take_along_axis(self._masked, self.indices, axis=1)

    @property
    def nbytes(self):
        return self._masked.nbytes

    def sets(self, k):
        assert 1 <= k <= self.k_max
        parts = [self._part(start, k) for start in range(0, self.gallery, 512)]
        counts, columns, weights, tied = (np.concatenate(field) for field in zip(*parts, strict=True))
        return NeighbourSets(np.concatenate([[0], np.cumsum(counts)]), columns, weights, k, self.gallery, tied)

    def _part(self, start, k):
        """Counts, columns, weights, tied of some rows."""
        scores = self._masked[start : start + 512]
        kth = np.partition(scores, self.gallery - k, axis=1)[:, self.gallery - k, None]
        above, equal = scores > kth, scores == kth
        share = (k - above.sum(axis=1)) / equal.sum(axis=1)
        rows, columns = np.nonzero(above | equal)
        weights = np.where(above[rows, columns], 1.0, share[rows])
        return np.bincount(rows, minlength=len(scores)), columns.astype(np.int32), weights, share < 1.0


def table(x, k_max, similarity=cosine):
    return BruteTable(similarity(x), min(k_max, len(x) - 1))


def latent_pair(seed, n, da, db, r, noise):
    """Two noisy linear views of one latent of width r, rows to unit length: the generator behind the worked numbers."""
    draw = np.random.default_rng(seed)
    z = draw.normal(size=(n, r))
    a = z @ draw.normal(size=(r, da)) + noise * draw.normal(size=(n, da))
    b = z @ draw.normal(size=(r, db)) + noise * draw.normal(size=(n, db))
    return a / np.linalg.norm(a, axis=1, keepdims=True), b / np.linalg.norm(b, axis=1, keepdims=True)
