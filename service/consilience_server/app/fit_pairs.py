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
from consilience_server.bridges.clean_split import CleanSplit, clean_split
from consilience_server.bridges.held_out import Split, near_copies, split_pairs
from consilience_server.bridges.held_out_retrieval import MAX_HELD_OUT_QUERIES, FitProblem
from consilience_server.bridges.joined_values import JoinedValues
from consilience_server.core.control import Control
from consilience_server.core.errors import TooFewPairs
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

    def split(self, fraction: float, seed: int, needed: int, source: Snapshot, target: Snapshot, control: Control) -> CleanSplit:
        """What is fitted on and what is asked; joined pairs are kept together by value, others by their groups and equal vectors.

        TooFewPairs where copies leave fewer than `needed` for the fit.
        """
        ids, (x, y) = self.pairs.source_ids.tolist(), (source.vectors, target.vectors)
        of_x, of_y = self.pairs.source_rows, self.pairs.target_rows
        if self.joined is None:
            return clean_split(ids, ((x, of_x), (y, of_y)), fraction, seed, self.groups, needed, control)
        whole = split_pairs(ids, fraction, seed, self.groups)
        fit, held = whole.fit, self._asked(whole)[1]
        copies = near_copies(x[of_x[fit]], y[of_y[fit]], x[of_x[held]], y[of_y[held]], control)
        left = fit[~copies]
        if copies.any() and len(left) < needed:
            raise TooFewPairs(
                f"{int(copies.sum()):,} of the {len(fit):,} pairs for the fit are nearly the same as held-out ones, and {len(left):,} "
                "others are left: give pairs of more items",
                field="pairs",
                near_copies=int(copies.sum()),
            )
        return CleanSplit(Split(left, whole.held_out), int(copies.sum()), None, ())

    def split_bytes(self, source: Snapshot, target: Snapshot) -> int:
        """Of `split`: rows in float32, unit rows in float64, blocks of cosines of both sides, links of equal vectors."""
        pairs = len(self.pairs.source_ids)
        held = min(pairs, MAX_HELD_OUT_QUERIES if self.joined is None else MOST_HELD_OUT)
        return 20 * (pairs + held) * (source.dim + target.dim) + 18 * min(pairs, 2048) * held + 200 * pairs

    def problem(self, clean: CleanSplit, source: Snapshot, target: Snapshot) -> FitProblem:
        """The fit and its test."""
        fit, (held, _) = clean.split.fit, self._asked(clean.split)
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
            groups=clean.groups,
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
