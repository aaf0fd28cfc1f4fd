"""Who is whose partner where pairs were joined by an attribute, many-to-many."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class JoinedValues:
    """Values as whole numbers from 0.

    Attributes:
        fit: (f,) int64, equal for pairs of the fit that no fold may tear apart: those of one value, and values that are chained.
        queries: (h,) int64, the value of each query. All gallery items of it are its partners, and queries of one value are one draw.
        gallery: (n,) int64, the value of each gallery item, -1 for items without.
    """

    fit: NDArray[np.int64]
    queries: NDArray[np.int64]
    gallery: NDArray[np.int64]

    @property
    def fitted(self) -> int:
        """Independent draws among the pairs of the fit."""
        return len(np.unique(self.fit))

    def first_of_fit(self, share: float) -> NDArray[np.int64]:
        """Positions of the pairs of the first `share` of what may not be torn apart, in order of first appearance."""
        ranks = appearance(self.fit)
        return np.flatnonzero(ranks < int(share * self.fitted))


def appearance(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Groups numbered from 0 in the order of their first appearance, (n,) int64."""
    _, first, numbers = np.unique(groups, return_index=True, return_inverse=True)
    ranks = np.empty(len(first), dtype=np.int64)
    ranks[np.argsort(first)] = np.arange(len(first))
    return ranks[numbers]
