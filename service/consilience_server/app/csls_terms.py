"""The per-item terms of CSLS: how near each item is to its nearest others, computed once for a pair of versions and kept."""

import asyncio
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.call import Call
from consilience_server.app.derived_vectors import DerivedVectors
from consilience_server.app.ports import Metrics
from consilience_server.app.tables import Tables, TableSubject, item_digest
from consilience_server.core.csls import neighbourhood_mean
from consilience_server.core.errors import InvalidK
from consilience_server.core.similarity import Similarity
from consilience_server.engine.protocol import NeighbourEngine
from consilience_server.engine.snapshot import Snapshot


@dataclass(frozen=True)
class Side:
    """One side of a search: the vectors as they are compared, and which version of which space they come from."""

    uid: str
    version: int
    vectors: NDArray[np.float32]


class CslsTerms:
    """Computes r(x), the mean similarity of x to its k nearest items of the other side (`core/csls.py`)."""

    def __init__(self, derived: DerivedVectors, tables: Tables, engine: NeighbourEngine, metrics: Metrics) -> None:
        self._derived = derived
        self._tables = tables
        self._engine = engine
        self._metrics = metrics

    async def within(self, call: Call, snapshot: Snapshot, k: int) -> NDArray[np.float64]:
        """Of every item of a space among the others of the same space, itself excluded, (n,) float64. InvalidK for k >= n."""
        _check_neighbourhood(k, snapshot.n - 1, f"{snapshot.name} has {snapshot.n:,} items")
        digest = await asyncio.to_thread(item_digest, snapshot.ids.tolist())
        subject = TableSubject(snapshot.uid, snapshot.version, digest, "none")
        key = (snapshot.uid, str(snapshot.version), "itself", str(k))
        async with self._tables.hold(call, subject, snapshot.vectors, snapshot.ids, snapshot.similarity, k) as table:
            return await self._derived.term(call, key, lambda: neighbourhood_mean(table.scores, k), 16 * snapshot.n)

    async def across(self, call: Call, of: Side, among: Side, similarity: Similarity, bridge_uid: str, k: int) -> NDArray[np.float64]:
        """Of every item of one side among all items of the other, (n,) float64. InvalidK for k above the other side's size.

        Args:
            call: pays for the scan where the term is not there yet.
            of: whose term.
            among: the items its nearest are sought in.
            similarity: how nearness is measured.
            bridge_uid: of the bridge that brought both sides together, empty where none did.
            k: size of the neighbourhood.
        """
        _check_neighbourhood(k, len(among.vectors), f"the other side has {len(among.vectors):,} items")

        def compute() -> NDArray[np.float64]:
            table = self._engine.query(of.vectors, among.vectors, similarity, k, control=call.control)
            certificate = table.certificate
            self._metrics.rows(certificate.backend, certificate.certified_rows, certificate.refined_rows)
            return neighbourhood_mean(table.scores, k)

        key = (bridge_uid, of.uid, str(of.version), among.uid, str(among.version), str(k))
        nbytes = self._engine.query_bytes(len(of.vectors), len(among.vectors), of.vectors.shape[1], k)
        return await self._derived.term(call, key, compute, nbytes)


def _check_neighbourhood(k: int, most: int, why: str) -> None:
    if k > most:
        raise InvalidK(f"correction_k is {k}, but {why}, so it may be at most {most}", field="correction_k", k=k, limit=most)
