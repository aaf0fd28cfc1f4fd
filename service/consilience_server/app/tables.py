"""Neighbour tables, computed once and kept: every k-NN metric, every k, every null and every matrix reads the same ones."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.memory_budget import Account
from consilience_server.app.ports import Metrics
from consilience_server.core.similarity import Similarity
from consilience_server.core.tie_order import tie_keys
from consilience_server.engine.protocol import NeighbourEngine, NeighbourTable


@dataclass(frozen=True)
class TableSubject:
    """What a table is of: these vectors of these items of this space.

    Attributes:
        uid, version: the space.
        items: digest of the item ids (`item_digest`).
        form: how the vectors were made from the stored ones (`none`, `platonic_rep`).
    """

    uid: str
    version: int
    items: str
    form: str


def item_digest(ids: Sequence[str]) -> str:
    """Digest of an ordered list of item ids; 1M ids take about half a second."""
    digest = hashlib.blake2b(digest_size=16)
    for item in ids:
        encoded = item.encode()
        digest.update(len(encoded).to_bytes(4, "little"))
        digest.update(encoded)
    return digest.hexdigest()


class Tables:
    """Computes and keeps self-join tables within the memory budget. Must be used from one event loop."""

    def __init__(self, engine: NeighbourEngine, pool: ComputePool, account: Account, metrics: Metrics) -> None:
        self._engine = engine
        self._pool = pool
        self._account = account
        self._metrics = metrics
        self._tables: dict[TableSubject, NeighbourTable] = {}
        self._locks: WeakValueDictionary[TableSubject, asyncio.Lock] = WeakValueDictionary()

    async def self_join(
        self,
        call: Call,
        subject: TableSubject,
        vectors: NDArray[np.float32],
        ids: NDArray[np.object_],
        similarity: Similarity,
        k_max: int,
    ) -> NeighbourTable:
        """The table of these items among themselves, for every k up to at least `k_max`.

        Args:
            call: pays for the scan where the table is not there yet.
            subject: names the table; equal subjects must mean equal vectors, ids and similarity.
            vectors: (n, d) float32.
            ids: (n,) item ids; with the space's uid they decide the order of ties that outgrow a table.
            similarity: how nearness is measured.
            k_max: 1 <= k_max < n.
        """
        lock = self._locks.setdefault(subject, asyncio.Lock())
        async with lock:
            table = self._tables.get(subject)
            if table is not None and table.k_max >= k_max:
                self._account.touch(subject)
                return table
            n, d = vectors.shape
            table = await self._pool.run(
                call,
                "scan",
                lambda: self._engine.self_join(vectors, similarity, k_max, tie_keys=tie_keys(subject.uid, list(ids)), control=call.control),
                nbytes=self._engine.self_join_bytes(n, d, k_max),
            )
            self._keep(subject, table)
            certificate = table.certificate
            self._metrics.rows(certificate.backend, certificate.certified_rows, certificate.refined_rows)
            return table

    def _keep(self, subject: TableSubject, table: NeighbourTable) -> None:
        if subject in self._tables:
            self._account.drop(subject)
        if self._account.try_take("tables", table.nbytes):
            self._tables[subject] = table
            self._account.allow_eviction(subject, "tables", table.nbytes, lambda: self._forget(subject))

    def _forget(self, subject: TableSubject) -> None:
        self._tables.pop(subject, None)
