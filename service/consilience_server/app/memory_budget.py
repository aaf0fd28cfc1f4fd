"""The one account of memory: snapshots, neighbour tables and running requests together never exceed it."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from consilience_server.app.ports import Metrics
from consilience_server.core.errors import MemoryBudget

Kind = Literal["snapshots", "tables", "requests"]


class Account:
    """Bytes promised so far; least recently used evictable holdings go first when room is needed. Thread-safe.

    Args:
        budget: bytes in all.
        metrics: hears every change.
    """

    def __init__(self, budget: int, metrics: Metrics) -> None:
        self._budget = budget
        self._metrics = metrics
        self._lock = threading.RLock()
        self._used: dict[Kind, int] = {"snapshots": 0, "tables": 0, "requests": 0}
        # key -> (kind, bytes, drop); insertion order is recency.
        self._evictable: OrderedDict[object, tuple[Kind, int, Callable[[], None]]] = OrderedDict()
        metrics.memory("budget", budget)

    @property
    def budget(self) -> int:
        """Bytes in all."""
        return self._budget

    @property
    def used(self) -> int:
        """Bytes promised."""
        with self._lock:
            return sum(self._used.values())

    @property
    def free(self) -> int:
        """Bytes that could be promised now, with all that may be evicted."""
        with self._lock:
            return self._budget - self.used + sum(held for _, held, _ in self._evictable.values())

    def take(self, kind: Kind, nbytes: int, what: str) -> None:
        """Promise bytes, evicting if need be; MemoryBudget with the estimate, and nothing evicted, where even that is not enough."""
        with self._lock:
            evictable = sum(held for _, held, _ in self._evictable.values())
            if self.used - evictable + nbytes <= self._budget:
                while self.used + nbytes > self._budget:
                    self.drop(next(iter(self._evictable)))
            else:
                free = self._budget - self.used + evictable
                raise MemoryBudget(
                    f"{what} needs about {nbytes:,} bytes; {free:,} of the budget of {self._budget:,} are free. "
                    "Ask for less, wait for running work, or raise memory_budget_bytes",
                    retry_after=5.0 if nbytes <= self._budget else None,
                    needed_bytes=nbytes,
                    free_bytes=free,
                    budget_bytes=self._budget,
                )
            self._change(kind, nbytes)

    def try_take(self, kind: Kind, nbytes: int) -> bool:
        """Promise bytes if they can be had, for holdings that are a convenience."""
        try:
            self.take(kind, nbytes, kind)
        except MemoryBudget:
            return False
        return True

    def give(self, kind: Kind, nbytes: int) -> None:
        """Return promised bytes."""
        with self._lock:
            self._change(kind, -nbytes)

    def allow_eviction(self, key: object, kind: Kind, nbytes: int, drop: Callable[[], None]) -> None:
        """From now on `drop` may be called to free these bytes; they are then given back."""
        with self._lock:
            self._evictable[key] = (kind, nbytes, drop)

    def forbid_eviction(self, key: object) -> None:
        """The holding is in use again."""
        with self._lock:
            self._evictable.pop(key, None)

    def touch(self, key: object) -> None:
        """An evictable holding was used: it goes last."""
        with self._lock:
            if key in self._evictable:
                self._evictable.move_to_end(key)

    def drop(self, key: object) -> None:
        """Evict one holding now."""
        with self._lock:
            kind, nbytes, drop = self._evictable.pop(key)
            drop()
            self._change(kind, -nbytes)

    @contextmanager
    def borrowed(self, nbytes: int, what: str) -> Iterator[None]:
        """Bytes of a running request."""
        self.take("requests", nbytes, what)
        try:
            yield
        finally:
            self.give("requests", nbytes)

    def _change(self, kind: Kind, nbytes: int) -> None:
        self._used[kind] += nbytes
        self._metrics.memory(kind, self._used[kind])
