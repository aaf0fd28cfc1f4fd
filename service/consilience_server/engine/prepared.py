"""Galleries in the form that scans read, kept while their vectors live: a small query must not pay for a pass over the whole gallery."""

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.similarity import Similarity

_Key = tuple[int, Similarity, int]
_Finalizer: TypeAlias = "weakref.finalize[..., NDArray[Any]]"


class Prepared(Protocol):
    """A gallery ready to be scanned."""

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        ...


P = TypeVar("P", bound=Prepared)
Prepare: TypeAlias = Callable[[NDArray[np.float32], Similarity, NDArray[np.float64] | None, Control], P]
"""Vectors (n, d), how nearness is measured, and their bias (n,) or None, to the form that a scan reads."""


class PreparedGalleries(Generic[P]):
    """Prepares galleries, and keeps those of read-only arrays, least recently used first out. Thread-safe.

    An array is known by its identity and forgotten when it is freed. Writable arrays are prepared anew each time, since nobody can tell
    whether they changed; who makes an array read-only promises that nothing changes it through another view either.

    Args:
        prepare: makes the form.
        limit_bytes: bytes of forms kept at most.
    """

    def __init__(self, prepare: Prepare[P], limit_bytes: int) -> None:
        self._prepare = prepare
        self._limit = limit_bytes
        # With what forgets them when a source is freed; taken off again when they go for another reason, since a source may live for long.
        self._kept: OrderedDict[_Key, tuple[P, list[_Finalizer]]] = OrderedDict()
        self._lock = threading.RLock()

    @property
    def nbytes(self) -> int:
        """Bytes kept."""
        with self._lock:
            return sum(prepared.nbytes for prepared, _ in self._kept.values())

    def get(self, vectors: NDArray[np.float32], similarity: Similarity, bias: NDArray[np.float64] | None, control: Control) -> P:
        """The form of these vectors (n, d) and bias (n,), kept or made."""
        key = (id(vectors), similarity, id(bias))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        prepared = self._prepare(vectors, similarity, bias, control)
        sources: list[NDArray[Any]] = [vectors] if bias is None else [vectors, bias]
        if prepared.nbytes <= self._limit and not any(source.flags.writeable for source in sources):
            finalizers = [weakref.finalize(source, self._forget, key) for source in sources]
            for finalizer in finalizers:
                finalizer.atexit = False
            with self._lock:
                # Another thread may have prepared the same meanwhile.
                self._forget(key)
                self._kept[key] = (prepared, finalizers)
                while self.nbytes > self._limit:
                    self._forget(next(iter(self._kept)))
        return prepared

    def _forget(self, key: _Key) -> None:
        with self._lock:
            _, finalizers = self._kept.pop(key, (None, []))
            for finalizer in finalizers:
                finalizer.detach()
