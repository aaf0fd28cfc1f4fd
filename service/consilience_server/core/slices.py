"""Slices of the items: those with one value of an attribute, or with one beginning of the id."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.errors import InvalidArgument


@dataclass(frozen=True)
class Slices:
    """Every item in one slice.

    Attributes:
        values: what the items of each slice have in common, ascending.
        of: (n,) int64, the slice of each item.
    """

    values: tuple[str, ...]
    of: NDArray[np.int64]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(S,) items of each slice; none is empty unless items were left out by `some`."""
        return np.bincount(self.of, minlength=len(self.values)).astype(np.int64)

    def some(self, rows: NDArray[np.int64]) -> "Slices":
        """The slices of some items; those that none of them is in are gone."""
        present, of = np.unique(self.of[rows], return_inverse=True)
        return Slices(tuple(self.values[at] for at in present), of.astype(np.int64))


def slices_of(labels: Sequence[str]) -> Slices:
    """The items by their labels; labels ascend in the order of their characters."""
    values, of = np.unique(np.array(labels, dtype=object), return_inverse=True)
    return Slices(tuple(str(value) for value in values), of.astype(np.int64))


def prefix_slices(ids: Sequence[str], end: str, field: str) -> Slices:
    """The items by the part of the id before the first `end`.

    Raises:
        InvalidArgument: ids in which it does not occur.
    """
    without = [item for item in ids if end not in item]
    if without:
        raise InvalidArgument(
            f"{len(without):,} of {len(ids):,} ids have no {end!r}, {without[0]!r} among them; name what ends the prefix of every id",
            field=field,
        )
    return slices_of([item.partition(end)[0] for item in ids])
