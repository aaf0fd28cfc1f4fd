"""Approximate indexes on a CUDA device: FAISS's flat scan and cuVS's CAGRA, owned by one thread.

As in `faiss_gpu.py`, nothing touches the device but its owner's thread; callers queue their work and wait. An index is immutable: a new
version of a gallery gets an index of its own while searches of the old one go on, and the old one's memory is freed, by the same thread,
when its last holder lets go.
"""

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.errors import InvalidK, MemoryBudget
from consilience_server.core.similarity import Similarity
from consilience_server.engine.approximate import BACKENDS, ApproximateName, index_bytes
from consilience_server.engine.approximate_form import ApproximateForm, form_gallery
from consilience_server.engine.blas import load_faiss
from consilience_server.engine.faiss_gpu import DeviceOwner

DEVICE_INDEXES: tuple[ApproximateName, ...] = ("cagra", "gpu_flat")

MOST_CANDIDATES: dict[ApproximateName, int] = {"cagra": 512, "gpu_flat": 2048}
"""What one search of FAISS's device kernels returns at most."""

_TEMPORARY_BYTES = 256 << 20
_QUERY_BLOCK = 1024
_CAGRA_STEP = 32
_OUT_OF_MEMORY = ("memory", "cudaMalloc", "alloc")


@dataclass(frozen=True)
class DeviceLibrary:
    """What makes indexes on a device.

    Attributes:
        make: an empty index of (name, width) under squared L2. Runs in the owner's thread.
        parameters: search parameters of (name, effort), None for none.
    """

    make: Callable[[ApproximateName, int], Any]
    parameters: Callable[[ApproximateName, int], Any]


@dataclass
class _OnDevice:
    """What lies on the device until the owner's thread clears it."""

    index: Any


class DeviceIndex:
    """An index on the device. Thread-safe: searches go through the owner's thread one after the other."""

    def __init__(
        self, owner: DeviceOwner, library: DeviceLibrary, name: ApproximateName, form: ApproximateForm, held: _OnDevice, nbytes: int
    ) -> None:
        self._owner = owner
        self._library = library
        self._name = name
        self._form = form
        self._held = held
        self._nbytes = nbytes
        weakref.finalize(self, owner.submit, lambda: setattr(held, "index", None)).atexit = False

    @property
    def name(self) -> ApproximateName:
        """What kind it is."""
        return self._name

    @property
    def nbytes(self) -> int:
        """Bytes held, on the device."""
        return self._nbytes

    def search(self, queries: NDArray[np.float32], count: int, effort: int, control: Control) -> NDArray[np.int64]:
        """As in `ApproximateIndex`.

        Raises:
            InvalidK: for more candidates than the device's kernels return.
        """
        most = MOST_CANDIDATES[self._name]
        if count > most:
            raise InvalidK(
                f"an index of the kind {self._name!r} finds at most {most} candidates a query, and this k needs {count}; "
                "choose a smaller k, or the index exact",
                field="k",
                limit=most,
            )
        # CAGRA keeps candidates in multiples of 32, at least as many as it answers.
        kept = -(-max(count, effort) // _CAGRA_STEP) * _CAGRA_STEP
        columns = self._form.of_queries(queries)
        rows = np.empty((len(queries), count), dtype=np.int64)
        for start in range(0, len(queries), _QUERY_BLOCK):
            block = slice(start, start + _QUERY_BLOCK)
            rows[block] = self._owner.run(lambda block=block: self._search(columns[block], count, kept), control)  # type: ignore[misc]
        return rows

    def _search(self, columns: NDArray[np.float32], count: int, kept: int) -> NDArray[np.int64]:
        parameters = self._library.parameters(self._name, kept)
        found = self._held.index.search(columns, count, **({} if parameters is None else {"params": parameters}))
        rows: NDArray[np.int64] = found[1]
        return rows


class DeviceIndexes:
    """Builds indexes on one CUDA device.

    Args:
        device: number of the device.
        library: what makes them; None is FAISS on the device.
    """

    def __init__(self, device: int, library: DeviceLibrary | None = None) -> None:
        self._owner = DeviceOwner(f"consilience-indexes-{device}")
        self._library = library or self._owner.submit(lambda: _faiss_library(device)).result()

    def build(self, name: ApproximateName, gallery: NDArray[np.float32], similarity: Similarity, control: Control) -> DeviceIndex:
        """Build `cagra` or `gpu_flat`.

        Args:
            name: one of `DEVICE_INDEXES`.
            gallery: (n, d) float32, finite, no zero rows under cosine.
            similarity: how nearness is measured.
            control: cancellation. The device ends a build that has begun; its caller does not wait for it.

        Raises:
            MemoryBudget: the device's memory does not hold it.
        """
        form, columns = form_gallery(gallery, similarity, control)
        held = self._owner.run(lambda: self._build(name, columns), control)
        return DeviceIndex(self._owner, self._library, name, form, held, index_bytes(name, len(gallery), gallery.shape[1], similarity))

    def close(self) -> None:
        """End the owner's thread."""
        self._owner.close()

    def _build(self, name: ApproximateName, columns: NDArray[np.float32]) -> _OnDevice:
        try:
            index = self._library.make(name, columns.shape[1])
            # CAGRA takes its items when it is trained, and none later.
            if name == "cagra":
                index.train(columns)
            else:
                index.add(columns)
        except RuntimeError as error:
            if not any(word in str(error) for word in _OUT_OF_MEMORY):
                raise
            raise MemoryBudget(
                f"the device's memory does not hold a {BACKENDS[name]} index of {len(columns):,} items ({columns.nbytes:,} bytes); "
                "name an index that lies in the host's memory",
                field="index",
                needed_bytes=columns.nbytes,
            ) from error
        return _OnDevice(index)


def _faiss_library(device: int) -> DeviceLibrary:
    """FAISS on the device, all indexes from one set of resources. For the owner's thread."""
    faiss = load_faiss()
    resources = faiss.StandardGpuResources()
    resources.setTempMemory(_TEMPORARY_BYTES)

    def make(name: ApproximateName, width: int) -> Any:
        if name == "cagra":
            config = faiss.GpuIndexCagraConfig()
            config.device = device
            return faiss.GpuIndexCagra(resources, width, faiss.METRIC_L2, config)
        config = faiss.GpuIndexFlatConfig()
        config.device = device
        config.use_cuvs = False
        return faiss.GpuIndexFlatL2(resources, width, config)

    def parameters(name: ApproximateName, effort: int) -> Any:
        return faiss.SearchParametersCagra(itopk_size=effort) if name == "cagra" else None

    return DeviceLibrary(make, parameters)
