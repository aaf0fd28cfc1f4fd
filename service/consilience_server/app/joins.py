"""Which items spaces have in common, joined by item id."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.tables import item_digest
from consilience_server.core.errors import NoCommonItems
from consilience_server.core.query_sample import sampling_keys
from consilience_server.engine.snapshot import Snapshot


@dataclass(frozen=True)
class Join:
    """Items common to several snapshots.

    Attributes:
        ids: (n,) the common ids, ascending in byte order.
        rows: for each snapshot (n,) int64, the row of each common item.
        digest: of the ids.
        fold_groups: (n,) int64, the group of each item that folds of a cross-validation must not split; None where items stand for
            themselves.
        same: (n,) int64, the group of each item whose items are the same thing; None where every item is another.
        strata: (n,) int64, the stratum of each item that queries are sampled from; None where they are sampled from all alike.
    """

    ids: NDArray[np.object_]
    rows: tuple[NDArray[np.int64], ...]
    digest: str
    fold_groups: NDArray[np.int64] | None = None
    strata: NDArray[np.int64] | None = None
    same: NDArray[np.int64] | None = None

    @cached_property
    def sampling_keys(self) -> NDArray[np.uint64]:
        """(n,) what samples of the items are chosen by (`core/query_sample.py`); O(n) hashes, once."""
        return sampling_keys(self.ids.tolist())

    @property
    def n(self) -> int:
        """Number of common items."""
        return len(self.ids)

    def of(self, *snapshots: int) -> "Join":
        """The same items in some of the snapshots, by their numbers."""
        return Join(self.ids, tuple(self.rows[number] for number in snapshots), self.digest, self.fold_groups, self.strata, self.same)

    def some(self, chosen: NDArray[np.int64]) -> "Join":
        """Some of the items, by ascending position."""
        ids = self.ids[chosen]
        digest = item_digest([str(item) for item in ids])
        folds, strata, same = (None if of is None else of[chosen] for of in (self.fold_groups, self.strata, self.same))
        return Join(ids, tuple(rows[chosen] for rows in self.rows), digest, folds, strata, same)


def join(snapshots: Sequence[Snapshot], field: str = "y") -> Join:
    """The items that all snapshots have; NoCommonItems of the request's `field` where there are none."""
    common = snapshots[0].ids
    for other in snapshots[1:]:
        if len(other.ids) != len(common) or not np.array_equal(common, other.ids):
            common = np.intersect1d(common, other.ids, assume_unique=True)
    if len(common) == 0:
        names = ", ".join(snapshot.name for snapshot in snapshots)
        sizes = ", ".join(f"{snapshot.n:,}" for snapshot in snapshots)
        raise NoCommonItems(f"{names} ({sizes} items) share no item id; alignment joins items by id", field=field)
    rows = tuple(
        np.arange(snapshot.n) if len(snapshot.ids) == len(common) else np.searchsorted(snapshot.ids, common).astype(np.int64)
        for snapshot in snapshots
    )
    return Join(common, rows, item_digest([str(item) for item in common]))
