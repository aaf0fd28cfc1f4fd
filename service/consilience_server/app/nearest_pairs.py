"""The best of every item on the other side, from both sides: computed once for two versions and a correction, and read by all modes."""

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.call import Call
from consilience_server.app.correction import Correction
from consilience_server.app.derived_vectors import DerivedVectors
from consilience_server.app.gallery_search import Search, find_bytes, ranked
from consilience_server.app.item_terms import ItemTerms, Side, TermSource
from consilience_server.app.ports import Metrics
from consilience_server.core.control import Control
from consilience_server.core.pair_modes import Candidates, PairMode, select_pairs
from consilience_server.core.pair_scores import PairCorrection, pair_scores
from consilience_server.core.similarity import Similarity
from consilience_server.engine.protocol import NeighbourEngine

_SELECT_BYTES = 120
"""Of a candidate while pairs are put in order."""


@dataclass(frozen=True)
class _OneWay:
    """Of every item of one side: row, similarity and score of its best on the other."""

    partners: NDArray[np.int32]
    similarities: NDArray[np.float64]
    scores: NDArray[np.float64]

    @property
    def nbytes(self) -> int:
        return self.partners.nbytes + self.similarities.nbytes + self.scores.nbytes


@dataclass(frozen=True)
class _BothWays:
    forward: _OneWay
    backward: _OneWay

    @property
    def nbytes(self) -> int:
        return self.forward.nbytes + self.backward.nbytes


@dataclass(frozen=True)
class PairTable:
    """The pairs of a mode in order: (p,) rows, similarities and scores. A threshold or a limit keeps its beginning."""

    sources: NDArray[np.int32]
    targets: NDArray[np.int32]
    similarities: NDArray[np.float64]
    scores: NDArray[np.float64]

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.sources.nbytes + self.targets.nbytes + self.similarities.nbytes + self.scores.nbytes

    def count_from(self, threshold: float) -> int:
        """How many pairs have at least this score: they are the first ones."""
        return len(self.scores) - int(np.searchsorted(self.scores[::-1], threshold, side="left"))


def meeting_key(bridge_uid: str, source: tuple[str, int], target: tuple[str, int]) -> tuple[str, ...]:
    """Names two versions where they meet: (uid, version) each, and the bridge, empty without one."""
    return (bridge_uid, *(part for uid, version in (source, target) for part in (uid, str(version))))


@dataclass(frozen=True)
class Meeting:
    """Both sides where they meet; `bridge_uid` is empty where no bridge brought them together."""

    source: Side
    target: Side
    similarity: Similarity
    bridge_uid: str

    @property
    def key(self) -> tuple[str, ...]:
        """Names them."""
        return meeting_key(self.bridge_uid, (self.source.uid, self.source.version), (self.target.uid, self.target.version))


class NearestPairs:
    """Finds the pairs of two sides; both searches and the ordered pairs of a mode stay while the memory budget has room."""

    def __init__(self, derived: DerivedVectors, terms: TermSource, engine: NeighbourEngine, metrics: Metrics) -> None:
        self._derived = derived
        self._terms = terms
        self._engine = engine
        self._metrics = metrics

    async def table(self, call: Call, meeting: Meeting, correction: Correction, mode: PairMode) -> PairTable:
        """The pairs of a mode, by descending score, then source row, then target row.

        Raises:
            InvalidK: a neighbourhood above the other side's size.
            MemoryBudget, Overloaded, DeadlineExceeded.
        """
        key = ("pairs", *meeting.key, *correction.parameters, mode)
        found: PairTable | None = self._derived.find(key)
        if found is not None:
            return found
        both = await self._both_ways(call.part(0.0, 0.95), meeting, correction)
        nbytes = _SELECT_BYTES * (len(both.forward.partners) + len(both.backward.partners))
        last = call.part(0.95, 1.0)
        return await self._derived.kept(call, "statistics", key, lambda: _select(mode, both, last.control), nbytes, "tables")

    def is_kept(self, key: tuple[str, ...], correction: Correction) -> bool:
        """Whether both searches of a `meeting_key` are there now, so that pairs cost no more than putting them in order."""
        return self._derived.is_kept(("nearest", *key, *correction.parameters))

    async def _both_ways(self, call: Call, meeting: Meeting, correction: Correction) -> _BothWays:
        key = ("nearest", *meeting.key, *correction.parameters)
        found: _BothWays | None = self._derived.find(key)
        if found is not None:
            return found
        left, right, similarity = meeting.source, meeting.target, meeting.similarity
        of_sources = of_targets = None
        start = 0.0
        if correction.has_neighbourhoods:
            first, second = call.part(0.0, 0.25), call.part(0.25, 0.5)
            of_targets = await self._terms.across(first, right, left, similarity, meeting.bridge_uid, correction)
            of_sources = await self._terms.across(second, left, right, similarity, meeting.bridge_uid, correction)
            start = 0.5
        middle = (start + 1.0) / 2
        ahead = Search(left.vectors, right.vectors, similarity, None, of_targets)
        back = Search(right.vectors, left.vectors, similarity, None, of_sources)

        def compute() -> _BothWays:
            return _BothWays(
                self._one_way(call.part(start, middle).control, ahead, of_sources, from_source=True),
                self._one_way(call.part(middle, 1.0).control, back, of_targets, from_source=False),
            )

        nbytes = max(find_bytes(search, 1, self._engine) for search in (ahead, back)) + 20 * (len(left.vectors) + len(right.vectors))
        return await self._derived.kept(call, "scan", key, compute, nbytes, "tables")

    def _one_way(self, control: Control, search: Search, own: ItemTerms | None, *, from_source: bool) -> _OneWay:
        """The best of every query; `own` are the terms of the queries."""
        found = ranked(search, 1, None if own is None else own.bias, self._engine, self._metrics, control)
        partners, similarities = np.ascontiguousarray(found.rows[:, 0]), np.ascontiguousarray(found.similarities[:, 0])
        if own is None or search.terms is None:
            return _OneWay(partners, similarities, similarities)
        name = cast("PairCorrection", own.correction.name)
        asked, met = own.bias, search.terms.bias[partners]
        terms = (asked, met) if from_source else (met, asked)
        return _OneWay(partners, similarities, pair_scores(name, similarities, *terms))


def _select(mode: PairMode, both: _BothWays, control: Control) -> PairTable:
    forward, backward = both.forward, both.backward
    pairs = select_pairs(mode, Candidates(forward.partners, forward.scores), Candidates(backward.partners, backward.scores), control)
    ahead = forward.partners[pairs.sources] == pairs.targets
    similarities = np.where(ahead, forward.similarities[pairs.sources], backward.similarities[pairs.targets])
    control.progress(1.0)
    return PairTable(pairs.sources.astype(np.int32), pairs.targets.astype(np.int32), similarities, pairs.scores)
