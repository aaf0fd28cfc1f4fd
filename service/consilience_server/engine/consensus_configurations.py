"""Spaces of the same items as a consensus reads them: centred vectors, or centred kernels."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.consensus import centred_kernel, scaled_coordinates
from consilience_server.core.control import Control
from consilience_server.core.errors import ConstantFeatures
from consilience_server.core.kernel_kind import KernelKind

BLOCK = 4096
_CONSTANT = 1e-20


@dataclass(frozen=True)
class Configurations:
    """M spaces of the same n items, centred on the way; cross products are computed once, in float64.

    Attributes:
        names: of the spaces, for errors.
        arrays: (n, d_i) vectors, or the (n, n) matrix of a kernel space.
        unit: for each, whether rows of vectors count by their direction only (cosine).
        kernels: for each, what its matrix is, None for vectors; empty where all are vectors.
    """

    names: Sequence[str]
    arrays: Sequence[NDArray[np.floating]]
    unit: Sequence[bool]
    kernels: Sequence[KernelKind | None] = ()

    def kernel(self, at: int) -> KernelKind | None:
        """What the matrix of a space is; None for vectors."""
        return self.kernels[at] if self.kernels else None

    @property
    def n(self) -> int:
        """Items."""
        return len(self.arrays[0])

    @cached_property
    def edges(self) -> NDArray[np.int64]:
        """(M + 1,) where each space's columns begin when all stand side by side."""
        return np.cumsum([0, *(array.shape[1] for array in self.arrays)])

    @cached_property
    def means(self) -> list[NDArray[np.float64]]:
        """Column means; ConstantFeatures where a space has no variance."""
        found = []
        for at, name in enumerate(self.names):
            total, squares = np.zeros(self.arrays[at].shape[1]), 0.0
            for start in range(0, self.n, BLOCK):
                block = self._rows(at, start)
                total += block.sum(axis=0)
                squares += float((block * block).sum())
            mean = total / self.n
            spread = sum(float(((self._rows(at, start) - mean) ** 2).sum()) for start in range(0, self.n, BLOCK))
            if spread <= _CONSTANT * squares:
                raise ConstantFeatures(f"all common items have the same vector in {name}; it has no geometry to agree with", field="spaces")
            found.append(mean)
        return found

    def _rows(self, at: int, start: int) -> NDArray[np.float64]:
        block = self.arrays[at][start : start + BLOCK].astype(np.float64)
        if self.unit[at]:
            block /= np.linalg.norm(block, axis=1, keepdims=True)
        return block

    def centred(self, at: int, start: int) -> NDArray[np.float64]:
        """A block of rows of one space, minus its means."""
        return self._rows(at, start) - self.means[at]

    def whole(self, at: int) -> NDArray[np.float64]:
        """All rows of one space, minus its means."""
        return np.concatenate([self.centred(at, start) for start in range(0, self.n, BLOCK)])

    def side_by_side(self, members: Sequence[int], start: int) -> NDArray[np.float64]:
        """A block of rows of several spaces, minus their means, columns side by side."""
        return np.concatenate([self.centred(at, start) for at in members], axis=1)

    def gram(self, at: int) -> NDArray[np.float64]:
        """(n, n) the centred kernel of a space: of its vectors, or of its matrix; ConstantFeatures where there is nothing to it."""
        kind = self.kernel(at)
        if kind is not None:
            return centred_kernel(self.arrays[at], kind, self.names[at])
        rows = self.whole(at)
        return rows @ rows.T

    def thin(self, control: Control) -> tuple["Configurations", Sequence[float]]:
        """The same up to rotations, every space of fewer columns than items: kernels and wider vectors by classical scaling.

        Generalised Procrustes turns every space anyway, so that nothing but rounding depends on it. O(n^3) and 24 n^2 bytes a space.

        Returns:
            The configurations, and of each space the share of its kernel's spectrum that is negative, which no points have.
        """
        arrays, shares = list(self.arrays), [0.0] * len(self.arrays)
        for at, array in enumerate(self.arrays):
            if self.kernel(at) is not None or array.shape[1] > self.n:
                control.check()
                arrays[at], shares[at] = scaled_coordinates(self.gram(at))
        made = [array is not own for array, own in zip(arrays, self.arrays, strict=True)]
        return Configurations(self.names, arrays, [unit and not new for unit, new in zip(self.unit, made, strict=True)]), shares
