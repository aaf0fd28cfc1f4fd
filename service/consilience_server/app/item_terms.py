"""The per-item terms of corrections: what each item's nearness to everything takes from its scores, computed once and kept.

A term is one number an item, for a pair of versions, a bridge and the correction's own number. It is kept under the memory budget, shared
by every query, and named by what it was computed from, so it is never stale; a caller who leaves stops a computation that is his.
"""

import asyncio
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.call import Call
from consilience_server.app.correction import Correction
from consilience_server.app.derived_vectors import DerivedVectors
from consilience_server.app.ports import Metrics
from consilience_server.app.tables import Tables, TableSubject, item_digest
from consilience_server.core.csls import neighbourhood_mean
from consilience_server.core.errors import InvalidK, TooFewItems
from consilience_server.core.similarity import Similarity
from consilience_server.engine.bank_partition import log_partition, partition_bytes
from consilience_server.engine.protocol import NeighbourEngine
from consilience_server.engine.snapshot import Snapshot


@dataclass(frozen=True)
class Side:
    """One side of a search: the vectors as they are compared, and which version of which space they come from."""

    uid: str
    version: int
    vectors: NDArray[np.float32]


@dataclass(frozen=True)
class ItemTerms:
    """The terms of all items of a gallery under one correction.

    `bias` (n,) float64 is what an engine subtracts from twice the similarity (`engine/protocol.py`), as one dimension more would:

    | correction | bias(t) | of v = 2 s(q, t) - bias(t), the score |
    |---|---|---|
    | csls | r_S(t) | v - r_T(q) |
    | margin_distance | r_S(t) | (v - r_T(q)) / 2 |
    | inverted_softmax | 2 L(t) / b | v b / 2 |
    | margin_ratio | r_S(t) | no function of v: `engine/ratio_search.py` ranks by the ratio itself |
    """

    correction: Correction
    bias: NDArray[np.float64]

    def of(self, rows: NDArray[np.int64]) -> "ItemTerms":
        """The terms of some of the items."""
        return replace(self, bias=self.bias[rows])

    def scores(self, ranked: NDArray[np.float64], near: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """The scores of an additive correction.

        Args:
            ranked: (m, k) float64, v of the table.
            near: (m,) r_T of the queries; None for `inverted_softmax`, which has none.
        """
        if near is None:
            return ranked * (self.correction.beta / 2.0)
        scores: NDArray[np.float64] = ranked - near[:, None]
        return scores / 2.0 if self.correction.name == "margin_distance" else scores


class TermSource:
    """Computes and keeps terms. Neighbourhoods are exact (`core/csls.py`), sums over a bank those of `engine/bank_partition.py`."""

    def __init__(self, derived: DerivedVectors, tables: Tables, engine: NeighbourEngine, metrics: Metrics) -> None:
        self._derived = derived
        self._tables = tables
        self._engine = engine
        self._metrics = metrics

    async def within(self, call: Call, snapshot: Snapshot, correction: Correction) -> ItemTerms:
        """Of every item of a space among the others of the same space, itself excluded.

        Raises:
            InvalidK: a neighbourhood of as many items as there are, or more.
            TooFewItems: a bank without another item.
            MemoryBudget, Overloaded.
        """
        key = (snapshot.uid, str(snapshot.version), "itself")
        if not correction.has_neighbourhoods:
            if snapshot.n < 2:
                message = f"{snapshot.name} has {snapshot.n} items; {correction.name} needs another one as its bank"
                raise TooFewItems(message, field="space")
            return await self._partition(call, key, snapshot.vectors, snapshot.vectors, correction, itself=True)
        k = correction.k
        _check_neighbourhood(k, snapshot.n - 1, f"{snapshot.name} has {snapshot.n:,} items")
        digest = await asyncio.to_thread(item_digest, snapshot.ids.tolist())
        subject = TableSubject(snapshot.uid, snapshot.version, digest, "none")
        async with self._tables.hold(call, subject, snapshot.vectors, snapshot.ids, snapshot.similarity, k) as table:
            term = await self._derived.term(call, (*key, str(k)), lambda: neighbourhood_mean(table.scores, k), 16 * snapshot.n)
        return ItemTerms(correction, term)

    async def across(self, call: Call, of: Side, among: Side, similarity: Similarity, bridge_uid: str, correction: Correction) -> ItemTerms:
        """Of every item of one side among all items of the other.

        Args:
            call: pays where the terms are not there yet.
            of: whose terms.
            among: the items its nearest are sought in, the bank.
            similarity: how nearness is measured; cosine for `inverted_softmax`.
            bridge_uid: of the bridge that brought both sides together, empty where none did.
            correction: which terms.

        Raises:
            InvalidK: a neighbourhood above the other side's size.
            TooFewItems: an empty bank.
            MemoryBudget, Overloaded.
        """
        key = (bridge_uid, of.uid, str(of.version), among.uid, str(among.version))
        if not correction.has_neighbourhoods:
            if not len(among.vectors):
                raise TooFewItems(f"the other side has no items; {correction.name} needs a bank of them", field="correction")
            return await self._partition(call, key, of.vectors, among.vectors, correction, itself=False)
        k = correction.k
        _check_neighbourhood(k, len(among.vectors), f"the other side has {len(among.vectors):,} items")

        def compute() -> NDArray[np.float64]:
            table = self._engine.query(of.vectors, among.vectors, similarity, k, control=call.control)
            certificate = table.certificate
            self._metrics.rows(certificate.backend, certificate.certified_rows, certificate.refined_rows)
            return neighbourhood_mean(table.scores, k)

        nbytes = self._engine.query_bytes(len(of.vectors), len(among.vectors), of.vectors.shape[1], k)
        return ItemTerms(correction, await self._derived.term(call, (*key, str(k)), compute, nbytes))

    async def _partition(
        self,
        call: Call,
        key: tuple[str, ...],
        items: NDArray[np.float32],
        bank: NDArray[np.float32],
        correction: Correction,
        *,
        itself: bool,
    ) -> ItemTerms:
        beta = correction.beta

        def compute() -> NDArray[np.float64]:
            return log_partition(items, bank, beta, call.control, itself=itself) * (2.0 / beta)

        term = await self._derived.term(call, (*key, *correction.parameters), compute, partition_bytes(*items.shape))
        return ItemTerms(correction, term)


def _check_neighbourhood(k: int, most: int, why: str) -> None:
    if k > most:
        raise InvalidK(f"correction_k is {k}, but {why}, so it may be at most {most}", field="correction_k", k=k, limit=most)
