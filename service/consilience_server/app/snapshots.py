"""Versions of spaces held in memory: read once, shared by all readers, dropped when the room is needed."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.memory_budget import Account
from consilience_server.app.ports import AttributeColumn, SpaceRecord, SpaceStore
from consilience_server.app.request_fields import asked_by
from consilience_server.core.errors import KernelSpace, VersionExpired
from consilience_server.core.repeats import mean_of_repeats
from consilience_server.engine.snapshot import Snapshot

_PAGE = 1000
_ID_BYTES = 72
"""A fair estimate of what one id costs as a Python string."""

_MEAN_BYTES = 100 << 20
"""Of a mean over repeats beyond its result."""


@dataclass
class _Holding:
    snapshot: Snapshot
    pin: AbstractContextManager[None]
    holders: int = 0


class Snapshots:
    """Loads and shares snapshots; readers of an old version keep it while a newer one is loaded.

    Every held version is pinned in the store, so that maintenance leaves it. Must be used from one event loop.
    """

    def __init__(self, store: SpaceStore, pool: ComputePool, account: Account) -> None:
        self._store = store
        self._pool = pool
        self._account = account
        self._holdings: dict[tuple[str, int], _Holding] = {}
        self._locks: WeakValueDictionary[tuple[str, int], asyncio.Lock] = WeakValueDictionary()

    async def record(self, space: str, *, field: str = "") -> SpaceRecord:
        """The space as it is now; SpaceNotFound, by the field of the request that asked for it."""
        with asked_by(field):
            known = self._store.known(space)
            return known if known is not None else await asyncio.to_thread(self._store.get, space)

    async def members(self, group: str) -> list[SpaceRecord]:
        """The spaces of a group, by name; none where there is no such group. Reads the list of all spaces."""
        return [record for record in await self._all() if record.spec.group == group]

    async def groups(self) -> list[str]:
        """The groups that spaces belong to, ascending."""
        return sorted({record.spec.group for record in await self._all() if record.spec.group})

    async def _all(self) -> list[SpaceRecord]:
        def read() -> list[SpaceRecord]:
            found: list[SpaceRecord] = []
            while page := self._store.list(found[-1].spec.name if found else "", _PAGE):
                found.extend(page)
            return found

        return await asyncio.to_thread(read)

    @asynccontextmanager
    async def hold(
        self, call: Call, space: str, version: int = 0, *, field: str = "", version_field: str = "", kernels: bool = False
    ) -> AsyncIterator[Snapshot]:
        """A snapshot that stays while the context is open.

        Args:
            call: pays for the loading.
            space: the bare id.
            version: 0 is the newest.
            field: of the request that asks, for errors.
            version_field: of the request that pins the version, for errors; empty: `<field>.version`.
            kernels: whether the caller can do with a kernel space, whose rows are no vectors; it is refused otherwise.

        Raises:
            SpaceNotFound, VersionExpired, MemoryBudget, KernelSpace.
        """
        with asked_by(field, version_field):
            record = await self.record(space)
            if record.spec.kernel is not None and not kernels:
                raise KernelSpace(
                    f"space {space!r} is a kernel: it holds a matrix over its items and no vectors, which this call needs; align, "
                    "align_matrix and match by ids within the space serve it",
                    field=field or None,
                )
            wanted = version or record.version
            if wanted > record.version:
                raise VersionExpired(f"space {space!r} has no version {wanted}; the newest is {record.version}")
            holding = await self._holding(call, record, wanted)
        try:
            yield holding.snapshot
        finally:
            self._release((record.uid, wanted), holding)

    async def attributes(self, call: Call, snapshot: Snapshot, rows: NDArray[np.int64]) -> Mapping[str, AttributeColumn]:
        """All attributes of items of a held snapshot, as its version has them, in the order of `rows`."""
        name = snapshot.name.removeprefix("spaces/")
        ids = snapshot.ids[rows].tolist()
        return await self._pool.run(call, "load", lambda: self._store.attributes(name, snapshot.version, ids), nbytes=_ID_BYTES * len(ids))

    async def _holding(self, call: Call, record: SpaceRecord, version: int) -> _Holding:
        key = (record.uid, version)
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            holding = self._holdings.get(key)
            if holding is None:
                holding = await self._load(call, record, version)
                self._holdings[key] = holding
            holding.holders += 1
            self._account.forbid_eviction(key)
            return holding

    async def _load(self, call: Call, record: SpaceRecord, version: int) -> _Holding:
        name = record.spec.name
        pin = await self._pinned(record.uid, version)
        try:
            if version == 0:
                # Untouched; to the store 0 would mean the newest, which may be another by now.
                ids, vectors, repeats = np.empty(0, dtype=object), np.empty((0, record.spec.row_width(0)), dtype=np.float32), None
            else:
                # An older version may hold more than the newest. The rows once more while they are read and put in order.
                count = await asyncio.to_thread(self._store.count, name, version)
                estimate = count * (4 * record.spec.row_width(count) + _ID_BYTES)
                data = await self._pool.run(call, "load", lambda: self._store.load(name, version), nbytes=2 * estimate)
                if data.record.uid != record.uid:
                    raise VersionExpired(f"space {name!r} was deleted and made anew; ask for the new one")
                ids = data.ids
                vectors, repeats = await self._matrix(call, data.vectors, len(record.spec.repeats))
            vectors.flags.writeable = False
            snapshot = Snapshot(f"spaces/{name}", record.uid, version, record.spec.similarity, ids, vectors, record.spec.kernel, repeats)
            self._account.take("snapshots", snapshot.nbytes, f"version {version} of space {name!r}")
        except BaseException:
            pin.__exit__(None, None, None)
            raise
        return _Holding(snapshot, pin)

    async def _matrix(self, call: Call, rows: NDArray[np.float32], repeats: int) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """What computations read of stored rows: the rows themselves, or the mean over repeats and the repeats (n, R, n)."""
        if not repeats:
            return rows, None
        mean = await self._pool.run(call, "load", lambda: mean_of_repeats(rows, repeats), nbytes=4 * len(rows) ** 2 + _MEAN_BYTES)
        rows.flags.writeable = False
        return mean, rows.reshape(len(rows), repeats, len(rows))

    async def _pinned(self, uid: str, version: int) -> AbstractContextManager[None]:
        """The pin, taken. A caller that is cancelled meanwhile leaves none: the thread takes it all the same, so it is given back then."""
        pin = self._store.pin(uid, version)
        entering = asyncio.ensure_future(asyncio.to_thread(pin.__enter__))
        try:
            await asyncio.shield(entering)
        except asyncio.CancelledError:

            def give_back(entered: asyncio.Future[None]) -> None:
                if not entered.cancelled() and entered.exception() is None:
                    pin.__exit__(None, None, None)

            entering.add_done_callback(give_back)
            raise
        return pin

    def _release(self, key: tuple[str, int], holding: _Holding) -> None:
        holding.holders -= 1
        if holding.holders == 0:
            self._account.allow_eviction(key, "snapshots", holding.snapshot.nbytes, lambda: self._drop(key))

    def _drop(self, key: tuple[str, int]) -> None:
        self._holdings.pop(key).pin.__exit__(None, None, None)

    def close(self) -> None:
        """Give back every pin."""
        for holding in self._holdings.values():
            holding.pin.__exit__(None, None, None)
        self._holdings.clear()
