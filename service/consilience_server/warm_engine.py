"""The engine, loaded, warmed up, and measured."""

import math
import time
from dataclasses import dataclass

import numpy as np

from consilience_server.core.control import Control
from consilience_server.core.similarity import Similarity
from consilience_server.engine.blas import blas_kernel
from consilience_server.engine.choose import make_engine
from consilience_server.engine.kernels import kernels_status
from consilience_server.engine.protocol import NeighbourEngine


@dataclass(frozen=True)
class WarmEngine:
    """What computes, and how fast it was found to be.

    Attributes:
        engine: finds neighbours.
        blas: the kernels of FAISS's BLAS.
        kernels: instruction set of the native kernels, or `not built`.
        flops_per_second: of its scan, measured on a small one: for estimates.
    """

    engine: NeighbourEngine
    blas: str
    kernels: str
    flops_per_second: float


def warm_engine(name: str, device: str, threads: int, kept_bytes: int) -> WarmEngine:
    """Size all thread pools, load the engine, warm it up and see how fast it is. InvalidArgument, ExtraMissing, FailedPrecondition."""
    engine = make_engine(threads, device, kept_bytes=kept_bytes, name=name)
    return WarmEngine(engine, blas_kernel(), kernels_status(), _measured_flops(engine))


def _measured_flops(engine: NeighbourEngine) -> float:
    """Multiplications and additions a second of a small self-join, the second of two (the first loads libraries)."""
    n, dim = 2048, 128
    vectors = np.random.default_rng(0).standard_normal((n, dim), dtype=np.float32)
    keys = np.arange(n, dtype=np.uint64)
    seconds = math.inf
    for _ in range(2):
        started = time.perf_counter()
        engine.self_join(vectors, Similarity.COSINE, 10, tie_keys=keys, control=Control())
        seconds = time.perf_counter() - started
    return 2.0 * n * n * dim / seconds
