"""Which rows of a matrix are the same: what exact neighbours of a space full of copies need to be computed only once for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BLOCK_BYTES = 1 << 22


@dataclass(frozen=True)
class IdenticalRows:
    """The rows of a matrix, grouped by equal bytes.

    Attributes:
        first: (u,) int64, the lowest row of each group, ascending.
        group: (n,) int64, the group of each row.
        indptr: (u + 1,) int64; group g has `members[indptr[g]:indptr[g + 1]]`.
        members: (n,) int64, rows, ascending within a group.
    """

    first: NDArray[np.int64]
    group: NDArray[np.int64]
    indptr: NDArray[np.int64]
    members: NDArray[np.int64]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(u,) int64, rows of each group."""
        return np.diff(self.indptr)


def group_identical_rows(vectors: NDArray[np.float32], labels: NDArray[np.float64] | None = None) -> IdenticalRows:
    """Group the rows of `vectors` (n, d), n >= 1, by equal bytes.

    Rows are hashed in one pass over the data; equal hashes are then compared byte by byte. Should different rows share a hash, the rows of
    that hash stay ungrouped: what a group claims always holds, and a missed copy only costs time. Peak: about 64 bytes a row.

    Args:
        vectors: (n, d) float32.
        labels: (n,) float64 that must be equal as well, or None.
    """
    hashes = _hash_rows(vectors)
    if labels is not None:
        hashes ^= _hash_rows(labels[:, None].view(np.float32))
    members = np.argsort(hashes, kind="stable")
    new = np.concatenate([[True], np.diff(hashes[members]) != 0])
    groups = _assemble(members, np.flatnonzero(new))
    unlike = _unlike_first(vectors, labels, groups)
    if len(unlike):
        collided = np.zeros(len(groups.first), dtype=np.bool_)
        collided[groups.group[unlike]] = True
        groups = _assemble(members, np.flatnonzero(new | collided[groups.group[members]]))
    return groups


def _assemble(members: NDArray[np.int64], starts: NDArray[np.int64]) -> IdenticalRows:
    """Groups that begin at `starts` of `members`, put into the order of their first rows."""
    sizes = np.diff(np.concatenate([starts, [len(members)]]))
    order = np.argsort(members[starts])
    sizes, starts = sizes[order], starts[order]
    indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    members = members[np.repeat(starts - indptr[:-1], sizes) + np.arange(len(members))]
    group = np.empty(len(members), dtype=np.int64)
    group[members] = np.repeat(np.arange(len(sizes)), sizes)
    return IdenticalRows(members[indptr[:-1]], group, indptr, members)


def _hash_rows(vectors: NDArray[np.float32]) -> NDArray[np.uint64]:
    """A 64-bit hash of each row: its 32-bit words times random odd numbers, summed modulo 2^64."""
    n, d = vectors.shape
    factors = np.random.default_rng(0x5EED).integers(0, 1 << 63, size=d, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    hashes = np.empty(n, dtype=np.uint64)
    step = max(1, _BLOCK_BYTES // (8 * d))
    for start in range(0, n, step):
        words = np.ascontiguousarray(vectors[start : start + step]).view(np.uint32)
        hashes[start : start + step] = (words * factors).sum(axis=1, dtype=np.uint64)
    return hashes


def _unlike_first(vectors: NDArray[np.float32], labels: NDArray[np.float64] | None, groups: IdenticalRows) -> NDArray[np.int64]:
    """Rows that differ from the first of their group."""
    first = groups.first[groups.group]
    copies = np.flatnonzero(first != np.arange(len(vectors)))
    unlike = np.zeros(len(copies), dtype=np.bool_)
    step = max(1, _BLOCK_BYTES // (8 * vectors.shape[1]))
    for start in range(0, len(copies), step):
        rows = copies[start : start + step]
        unlike[start : start + step] = (vectors[rows].view(np.uint32) != vectors[first[rows]].view(np.uint32)).any(axis=1)
    if labels is not None:
        unlike |= labels[copies] != labels[first[copies]]
    return copies[unlike]
