"""Probabilities of matches through a bridge: calibrated once for a bridge, its gallery, a correction and k, on pairs it has not seen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.correction import CorrectionName
from consilience_server.app.derived_vectors import DerivedVectors
from consilience_server.app.fitted_items import new_pairs_bytes
from consilience_server.app.gallery_search import Search, find, find_bytes
from consilience_server.app.match_query import MatchQuery
from consilience_server.app.ports import Metrics
from consilience_server.app.unseen_pairs import unseen_pairs
from consilience_server.bridges.apply import map_vectors
from consilience_server.bridges.artefact import BridgeArtefact
from consilience_server.bridges.held_out_retrieval import MAX_HELD_OUT_QUERIES
from consilience_server.core.errors import ZeroVector
from consilience_server.core.match_calibration import LEAST_PAIRS, MatchCalibration, fit_calibration
from consilience_server.engine.protocol import NeighbourEngine
from consilience_server.engine.snapshot import Snapshot

_LEAST_REST = 1e-12
"""Of a sum without a query that is nearly all of it."""


class MatchProbabilities:
    """Calibrates matches.

    Args:
        derived: keeps calibrations within the memory budget.
        pool: where held-out pairs are matched.
        engine: matches them.
        metrics: hears of the searches.
    """

    def __init__(self, derived: DerivedVectors, pool: ComputePool, engine: NeighbourEngine, metrics: Metrics) -> None:
        self._derived = derived
        self._pool = pool
        self._engine = engine
        self._metrics = metrics

    async def calibration(
        self, call: Call, query: MatchQuery, artefact: BridgeArtefact, search: Search, source: Snapshot, target: Snapshot
    ) -> tuple[MatchCalibration | None, str]:
        """The model for this gallery as it is searched, or None and why there is none.

        Held-out are the items that both spaces have now, without the pairs of the fit and near-copies of those (`app/unseen_pairs.py`).

        Args:
            call: pays where it is not there yet.
            query: what was asked.
            artefact: the bridge.
            search: queries and gallery where they meet, with the terms of the correction.
            source: the bridge's source space.
            target: the gallery's space.

        Raises:
            MemoryBudget, Overloaded.
        """
        why = _never(query, artefact)
        if why:
            return None, why
        ready = await self._derived.ready_map(call, artefact)

        def fit() -> _Kept:
            try:
                pairs = unseen_pairs((), (), artefact, source, target, call.control)
            except ZeroVector as error:
                return _Kept(None, f"the bridge's spaces hold zero vectors: {error.message}")
            if len(pairs.source_rows) < LEAST_PAIRS:
                seen = f"{pairs.seen + pairs.near_copies:,} others are those of the fit or near-copies"
                common = f"the spaces have {len(pairs.source_rows):,} items in common that the bridge has not seen ({seen})"
                return _Kept(None, f"{common}; {LEAST_PAIRS} are needed")
            vectors = map_vectors(ready, source.vectors[pairs.source_rows], call.control.silent(), pairs.source_ids)
            asked = Search(vectors, search.gallery, search.similarity, None, search.terms)
            found = find(asked, query.k, self._engine, self._metrics, call.control)
            hits = found.rows == pairs.target_rows[:, None]
            scores = as_if_new(found.scores, query.correction)
            return _Kept(fit_calibration(scores, np.where(hits.any(axis=1), hits.argmax(axis=1), -1).astype(np.int64)))

        key = ("calibration", artefact.uid, source.uid, str(source.version), target.uid, str(target.version))
        most = Search(np.empty((MAX_HELD_OUT_QUERIES, ready.width), np.float32), search.gallery, search.similarity, None, search.terms)
        nbytes = find_bytes(most, query.k, self._engine) + new_pairs_bytes(source, target)
        kept = await self._derived.kept(call, "scan", (*key, *query.corrected.parameters, str(query.k)), fit, nbytes, "tables")
        return kept.calibration, kept.why


def as_if_new(scores: NDArray[np.float64], correction: CorrectionName) -> NDArray[np.float64]:
    """Scores that queries of the bank would have if they were not in it, as new queries are not: what calibration sees.

    Of the inverted softmax a query of the bank stands in its own sum: log(e^(b s) / (S - e^(b s))) = p - log(1 - e^p) for the score p. In
    the neighbourhoods of the other corrections it is one of k at most, and is left there.
    """
    if correction != "inverted_softmax":
        return scores
    new: NDArray[np.float64] = scores - np.log(np.maximum(-np.expm1(np.minimum(scores, 0.0)), _LEAST_REST))
    return new


@dataclass(frozen=True)
class _Kept:
    """A model, or why there is none."""

    calibration: MatchCalibration | None
    why: str = ""

    @property
    def nbytes(self) -> int:
        return 200 + len(self.why)


def _never(query: MatchQuery, artefact: BridgeArtefact) -> str:
    """Why matches asked like this cannot be calibrated, whatever the pairs; empty where they can."""
    if query.index is not None:
        return "an approximate index may miss the rivals that the probability weighs; name the index exact"
    if query.filtered:
        return "known pairs tell nothing of part of the gallery, which the partner may not be in; leave the filter out"
    if query.one_to_one:
        return "an assignment weighs queries against each other, and was not calibrated; ask without one_to_one"
    if artefact.fit_keys is None:
        return "the bridge does not tell which pairs it was fitted on, so none are known to be new to it; fit it again"
    return ""
