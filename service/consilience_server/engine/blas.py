"""Which BLAS kernels run under FAISS, and how FAISS is loaded.

The faiss-cpu wheel bundles an OpenBLAS from 2021 that does not know newer processors: left alone it may fall back to kernels several times
slower than the machine. OpenBLAS reads `OPENBLAS_CORETYPE` once, when the library is loaded, so the choice is made just before the first
`import faiss`; a value that the operator set is never touched. And FAISS itself leaves BLAS for a slow path on small batches, which its
`distance_compute_blas_threshold` turns off.
"""

import importlib.util
import os
import sys
from importlib.metadata import distributions
from pathlib import Path
from types import ModuleType
from typing import Any

from threadpoolctl import threadpool_info

from consilience_server.core.errors import ExtraMissing, FailedPrecondition

_CORETYPE = "OPENBLAS_CORETYPE"
_FAISS_DISTRIBUTIONS = ("faiss-cpu", "faiss-gpu", "faiss-gpu-cuvs", "faiss-gpu-cu11", "faiss-gpu-cu12", "faiss-cuda")
_CPUINFO = Path("/proc/cpuinfo")

# What the kernels of that name use: a SkylakeX kernel on a processor without AVX-512 would die of an illegal instruction.
_SKYLAKEX_FLAGS = frozenset({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"})
_HASWELL_FLAGS = frozenset({"avx2", "fma"})


def cpu_flags(cpuinfo: Path = _CPUINFO) -> frozenset[str]:
    """The instruction sets of an x86 processor by their names in `/proc/cpuinfo`; empty where that tells nothing."""
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return frozenset()
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            return frozenset(value.split())
    return frozenset()


def choose_core_type(flags: frozenset[str]) -> str | None:
    """The fastest OpenBLAS kernel set that a processor with these instruction sets can run; None leaves the choice to OpenBLAS."""
    if flags >= _SKYLAKEX_FLAGS:
        return "SkylakeX"
    if flags >= _HASWELL_FLAGS:
        return "Haswell"
    return None


def check_one_faiss(installed: frozenset[str]) -> None:
    """Refuse an environment in which several distributions wrote the same `faiss/` folder.

    Args:
        installed: names of the installed distributions, lower case with hyphens.

    Raises:
        FailedPrecondition: naming them and the remedy.
    """
    found = sorted(installed.intersection(_FAISS_DISTRIBUTIONS))
    if len(found) > 1:
        raise FailedPrecondition(
            f"{' and '.join(found)} are installed together, but they write the same folder, so what runs is neither. "
            "Uninstall all of them, then install one extra: consilience[server] for a CPU or consilience[server-gpu] for a GPU.",
            installed=", ".join(found),
        )


def load_faiss() -> Any:
    """Import FAISS with the right kernels, or return it where it is loaded already.

    Raises:
        ExtraMissing: if FAISS is not installed.
        FailedPrecondition: if several distributions of it are.
    """
    if "faiss" not in sys.modules:
        names = frozenset(str(found.metadata["Name"]).lower().replace("_", "-") for found in distributions())
        check_one_faiss(names)
        core_type = choose_core_type(cpu_flags())
        if core_type is not None:
            os.environ.setdefault(_CORETYPE, core_type)
    faiss = _import_faiss()
    faiss.cvar.distance_compute_blas_threshold = 1
    return faiss


def _import_faiss() -> ModuleType:
    if importlib.util.find_spec("faiss") is None:
        raise ExtraMissing(
            "exact neighbours need FAISS, which is not installed: pip install 'consilience[server]', "
            "or 'consilience[server-gpu]' on a machine with a GPU",
            extra="server",
        )
    import faiss

    return faiss


def blas_kernel() -> str:
    """The kernel set that FAISS's BLAS runs, as `library version architecture`; `unknown` where FAISS is not loaded or does not tell."""
    own = [pool for pool in threadpool_info() if pool.get("user_api") == "blas" and "faiss" in str(pool.get("filepath", ""))]
    if not own:
        return "unknown"
    pool = own[0]
    return f"{pool['internal_api']} {pool['version']} {pool.get('architecture', 'unknown')}"
