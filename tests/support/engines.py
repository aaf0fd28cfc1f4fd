"""Every exact engine that this machine can run: what holds for one must hold for all."""

import importlib.util

from consilience_server.engine.exact_neighbours import ExactNeighbours
from consilience_server.engine.faiss_cpu import FaissCpuScan
from consilience_server.engine.kernels import load_kernels
from consilience_server.engine.native_neighbours import NativeNeighbours
from consilience_server.engine.torch_scan import TorchScan


def _faiss(threads):
    return ExactNeighbours(FaissCpuScan(threads), threads)


def _torch(threads):
    return ExactNeighbours(TorchScan(), threads)


def _native(isa):
    return lambda threads: NativeNeighbours(threads, isa=isa)


def available_engines():
    """Name of each engine to a function of a number of threads that makes it."""
    kernels = load_kernels()
    isas = [] if kernels is None else kernels.supported()
    torch = {} if importlib.util.find_spec("torch") is None else {"torch": _torch}
    return {"faiss-cpu": _faiss} | torch | {f"native-{isa}": _native(isa) for isa in isas}
