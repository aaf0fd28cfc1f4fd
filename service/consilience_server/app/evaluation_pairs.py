"""What a bridge is measured on: pairs that it was not fitted on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.fitted_items import Masks, new_pairs
from consilience_server.app.joined_pairs import FIELD
from consilience_server.app.known_pairs import KnownPairs, check_directions, check_gallery, known_pairs
from consilience_server.app.shared_values import Values
from consilience_server.bridges.artefact import BridgeArtefact, pair_keys
from consilience_server.bridges.held_out_retrieval import MAX_HELD_OUT_QUERIES, FitProblem
from consilience_server.bridges.joined_values import JoinedValues
from consilience_server.core.control import Control
from consilience_server.core.errors import TooFewPairs
from consilience_server.core.tie_order import tie_keys
from consilience_server.engine.snapshot import Snapshot


@dataclass(frozen=True)
class EvaluationPairs:
    """At most 4,096 queries in an order by hash.

    Attributes:
        pairs: of each query, with its partner, or one of them.
        fitted: pairs, or source items, left out because the bridge was fitted on them, or on others of their value.
        joined: where an attribute joins the pairs.
        notes: on what else was left out, and on what weakens the rest.
    """

    pairs: KnownPairs
    fitted: int
    joined: JoinedValues | None = None
    notes: tuple[str, ...] = ()

    def problem(self, source: Snapshot, target: Snapshot) -> FitProblem:
        """The test, without a fit."""
        return FitProblem(
            x=source.vectors[:0],
            y=target.vectors[:0],
            queries=source.vectors[self.pairs.source_rows],
            partners=self.pairs.target_rows,
            gallery=target.vectors,
            query_ids=self.pairs.source_ids,
            gallery_ids=target.ids,
            similarity=target.similarity,
            joined=self.joined,
        )


def pairs_by_id(
    item_ids: Sequence[str],
    target_ids: Sequence[str],
    artefact: BridgeArtefact,
    mates: Masks,
    source: Snapshot,
    target: Snapshot,
    control: Control,
) -> EvaluationPairs:
    """The pairs that nothing of the fit gives away (`app/fitted_items.py`); TooFewPairs where there is none."""
    pairs = known_pairs(item_ids, target_ids, source, target)
    new = new_pairs(pairs, artefact, mates, source, target, control)
    kept = new.kept
    if new.fitted == len(pairs.source_ids):
        raise TooFewPairs(
            f"bridge {artefact.name!r} was fitted on all {new.fitted:,} of these pairs; give pairs it has not seen", field="pairs"
        )
    if not len(kept):
        raise TooFewPairs(
            f"bridge {artefact.name!r} was fitted on {new.fitted:,} of these {len(pairs.source_ids):,} pairs, {new.grouped:,} have the "
            f"group_id of one that it was fitted on, and {new.copies:,} are near-copies of such; give pairs of other items",
            field="pairs",
        )
    some = KnownPairs(pairs.source_ids[kept], pairs.target_ids[kept], pairs.source_rows[kept], pairs.target_rows[kept])
    return EvaluationPairs(some, new.fitted, notes=new.notes)


def pairs_by_value(values: Values, attribute: str, artefact: BridgeArtefact, source: Snapshot, target: Snapshot) -> EvaluationPairs:
    """The source items whose value the target has too, and no item of which the bridge was fitted on.

    Args:
        values: of `shared_values`.
        attribute: whose they are.
        artefact: the bridge.
        source: its space as it is now.
        target: likewise.

    Raises:
        TooFewPairs: the bridge was fitted on some item of every value.
        ZeroVector: an item has no direction.
    """
    shared = np.intersect1d(*values)
    shared = shared[shared >= 0]
    target_keys = artefact.fit_keys if artefact.fit_target_keys is None else artefact.fit_target_keys
    sides = zip(values, (source, target), (artefact.fit_keys, target_keys), strict=True)
    unseen = np.setdiff1d(shared, np.concatenate([_fitted(of, snapshot.ids, keys) for of, snapshot, keys in sides]))
    if not len(unseen):
        raise TooFewPairs(
            f"bridge {artefact.name!r} was fitted on items of all {len(shared):,} values of {attribute!r} that both spaces have; give "
            "items of others",
            field=FIELD,
        )
    rows = np.flatnonzero(np.isin(values[0], unseen))
    fitted = int(np.isin(values[0], shared).sum()) - len(rows)
    rows = rows[_order(artefact, source.ids[rows])]
    by_value = np.argsort(values[1], kind="stable")
    partners = by_value[np.searchsorted(values[1][by_value], values[0][rows])]
    check_directions(source, rows, FIELD)
    check_gallery(target)
    pairs = KnownPairs(source.ids[rows], target.ids[partners], rows, partners)
    return EvaluationPairs(pairs, fitted, JoinedValues(np.zeros(0, dtype=np.int64), values[0][rows], values[1]))


def _fitted(values: NDArray[np.int64], ids: NDArray[np.object_], keys: NDArray[np.uint64] | None) -> NDArray[np.int64]:
    """Values of items that a bridge was fitted on; none where it does not tell."""
    having = np.flatnonzero(values >= 0)
    if keys is None:
        return values[:0]
    return np.unique(values[having[np.isin(pair_keys(ids[having]), keys)]])


def _order(artefact: BridgeArtefact, ids: NDArray[np.object_]) -> NDArray[np.intp]:
    """That of the split of the fit, so that its held-out pairs alone give its held-out report, to the bit."""
    return np.argsort(tie_keys(f"held-out:{artefact.seed}", ids), kind="stable")[:MAX_HELD_OUT_QUERIES]
