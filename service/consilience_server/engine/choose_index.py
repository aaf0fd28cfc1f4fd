"""Which approximate indexes can be built here: the one place that knows all of them."""

import re
import threading

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.errors import DeviceMissing
from consilience_server.core.similarity import Similarity
from consilience_server.engine.approximate import CPU_INDEXES, ApproximateIndex, ApproximateName, build_cpu_index
from consilience_server.engine.approximate_gpu import DEVICE_INDEXES, DeviceIndexes
from consilience_server.engine.blas import load_faiss
from consilience_server.engine.faiss_gpu import device_count
from consilience_server.engine.held_out_items import IndexWithHeldOut, held_out_rows


class ApproximateIndexes:
    """Builds approximate indexes, on the CPU or on the server's device. Thread-safe; the device is touched when it is first needed.

    Args:
        threads: threads of k-means and of searches on the CPU.
        device: the server's setting: `auto`, `cpu`, `cuda` or `cuda:<number>`. `cpu` keeps off the devices.
    """

    def __init__(self, threads: int, device: str) -> None:
        self._threads = threads
        self._device = device
        self._lock = threading.Lock()
        self._on_device: DeviceIndexes | None = None

    @property
    def threads(self) -> int:
        """Threads of a search on the CPU."""
        return self._threads

    @property
    def names(self) -> tuple[ApproximateName, ...]:
        """The kinds that can be built here."""
        return CPU_INDEXES + tuple(name for name in DEVICE_INDEXES if self._lacking(name) is None)

    def require(self, name: ApproximateName) -> None:
        """DeviceMissing, with the remedy, for a kind that cannot be built here."""
        lacking = self._lacking(name)
        if lacking is not None:
            raise DeviceMissing(f"the index {name!r} needs a GPU, but {lacking}; or name the index hnsw or ivf", field="index", index=name)

    def build(self, name: ApproximateName, gallery: NDArray[np.float32], similarity: Similarity, control: Control) -> ApproximateIndex:
        """Build an index of a gallery (n, d) float32; the items of `held_out_rows` are scanned beside it.

        Raises:
            DeviceMissing: as `require`.
            MemoryBudget: the device's memory does not hold it.
            Cancelled: within a second or so of `control.cancel()`.
        """
        self.require(name)
        held = held_out_rows(len(gallery))
        if not len(held):
            return self._build(name, gallery, similarity, control)
        indexed = np.setdiff1d(np.arange(len(gallery)), held)
        index = self._build(name, gallery[indexed], similarity, control)
        return IndexWithHeldOut(index, indexed, held, gallery[held], similarity)

    def _build(self, name: ApproximateName, gallery: NDArray[np.float32], similarity: Similarity, control: Control) -> ApproximateIndex:
        if name in CPU_INDEXES:
            return build_cpu_index(name, gallery, similarity, self._threads, control)
        with self._lock:
            if self._on_device is None:
                self._on_device = DeviceIndexes(self._number)
        return self._on_device.build(name, gallery, similarity, control)

    def close(self) -> None:
        """Give the device back, where it was used."""
        with self._lock:
            if self._on_device is not None:
                self._on_device.close()
                self._on_device = None

    @property
    def _number(self) -> int:
        found = re.search(r"\d+", self._device)
        return int(found[0]) if found else 0

    def _lacking(self, name: ApproximateName) -> str | None:
        """What an index lacks here, with the remedy; None where it can be built."""
        if name in CPU_INDEXES:
            return None
        if self._device == "cpu":
            return "this server was told to use the CPU only: start it with the device cuda"
        count = device_count()
        if self._number >= count:
            return (
                f"FAISS sees {count} CUDA devices here: "
                "on a machine with a GPU, install consilience[server-gpu] in place of consilience[server]"
            )
        if name == "cagra" and not hasattr(load_faiss(), "GpuIndexCagra"):
            return "this build of FAISS has no CAGRA: install consilience[server-gpu], which brings a build with cuVS"
        return None
