"""Which engine serves: the one place that knows all of them."""

import logging
import re

from consilience_server.core.errors import FailedPrecondition, InvalidArgument
from consilience_server.engine.exact_neighbours import ExactNeighbours
from consilience_server.engine.faiss_cpu import FaissCpuScan
from consilience_server.engine.faiss_gpu import FaissGpuScan, device_count, device_name
from consilience_server.engine.join_and_query import JoinAndQuery
from consilience_server.engine.kernels import load_kernels
from consilience_server.engine.native_neighbours import NativeNeighbours
from consilience_server.engine.protocol import NeighbourEngine
from consilience_server.engine.threads import size_thread_pools
from consilience_server.engine.torch_scan import TorchScan, torch_device_count

_LOG = logging.getLogger(__name__)

KEPT_BYTES = 1 << 30
"""Bytes of scan forms kept for the next query by default."""

ENGINES = ("auto", "native", "torch", "faiss")
"""Names of engines that may be asked for."""


def make_engine(threads: int, device: str = "auto", *, kept_bytes: int = KEPT_BYTES, name: str = "auto") -> NeighbourEngine:
    """Make the engine and size every thread pool of the process.

    Args:
        threads: threads of every pool.
        device: `cpu`; `cuda` or `cuda:<number>`; `auto` takes the first CUDA device where FAISS can use one, else the CPU.
        kept_bytes: bytes of scan forms of read-only galleries kept for the next query.
        name: `native` are the kernels of `service/kernels`, for the CPU; `torch` and `faiss` scan on either device; `auto` takes, on a CUDA
            device, torch to join spaces and FAISS to answer queries (FAISS for both where torch does not see the device), and on the CPU
            the kernels where they are built, else FAISS (which is several times slower, and said in the log).

    Raises:
        InvalidArgument: for another device, another name or fewer threads than 1.
        ExtraMissing: if FAISS, or the kernels or torch where they are asked for by name, are not installed.
        FailedPrecondition: if several FAISS distributions are installed, or the device asked for is not there, or `native` is asked for on
            CUDA.
    """
    if name not in ENGINES:
        raise InvalidArgument(f"engine = {name!r}, but {', '.join(ENGINES[:-1])} or {ENGINES[-1]} is needed", field="engine")
    number = _cuda_device(device, wanted=name != "native")
    if number is None:
        engine = _on_cpu(threads, name, kept_bytes)
    elif name == "native":
        raise FailedPrecondition(
            f"engine = 'native' computes on the CPU, but device = {device!r}; use device=cpu, or engine=auto", device=device
        )
    else:
        engine = _on_device(number, threads, name, kept_bytes)
    size_thread_pools(threads)
    return engine


def _on_cpu(threads: int, name: str, kept_bytes: int) -> NeighbourEngine:
    if name == "torch":
        return ExactNeighbours(TorchScan("cpu"), threads, kept_bytes=kept_bytes)
    if name == "native" or (name == "auto" and load_kernels() is not None):
        return NativeNeighbours(threads, kept_bytes=kept_bytes)
    if name == "auto":
        _LOG.warning("the native kernels are not built, FAISS finds the neighbours, several times slower: pip install ./service/kernels")
    return ExactNeighbours(FaissCpuScan(threads), threads, kept_bytes=kept_bytes)


def _on_device(number: int, threads: int, name: str, kept_bytes: int) -> NeighbourEngine:
    if name == "torch":
        return ExactNeighbours(TorchScan(f"cuda:{number}"), threads, kept_bytes=kept_bytes)
    faiss = ExactNeighbours(FaissGpuScan(number, name=device_name(number)), threads, kept_bytes=kept_bytes)
    if name == "faiss":
        return faiss
    if number >= torch_device_count():
        _LOG.warning("no torch with CUDA is installed: FAISS finds the neighbours of whole spaces too, several times slower")
        return faiss
    # What a join keeps is used once; galleries are asked again and again.
    return JoinAndQuery(ExactNeighbours(TorchScan(f"cuda:{number}"), threads, kept_bytes=0), faiss)


def _cuda_device(device: str, *, wanted: bool) -> int | None:
    """The number of the CUDA device to use, None for the CPU; `auto` looks for one only if it is `wanted`."""
    asked = re.fullmatch(r"auto|cpu|cuda(?::(\d+))?", device)
    if asked is None:
        raise InvalidArgument(f"device = {device!r}, but auto, cpu, cuda or cuda:<number> is needed", field="device")
    if device == "cpu" or (device == "auto" and not wanted):
        return None
    number = int(asked[1] or 0)
    count = device_count()
    if number < count:
        return number
    if device == "auto":
        return None
    raise FailedPrecondition(
        f"device = {device!r}, but FAISS sees {count} CUDA devices. "
        "Install consilience[server-gpu] on a machine with a GPU, or use the device cpu.",
        device=device,
    )
