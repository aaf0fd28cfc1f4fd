"""Neighbour tables, computed once and kept: every k-NN metric, every k, every null and every matrix reads the same ones."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.memory_budget import Account
from consilience_server.app.ports import Metrics
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.similarity import Similarity
from consilience_server.core.tie_order import tie_keys
from consilience_server.engine.precomputed_neighbours import kernel_join, kernel_join_bytes
from consilience_server.engine.protocol import NeighbourEngine, NeighbourTable


@dataclass(frozen=True)
class TableSubject:
    """What a table is of: these vectors of these items of this space.

    Attributes:
        uid, version: the space.
        items: digest of the item ids (`item_digest`).
        form: how the vectors were made from the stored ones (the name of the preprocessing).
        queries: digest of the ids asked, empty where all are.
    """

    uid: str
    version: int
    items: str
    form: str
    queries: str = ""


def item_digest(ids: Sequence[str]) -> str:
    """Digest of an ordered list of item ids; 1M ids take about half a second."""
    digest = hashlib.blake2b(digest_size=16)
    for item in ids:
        encoded = item.encode()
        digest.update(len(encoded).to_bytes(4, "little"))
        digest.update(encoded)
    return digest.hexdigest()


@dataclass(eq=False)
class _Kept:
    table: NeighbourTable
    holders: int = 0


class Tables:
    """Computes and keeps the tables of items among themselves within the memory budget. Must be used from one event loop."""

    def __init__(self, engine: NeighbourEngine, pool: ComputePool, account: Account, metrics: Metrics) -> None:
        self._engine = engine
        self._pool = pool
        self._account = account
        self._metrics = metrics
        self._tables: dict[TableSubject, _Kept] = {}
        self._locks: WeakValueDictionary[TableSubject, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def hold(
        self,
        call: Call,
        subject: TableSubject,
        vectors: NDArray[np.float32],
        ids: NDArray[np.object_],
        similarity: Similarity,
        k_max: int,
        queries: NDArray[np.int64] | None = None,
        kernel: KernelKind | None = None,
    ) -> AsyncIterator[NeighbourTable]:
        """The table of these items among themselves, for every k up to at least `k_max`; in the account while the context is open.

        Args:
            call: pays for the scan where the table is not there yet.
            subject: names the table; equal subjects must mean equal vectors, ids, similarity and queries.
            vectors: (n, d) float32; of a kernel space its matrix.
            ids: (n,) item ids; with the space's uid they decide the order of ties that outgrow a table.
            similarity: how nearness is measured.
            k_max: 1 <= k_max < n.
            queries: (m,) rows that are asked, each kept from finding itself; None asks all.
            kernel: what the entries of a kernel space are, None for vectors.
        """
        lock = self._locks.setdefault(subject, asyncio.Lock())
        async with lock:
            kept = self._tables.get(subject)
            if kept is None or kept.table.k_max < k_max:
                kept = await self._compute(call, subject, vectors, ids, similarity, k_max, queries, kernel)
            kept.holders += 1
            if self._tables.get(subject) is kept:
                self._account.forbid_eviction(subject)
        try:
            yield kept.table
        finally:
            self._release(subject, kept)

    def search_bytes(self, queries: int, n: int, d: int, k_max: int, kernel: KernelKind | None) -> int:
        """Peak bytes of the search for a table of `queries` of `n` items of width `d`, beyond the vectors."""
        if kernel is not None:
            return kernel_join_bytes(queries, n, k_max)
        if queries == n:
            return self._engine.self_join_bytes(n, d, k_max)
        return self._engine.query_bytes(queries, n, d, k_max) + 4 * queries * d

    async def _compute(
        self,
        call: Call,
        subject: TableSubject,
        vectors: NDArray[np.float32],
        ids: NDArray[np.object_],
        similarity: Similarity,
        k_max: int,
        queries: NDArray[np.int64] | None,
        kernel: KernelKind | None,
    ) -> _Kept:
        def scan() -> NeighbourTable:
            keys = tie_keys(subject.uid, ids.tolist())
            if kernel is not None:
                return kernel_join(vectors, kernel, k_max, queries=queries, tie_keys=keys, control=call.control)
            if queries is None:
                return self._engine.self_join(vectors, similarity, k_max, tie_keys=keys, control=call.control)
            asked = vectors[queries]
            return self._engine.query(asked, vectors, similarity, k_max, exclude=queries, tie_keys=keys, control=call.control)

        n, d = vectors.shape
        nbytes = self.search_bytes(n if queries is None else len(queries), n, d, k_max, kernel)
        table = await self._pool.run(call, "scan", scan, nbytes=nbytes)
        certificate = table.certificate
        self._metrics.rows(certificate.backend, certificate.certified_rows, certificate.refined_rows)
        self._account.take("tables", table.nbytes, f"a neighbour table of {len(table.indices):,} of {n:,} items")
        shallower = self._tables.get(subject)
        if shallower is not None and shallower.holders == 0:
            self._account.drop(subject)
        kept = self._tables[subject] = _Kept(table)
        return kept

    def _release(self, subject: TableSubject, kept: _Kept) -> None:
        kept.holders -= 1
        if kept.holders:
            return
        if self._tables.get(subject) is kept:
            self._account.allow_eviction(subject, "tables", kept.table.nbytes, lambda: self._forget(subject))
        else:
            # A deeper table took its place while this one was read.
            self._account.give("tables", kept.table.nbytes)

    def _forget(self, subject: TableSubject) -> None:
        self._tables.pop(subject, None)
