"""Candidates from FAISS's flat index on a CUDA device, owned by one thread.

A FAISS GPU index is not safe for concurrent use, not even for reading, so one thread owns the device: callers hand it work through a queue
and wait for the future. Values are float32 throughout; TF32 would break the bound, so the device has to pass a probe before it is used.
"""

import importlib.util
import os
import queue
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from consilience_server.core.control import Control
from consilience_server.core.errors import FailedPrecondition
from consilience_server.engine.blas import load_faiss
from consilience_server.engine.scan import Proposals, merge_proposals
from consilience_server.engine.scan_form import accumulation_bound

T = TypeVar("T")

_SELECTION_LIMIT = 2048
"""The largest k of FAISS's GPU selection."""

_TEMPORARY_BYTES = 256 << 20
_PATIENCE = 0.25
_PROBE_WIDTHS = (32, 768)
"""Narrow, where the bound is far below the errors of anything less than float32 (at 768 TF32 exceeds it by a twentieth); and usual."""


class DeviceOwner:
    """One thread that does all work on a device, in the order it was asked for.

    Ends with `close`, or when nobody holds the owner any more.
    """

    def __init__(self, name: str) -> None:
        self._queue: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=_serve, args=(self._queue,), name=name, daemon=True)
        self._thread.start()
        self._stop = weakref.finalize(self, self._queue.put, None)

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Queue `work`; a future that is cancelled before its turn is skipped."""
        future: Future[T] = Future()
        self._queue.put((future, work))
        return future

    def run(self, work: Callable[[], T], control: Control) -> T:
        """Queue `work` and wait for it; checks `control` while it waits.

        Raises:
            Cancelled: once `control` is cancelled; work whose turn has come ends by itself.
        """
        future = self.submit(work)
        while True:
            try:
                return future.result(timeout=_PATIENCE)
            except FutureTimeoutError:
                if future.done():
                    raise
                if control.is_cancelled:
                    future.cancel()
                control.check()

    def close(self) -> None:
        """End the thread after the work that is queued already."""
        self._stop()
        self._thread.join()


def _serve(work_queue: "queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None]") -> None:
    while (entry := work_queue.get()) is not None:
        future, work = entry
        if not future.set_running_or_notify_cancel():
            continue
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - whatever happened belongs to the caller who waits
            future.set_exception(error)
        # Nothing of the last caller stays alive while the thread waits.
        del entry, future, work


@dataclass(frozen=True)
class _Part:
    """Consecutive gallery rows on the device."""

    index: Any
    start: int
    rows: int


class _Loaded:
    """The parts of one gallery; freed by the thread that owns the device."""

    def __init__(self, owner: DeviceOwner, parts: list[_Part]) -> None:
        self.parts = parts
        weakref.finalize(self, owner.submit, parts.clear).atexit = False


class FaissGpuScan:
    """FAISS's flat inner-product index on one CUDA device.

    Args:
        device: number of the device.
        make_index: makes an empty inner-product index of a width; None makes one on the device. Runs in the owner's thread.
        name: the device's name.

    Raises:
        FailedPrecondition: if the device computes less precisely than float32.
    """

    def __init__(self, device: int, *, make_index: Callable[[int], Any] | None = None, name: str | None = None) -> None:
        # Read by cuBLAS when it starts; an operator who turned TF32 on meets the probe below.
        os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")
        self._owner = DeviceOwner(f"consilience-device-{device}")
        self._make_index = make_index or self._owner.submit(lambda: _device_index_maker(device)).result()
        self._name = name or f"cuda:{device}"
        self._probe()

    @property
    def backend(self) -> str:
        """Name of the backend."""
        return "faiss-gpu"

    @property
    def scan_dtype(self) -> str:
        """What it scans in."""
        return "float32"

    @property
    def device(self) -> str:
        """Name of the device."""
        return self._name

    @property
    def concurrent_tiles(self) -> int:
        """Two: one on the device while another is ranked on the CPU."""
        return 2

    def held_bytes(self, n: int, d: int) -> int:  # noqa: ARG002 - as in `Scan`
        """Nothing: the index lies in the device's memory."""
        return 0

    @property
    def tile_bytes(self) -> int:
        """Nothing beyond a block of products."""
        return 0

    def load(self, columns: NDArray[np.float32]) -> _Loaded:
        """Copy the columns to the device; freed when the returned value is."""
        return self._owner.submit(lambda: self._load(columns)).result()

    def propose(self, loaded: _Loaded, queries: NDArray[np.float32], count: int, threads: int, control: Control) -> Proposals:  # noqa: ARG002 - the device has its own
        """As in `Scan`; of a larger gallery the device selects at most 2048 rows from each half."""
        return self._owner.run(lambda: self._propose(loaded, queries, count, control), control)

    def close(self) -> None:
        """End the owner's thread."""
        self._owner.close()

    def _load(self, columns: NDArray[np.float32]) -> _Loaded:
        n = len(columns)
        step = n if n <= _SELECTION_LIMIT else -(-n // 2)
        parts = []
        for start in range(0, n, step):
            part = columns[start : start + step]
            index = self._make_index(columns.shape[1])
            index.add(part)
            parts.append(_Part(index, start, len(part)))
        return _Loaded(self._owner, parts)

    def _propose(self, loaded: _Loaded, queries: NDArray[np.float32], count: int, control: Control) -> Proposals:
        answers = []
        for part in loaded.parts:
            control.check()
            kept = min(count, part.rows, _SELECTION_LIMIT)
            values, rows = part.index.search(queries, kept)
            ceiling = np.full(len(queries), -np.inf, dtype=np.float32) if kept == part.rows else values.min(axis=1)
            answers.append(Proposals(values, rows + part.start, ceiling))
        return merge_proposals(answers, count)

    def _probe(self) -> None:
        """Check the device's products against the float32 bound that every certificate rests on."""
        for width in _PROBE_WIDTHS:
            self._probe_width(width)

    def _probe_width(self, width: int) -> None:
        random = np.random.default_rng(0)
        queries = random.standard_normal((128, width), dtype=np.float32)
        gallery = random.standard_normal((_SELECTION_LIMIT, width), dtype=np.float32)
        found = self.propose(self.load(gallery), queries, _SELECTION_LIMIT, 1, Control())
        exact = np.take_along_axis(queries.astype(np.float64) @ gallery.astype(np.float64).T, found.rows, axis=1)
        sizes = np.linalg.norm(queries, axis=1)[:, None] * np.linalg.norm(gallery, axis=1)[found.rows]
        worst = float((np.abs(found.values - exact) / sizes).max())
        bound = accumulation_bound(width)
        if worst > bound:
            raise FailedPrecondition(
                f"{self._name} computes products to {worst:.1e} where float32 keeps within {bound:.1e}, so nothing could be proven exact. "
                "Unset NVIDIA_TF32_OVERRIDE, or start with the device cpu.",
                device=self._name,
            )


def device_count() -> int:
    """CUDA devices that the installed FAISS can use; 0 for a build without GPU support."""
    faiss = load_faiss()
    return int(faiss.get_num_gpus()) if hasattr(faiss, "StandardGpuResources") else 0


def device_name(device: int) -> str:
    """The device's own name where torch is installed to tell it, else `cuda:<number>`."""
    if importlib.util.find_spec("torch") is None:
        return f"cuda:{device}"
    import torch

    return str(torch.cuda.get_device_name(device))


def _device_index_maker(device: int) -> Callable[[int], Any]:
    """A maker of float32 flat indexes on the device, all from one set of resources. For the owner's thread."""
    faiss = load_faiss()
    resources = faiss.StandardGpuResources()
    resources.setTempMemory(_TEMPORARY_BYTES)
    config = faiss.GpuIndexFlatConfig()
    config.device = device
    config.useFloat16 = False
    # FAISS's own kernels: their arithmetic is the one the bound describes.
    config.use_cuvs = False
    return lambda width: faiss.GpuIndexFlatIP(resources, width, config)
