"""The pairs of a fit: which there are, which must stay together, and the problem that a split of them makes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.joined_pairs import FIELD, MOST_HELD_OUT, MOST_PAIRS, JoinedPairs, held_out_queries, joined_bytes, joined_pairs
from consilience_server.app.known_pairs import KnownPairs, known_pairs
from consilience_server.app.pair_groups import pair_groups
from consilience_server.app.shared_values import shared_values
from consilience_server.app.snapshots import Snapshots
from consilience_server.bridges.held_out import Split, near_copies
from consilience_server.bridges.held_out_retrieval import MAX_HELD_OUT_QUERIES, FitProblem
from consilience_server.bridges.joined_values import JoinedValues
from consilience_server.core.control import Control
from consilience_server.engine.snapshot import Snapshot


@dataclass(frozen=True)
class FitPairs:
    """Known pairs before a split.

    Attributes:
        pairs: by id, or joined by an attribute.
        groups: (n,) int64, equal for pairs that must stay on one side of a split; None: every pair stands alone.
        joined: where an attribute joined them.
    """

    pairs: KnownPairs
    groups: NDArray[np.int64] | None
    joined: JoinedPairs | None

    def near_copies(self, split: Split, source: Snapshot, target: Snapshot, control: Control) -> NDArray[np.bool_]:
        """Of the pairs of the fit, (f,); only held-out pairs that are asked count."""
        fit, held = split.fit, self._asked(split)[1]
        sides = ((source.vectors, self.pairs.source_rows), (target.vectors, self.pairs.target_rows))
        (x, held_x), (y, held_y) = ((vectors[rows[fit]], vectors[rows[held]]) for vectors, rows in sides)
        return near_copies(x, y, held_x, held_y, control)

    def copy_bytes(self, split: Split, source: Snapshot, target: Snapshot) -> int:
        """Of `near_copies`: rows in float32, unit rows in float64, blocks of cosines of both sides."""
        most = MAX_HELD_OUT_QUERIES if self.joined is None else MOST_HELD_OUT
        fit, held = len(split.fit), min(len(split.held_out), most)
        return (fit + held) * (source.dim + target.dim) * 20 + 18 * min(fit, 2048) * held

    def problem(self, split: Split, source: Snapshot, target: Snapshot) -> FitProblem:
        """The fit and its test."""
        fit, (held, _) = split.fit, self._asked(split)
        return FitProblem(
            x=source.vectors[self.pairs.source_rows[fit]],
            y=target.vectors[self.pairs.target_rows[fit]],
            queries=source.vectors[self.pairs.source_rows[held]],
            partners=self.pairs.target_rows[held],
            gallery=target.vectors,
            query_ids=self.pairs.source_ids[held],
            gallery_ids=target.ids,
            similarity=target.similarity,
            joined=self._values(fit, held),
        )

    def notes(self, attribute: str) -> Sequence[str]:
        """What must be known of the pairs."""
        if self.joined is None or not self.joined.capped:
            return ()
        joined = self.joined
        told = f"{joined.capped:,} values of {attribute!r} join more than {MOST_PAIRS} pairs: so many of each were taken, by a hash of"
        return (f"{told} their ids, and {joined.left_out:,} pairs were left out",)

    def _asked(self, split: Split) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Held-out pairs: one a query, and all that the near-copies of are left out of the fit."""
        if self.joined is None:
            return split.held_out, split.held_out[:MAX_HELD_OUT_QUERIES]
        return held_out_queries(self.pairs, split.held_out)

    def _values(self, fit: NDArray[np.int64], held: NDArray[np.int64]) -> JoinedValues | None:
        if self.joined is None or self.groups is None:
            return None
        return JoinedValues(self.groups[fit], self.joined.values[held], self.joined.gallery)


async def fit_pairs(
    snapshots: Snapshots,
    pool: ComputePool,
    call: Call,
    item_ids: Sequence[str],
    target_ids: Sequence[str],
    attribute: str,
    source: Snapshot,
    target: Snapshot,
) -> FitPairs:
    """The pairs asked for.

    Args:
        snapshots: of the attributes.
        pool: joins pairs.
        call: the caller.
        item_ids: source items; empty: all common items, or those that the attribute joins.
        target_ids: their partners where ids differ.
        attribute: joins pairs instead of ids; empty for none.
        source: of the bridge.
        target: of the bridge.

    Raises:
        ItemNotFound, NoCommonItems, InvalidAttribute, ZeroVector, MemoryBudget.
    """
    joined = None
    if attribute:
        values = await shared_values(snapshots, call, attribute, source, target, FIELD)
        joined = await pool.run(call, "load", lambda: joined_pairs(values, source, target), nbytes=joined_bytes(values))
        pairs = joined.pairs
    else:
        pairs = await pool.run(call, "load", lambda: known_pairs(item_ids, target_ids, source, target))
    rows = (source, pairs.source_rows, target, pairs.target_rows)
    return FitPairs(pairs, await pair_groups(snapshots, call, *rows, None if joined is None else joined.values), joined)
