"""A skip fails the run unless its reason is on the list."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture
def run(tmp_path):
    """Runs a test file under our conftest and answers pytest's exit status and output."""
    for name in ("conftest.py", "expected_skips.txt"):
        shutil.copy(TESTS / name, tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")

    def run(source: str) -> tuple[int, str]:
        (tmp_path / "test_it.py").write_text(f"import pytest\n{source}\n")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", str(tmp_path)], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        return done.returncode, done.stdout

    return run


@pytest.mark.parametrize("reason", ["no reference data at ../shared/data", "no CUDA device"])
def test_reasons_on_the_list_are_skips(run, reason):
    status, told = run(f"@pytest.mark.skip(reason={reason!r})\ndef test_it(): pass\ndef test_other(): pass")
    assert status == 0
    assert "1 passed, 1 skipped" in told


@pytest.mark.parametrize(
    "source",
    [
        "def test_it(): pytest.skip('not today')",
        "@pytest.mark.skip(reason='not today')\ndef test_it(): pass",
        "pytest.skip('not today', allow_module_level=True)",
        "pytest.importorskip('no_such_module_today')",
        "@pytest.fixture\ndef needed(): pytest.skip('not today')\ndef test_it(needed): pass",
        "import unittest\nclass TestIt(unittest.TestCase):\n    def test_it(self): self.skipTest('not today')",
    ],
)
def test_any_other_skip_is_a_failure(run, source):
    status, told = run(source)
    assert status != 0
    assert "today" in told
    assert "expected_skips.txt" in told


def test_an_expected_failure_is_no_skip(run):
    assert run("@pytest.mark.xfail(strict=True)\ndef test_it(): assert False")[0] == 0
