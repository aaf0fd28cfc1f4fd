"""What the built and installed distribution promises: its names, its weight, its pins. Runs on an editable install and on the wheel."""

import re
import subprocess
import sys
from importlib.metadata import distribution, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
BASE = {"grpcio", "grpcio-status", "googleapis-common-protos", "protobuf", "numpy"}
KERNELS = {"faiss", "torch", "scipy", "lance", "pyarrow", "pandas"}
SERVER_CODE = KERNELS | {"consilience_server", "redis", "prometheus_client", "pydantic", "rich", "typer"}


def requirements(extra: str = "") -> set[str]:
    """Names that an extra adds to the base (or the base's own)."""
    parsed = [Requirement(text) for text in distribution("consilience").requires or []]
    chosen = [
        each for each in parsed if (each.marker is None) is (not extra) and (each.marker is None or each.marker.evaluate({"extra": extra}))
    ]
    return {canonicalize_name(each.name) for each in chosen}


def constraints() -> dict[str, str]:
    lines = (ROOT / "deploy" / "constraints.txt").read_text().splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): pinned for name, pinned in pins}


def python(code: str, *flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *flags, "-c", code], capture_output=True, text=True, check=False, timeout=120, cwd="/")


def test_the_base_install_is_the_sdk_alone():
    assert requirements() == BASE


def test_the_server_extra_is_complete_on_a_cpu_without_torch():
    server = requirements("server")
    assert {"faiss-cpu", "pylance", "redis", "prometheus-client", "scipy"} <= server
    assert "torch" not in server


def test_the_gpu_extra_differs_in_its_kernels_alone():
    assert requirements("server-gpu") - requirements("server") == {"faiss-gpu-cuvs", "torch"}
    assert requirements("server") - requirements("server-gpu") == {"faiss-cpu"}


@pytest.mark.parametrize("extra", ["cli", "server", "server-gpu", "torch", "onnx", "report", "demo"])
def test_every_extra_asks_for_something(extra):
    assert requirements(extra)


def test_constraints_are_names_and_versions_alone():
    """Neither addresses nor hashes, so that any registry serves."""
    for line in (ROOT / "deploy" / "constraints.txt").read_text().splitlines():
        assert re.fullmatch(r"(#.*|[A-Za-z0-9_.-]+==[A-Za-z0-9_.+!]+)?", line), line


def test_constraints_pin_everything_that_is_installed_for_us():
    """Whatever our requirements bring, transitively, is pinned, at the release that is installed here."""
    pins, seen = constraints(), set()
    # Extras come as named dependencies do; markers decide for this Python.
    open_names = sorted(requirements() | requirements("server") | requirements("cli"))
    while open_names:
        name = open_names.pop()
        if name in seen:
            continue
        seen.add(name)
        assert name in pins, f"{name} is not in deploy/constraints.txt"
        assert version(name).split("+")[0] == pins[name]
        needs = [Requirement(text) for text in distribution(name).requires or []]
        open_names += [canonicalize_name(each.name) for each in needs if each.marker is None or each.marker.evaluate({"extra": ""})]
    assert len(seen) > len(BASE)


def test_torch_is_pinned_to_the_release_that_the_tests_run_with():
    assert constraints()["torch"] == "2.13.0"


def test_version_licence_and_types_travel_with_the_package():
    import consilience
    import consilience_server

    told = distribution("consilience")
    assert told.version == consilience.__version__
    assert told.metadata["License-Expression"] == "Apache-2.0"
    for package in (consilience, consilience_server):
        assert (Path(package.__file__).parent / "py.typed").is_file()
    assert f"## {consilience.__version__}" in (ROOT / "CHANGELOG.md").read_text()
    assert "Apache License" in (ROOT / "LICENSE").read_text()


def test_import_is_free_of_server_code():
    done = python(f"import sys, consilience; consilience.Client; print(sorted({SERVER_CODE!r} & set(sys.modules)))")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_import_takes_under_300_milliseconds():
    """Of processor time, the best of five: a busy machine makes imports slower, never faster."""
    code = "import time; begin = time.process_time(); import consilience; print(time.process_time() - begin)"
    assert min(float(python(code).stdout) for _ in range(5)) < 0.3


def test_import_does_no_work():
    """No thread, no open file, no environment variable."""
    code = (
        "import os, threading; before = dict(os.environ), len(os.listdir('/proc/self/fd')); import consilience; "
        "assert (dict(os.environ), len(os.listdir('/proc/self/fd'))) == before; assert threading.active_count() == 1"
    )
    done = python(code)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("missing", ["faiss", "lance", "pydantic_settings"])
def test_a_server_without_its_extra_says_what_to_install(missing, tmp_path):
    flags = ["--data", str(tmp_path / "store"), "--port", "0", "--metrics-port", "0"]
    start = "runpy.run_module('consilience_server', run_name='__main__')"
    done = python(f"import runpy, sys; sys.modules[{missing!r}] = None; sys.argv[1:] = {flags}; {start}")
    assert done.returncode == 1
    assert "pip install 'consilience[server]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_package_marker_lies_where_it_would_load_modules_twice():
    for folder in ("service", "client", "tests"):
        assert not (ROOT / folder / "__init__.py").exists()
