"""Which engine serves: the one place that knows all scans."""

import re

from consilience_server.core.errors import FailedPrecondition, InvalidArgument
from consilience_server.engine.exact_neighbours import ExactNeighbours
from consilience_server.engine.faiss_cpu import FaissCpuScan
from consilience_server.engine.faiss_gpu import FaissGpuScan, device_count, device_name
from consilience_server.engine.scan import Scan
from consilience_server.engine.threads import size_thread_pools

KEPT_BYTES = 1 << 30
"""Bytes of scan forms kept for the next query by default."""


def make_engine(threads: int, device: str = "auto", *, kept_bytes: int = KEPT_BYTES) -> ExactNeighbours:
    """Make the engine and size every thread pool of the process.

    Args:
        threads: threads of every pool.
        device: `cpu`; `cuda` or `cuda:<number>`; `auto` takes the first CUDA device where FAISS can use one, else the CPU.
        kept_bytes: bytes of scan forms of read-only galleries kept for the next query.

    Raises:
        InvalidArgument: for another device or fewer threads than 1.
        ExtraMissing: if FAISS is not installed.
        FailedPrecondition: if several FAISS distributions are installed, or the device asked for is not there.
    """
    scan = _choose_scan(threads, device)
    size_thread_pools(threads)
    return ExactNeighbours(scan, threads, kept_bytes=kept_bytes)


def _choose_scan(threads: int, device: str) -> Scan:
    asked = re.fullmatch(r"auto|cpu|cuda(?::(\d+))?", device)
    if asked is None:
        raise InvalidArgument(f"device = {device!r}, but auto, cpu, cuda or cuda:<number> is needed", field="device")
    if device == "cpu":
        return FaissCpuScan(threads)
    count = device_count()
    number = int(asked[1] or 0)
    if number < count:
        return FaissGpuScan(number, name=device_name(number))
    if device == "auto":
        return FaissCpuScan(threads)
    raise FailedPrecondition(
        f"device = {device!r}, but FAISS sees {count} CUDA devices. "
        "Install consilience[server-gpu] on a machine with a GPU, or use the device cpu.",
        device=device,
    )
