"""Items without their near-duplicates: an image that is twice in a collection is its own nearest neighbour in every space."""

import asyncio
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.joins import Join
from consilience_server.app.tables import Tables, TableSubject
from consilience_server.core.errors import InvalidArgument, KernelSpace, ZeroVector
from consilience_server.core.kernel_kind import KernelKind
from consilience_server.core.near_duplicates import kept_items
from consilience_server.core.query_sample import sampling_keys
from consilience_server.core.similarity import Similarity
from consilience_server.engine.near_duplicates import DEPTH, duplicate_pairs
from consilience_server.engine.snapshot import Snapshot


def near_duplicates_told(common: int, kept: int, threshold: float) -> list[str]:
    """What an answer about many spaces tells of the items that were left out; nothing where none were."""
    if kept == common:
        return []
    return [f"{common - kept:,} of {common:,} common items are near-duplicates in one of the spaces (cosine {threshold:g}) and left out"]


def check_vectors(name: str, kernel: KernelKind | None) -> None:
    """KernelSpace where a space has no vectors to tell near-duplicates by."""
    if kernel is not None:
        raise KernelSpace(f"near-duplicates are told by vectors, and {name!r} is a kernel; leave deduplicate out", field="spec.deduplicate")


class Deduplication:
    """Leaves one item of every cluster of near-duplicates. One search a space, kept like any table."""

    def __init__(self, tables: Tables, pool: ComputePool) -> None:
        self._tables = tables
        self._pool = pool

    async def apart(self, call: Call, snapshots: Sequence[Snapshot], joined: Join, threshold: float) -> Join:
        """The common items without those that have a cosine of `threshold` or more with another in any of the spaces.

        As far as single linkage over the 16 nearest of each shows; of each cluster the item of smallest hash stays. Cosines are of the
        stored vectors, whatever the spaces are compared by.

        Raises:
            KernelSpace: a space has no vectors. ZeroVector: a vector has no direction. InvalidArgument: one item alone is left.
            MemoryBudget, Overloaded.
        """
        if joined.n < 2:
            return joined
        found = []
        for at, (snapshot, rows) in enumerate(zip(snapshots, joined.rows, strict=True)):
            part = call.part(at / len(snapshots), (at + 1) / len(snapshots))
            found.append(await self._pairs(part, snapshot, rows, joined, threshold))
        keys = await asyncio.to_thread(sampling_keys, joined.ids.tolist())
        kept = await self._pool.run(
            call, "statistics", lambda: kept_items(np.concatenate(found), keys), nbytes=64 * (sum(map(len, found)) + joined.n)
        )
        if len(kept) == joined.n:
            return joined
        if len(kept) < 2:
            raise InvalidArgument(
                f"all {joined.n:,} common items are near-duplicates at a cosine of {threshold:g}; ask a cosine nearer to 1",
                field="spec.deduplicate",
            )
        return await asyncio.to_thread(joined.some, kept)

    async def _pairs(self, call: Call, snapshot: Snapshot, rows: NDArray[np.int64], joined: Join, threshold: float) -> NDArray[np.int64]:
        name = snapshot.name.removeprefix("spaces/")
        check_vectors(name, snapshot.kernel)
        part = len(rows) != snapshot.n
        with self._pool.holding(call, 4 * joined.n * snapshot.dim * part):
            vectors = await self._pool.run(call, "load", lambda: snapshot.vectors[rows]) if part else snapshot.vectors
            is_cosine = snapshot.similarity is Similarity.COSINE
            if not is_cosine and not (await asyncio.to_thread(np.any, vectors, axis=1)).all():
                raise ZeroVector(f"a vector of {name!r} is zero and has no cosine; leave deduplicate out", field="spec.deduplicate")
            subject = TableSubject(snapshot.uid, snapshot.version, joined.digest, "none" if is_cosine else "cosine")
            depth = min(DEPTH, joined.n - 1)
            async with self._tables.hold(call, subject, vectors, joined.ids, Similarity.COSINE, depth) as table:
                return await self._pool.run(call, "statistics", lambda: duplicate_pairs(table, threshold), nbytes=20 * table.indices.size)
