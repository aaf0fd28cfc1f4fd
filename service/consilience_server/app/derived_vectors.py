"""Bridges and what they make of spaces, read or computed once and kept: ready maps, centred galleries, mapped banks, CSLS terms."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from consilience_server.app.call import Call
from consilience_server.app.compute import ComputePool
from consilience_server.app.memory_budget import Account, Kind
from consilience_server.app.ports import BridgeStore, Stage
from consilience_server.app.request_fields import asked_by
from consilience_server.bridges.apply import BridgeRuntime, NumpyBridges, ReadyMap, centre_gallery, map_vectors
from consilience_server.bridges.artefact import BridgeArtefact
from consilience_server.core.errors import BridgeNotFound
from consilience_server.engine.snapshot import Snapshot

_Key = tuple[str, ...]


class _Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


V = TypeVar("V", bound=_Sized)
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True)
class _Known:
    """A bridge as read, with the bytes it holds."""

    artefact: BridgeArtefact

    @property
    def nbytes(self) -> int:
        return self.artefact.map.nbytes


class DerivedVectors:
    """Values that follow from immutable inputs (a bridge, versions of spaces), shared by all requests while the memory budget has room.

    Each is computed once however many ask at a time. Must be used from one event loop.

    Args:
        bridges: where bridges are kept.
        pool: computes.
        account: of the memory budget.
        runtime: applies bridges; None is NumPy.
    """

    def __init__(self, bridges: BridgeStore, pool: ComputePool, account: Account, runtime: BridgeRuntime | None = None) -> None:
        self._bridges = bridges
        self._runtime = runtime or NumpyBridges()
        self._pool = pool
        self._account = account
        self._values: dict[_Key, _Sized] = {}
        self._locks: WeakValueDictionary[_Key, asyncio.Lock] = WeakValueDictionary()

    @property
    def runtime(self) -> str:
        """Name of what applies bridges: part of the key of whatever outlasts this process."""
        return self._runtime.name

    async def bridge(self, call: Call, name: str) -> BridgeArtefact:
        """The bridge that has the name now; BridgeNotFound. Read once a uid, which the store is asked for every time."""
        call.remaining()
        with asked_by("bridge"):
            uid = await asyncio.to_thread(self._bridges.uid, name)

        def read() -> _Known:
            artefact = self._bridges.get(name)
            if artefact.uid != uid:
                raise BridgeNotFound(f"bridge {name!r} was deleted and made anew meanwhile; ask again", field="bridge", bridge=name)
            return _Known(artefact)

        with asked_by("bridge"):
            return (await self._value(call, "load", ("bridge", uid), read, 0, "tables")).artefact

    async def ready_map(self, call: Call, artefact: BridgeArtefact) -> ReadyMap:
        """The bridge's map, prepared."""
        nbytes = 3 * artefact.map.nbytes
        key = ("map", self.runtime, artefact.uid)
        return await self._value(call, "load", key, lambda: self._runtime.ready(artefact.map), nbytes, "tables")

    async def gallery(self, call: Call, artefact: BridgeArtefact, snapshot: Snapshot) -> NDArray[np.float32]:
        """The copy of a version of the target space that is searched, (n, width of the map) float32."""
        ready = await self.ready_map(call, artefact)
        key = ("gallery", self.runtime, artefact.uid, snapshot.uid, str(snapshot.version))
        return await self._value(
            call,
            "load",
            key,
            lambda: _frozen(centre_gallery(ready, snapshot.vectors, call.control, snapshot.ids)),
            4 * snapshot.n * ready.width,
            "snapshots",
        )

    async def bank(self, call: Call, artefact: BridgeArtefact, snapshot: Snapshot) -> NDArray[np.float32]:
        """All items of a version of the source space, mapped, (m, width of the map) float32."""
        ready = await self.ready_map(call, artefact)
        key = ("bank", self.runtime, artefact.uid, snapshot.uid, str(snapshot.version))
        return await self._value(
            call,
            "load",
            key,
            lambda: _frozen(map_vectors(ready, snapshot.vectors, call.control, snapshot.ids)),
            4 * snapshot.n * ready.width,
            "snapshots",
        )

    async def term(self, call: Call, key: _Key, compute: Callable[[], NDArray[np.float64]], nbytes: int) -> NDArray[np.float64]:
        """A per-item term of a correction, (n,) float64.

        Args:
            call: pays where it is not there yet.
            key: names everything it was computed from: bridge, versions, neighbourhood.
            compute: makes it.
            nbytes: peak memory of `compute`.
        """
        return await self._value(call, "scan", ("term", *key), lambda: _frozen(compute()), nbytes, "tables")

    async def kept(self, call: Call, stage: Stage, key: _Key, compute: Callable[[], V], nbytes: int, kind: Kind) -> V:
        """Any other value that follows from immutable inputs.

        Args:
            call: pays where it is not there yet.
            stage: what the time is booked under.
            key: names everything it was computed from; its first part names its type.
            compute: makes it.
            nbytes: peak memory of `compute`.
            kind: what the value is accounted as.
        """
        return await self._value(call, stage, key, compute, nbytes, kind)

    def find(self, key: _Key) -> Any:
        """The value of this key where it is there now, else None; it then is the most recently used."""
        kept = self._values.get(key)
        if kept is not None:
            self._account.touch(key)
        return kept

    def is_kept(self, key: _Key) -> bool:
        """Whether the value is there now."""
        return key in self._values

    async def _value(self, call: Call, stage: Stage, key: _Key, compute: Callable[[], V], nbytes: int, kind: Kind) -> V:
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            kept = self._values.get(key)
            if kept is not None:
                self._account.touch(key)
                return kept  # type: ignore[return-value]  # a key's first part names the one type that is kept under it
            value = await self._pool.run(call, stage, compute, nbytes=nbytes)
            if self._account.try_take(kind, value.nbytes):
                self._values[key] = value
                self._account.allow_eviction(key, kind, value.nbytes, lambda: self._forget(key))
            return value

    def _forget(self, key: _Key) -> None:
        self._values.pop(key, None)


def _frozen(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """The same array, read-only: many requests share it."""
    array.flags.writeable = False
    return array
