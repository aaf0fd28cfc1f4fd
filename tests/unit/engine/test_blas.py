"""The kernel choice, by processor; what happens at import is tried in fresh processes."""

import os
import subprocess
import sys

import pytest

from consilience_server.core.errors import ExtraMissing, FailedPrecondition
from consilience_server.engine import blas
from consilience_server.engine.blas import blas_kernel, check_one_faiss, choose_core_type, cpu_flags, load_faiss

AVX2 = frozenset({"sse2", "avx", "avx2", "fma"})
AVX512 = AVX2 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (AVX512, "SkylakeX"),
        (AVX512 - {"avx512vl"}, "Haswell"),
        (AVX2, "Haswell"),
        (AVX2 - {"fma"}, None),
        (frozenset(), None),
    ],
)
def test_a_kernel_is_chosen_only_where_the_processor_can_run_it(flags, expected):
    assert choose_core_type(flags) == expected


def test_flags_are_read_from_cpuinfo(tmp_path):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: AMD\nflags\t\t: fpu avx2 fma\n\nprocessor\t: 1\nflags\t\t: none\n")
    assert cpu_flags(cpuinfo) == {"fpu", "avx2", "fma"}
    assert cpu_flags(tmp_path / "missing") == frozenset()
    cpuinfo.write_text("Features\t: neon\n")
    assert cpu_flags(cpuinfo) == frozenset()


def core_type_after_loading(environment):
    script = "import os; from consilience_server.engine.blas import load_faiss; load_faiss(); print(os.environ.get('OPENBLAS_CORETYPE'))"
    plain = {key: value for key, value in os.environ.items() if key != "OPENBLAS_CORETYPE"}
    return subprocess.run(
        [sys.executable, "-c", script], env={**plain, **environment}, capture_output=True, text=True, check=True, timeout=120
    ).stdout.strip()


def test_the_choice_is_made_before_faiss_is_loaded():
    assert core_type_after_loading({}) == str(choose_core_type(cpu_flags()))


def test_an_operators_choice_stands():
    assert core_type_after_loading({"OPENBLAS_CORETYPE": "Nehalem"}) == "Nehalem"


def test_small_batches_go_through_blas_too():
    assert load_faiss().cvar.distance_compute_blas_threshold == 1


def test_the_kernel_that_runs_is_told():
    load_faiss()
    library, version, architecture = blas_kernel().split()
    assert library in {"openblas", "mkl"}
    assert version[0].isdigit()
    assert architecture


def test_a_missing_faiss_names_the_extra(monkeypatch):
    monkeypatch.setattr(blas.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ExtraMissing, match=r"pip install 'consilience\[server\]'"):
        load_faiss()


def test_two_distributions_of_faiss_are_refused():
    check_one_faiss(frozenset({"numpy", "faiss-cpu"}))
    check_one_faiss(frozenset({"numpy"}))
    with pytest.raises(FailedPrecondition, match="faiss-cpu and faiss-gpu-cuvs are installed together"):
        check_one_faiss(frozenset({"faiss-gpu-cuvs", "faiss-cpu", "numpy"}))
