"""tests/typing/api.py uses the SDK as its users do and is only type-checked."""

import subprocess
import sys
from pathlib import Path

API = Path(__file__).parents[2] / "typing" / "api.py"
WRONG = "from consilience import Client\nx: int = Client().align('a', 'b')\ny: int = Client().align('a', 'b', wait=False)\n"


def test_users_find_the_types_that_they_expect_and_wrong_uses_are_found(tmp_path):
    wrong = tmp_path / "wrong.py"
    wrong.write_text(WRONG)
    options = ["--config-file=", "--strict", "--follow-imports=silent", "--cache-dir", str(tmp_path / "cache"), "--no-error-summary"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, str(API), str(wrong)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=280,
        check=False,
    )
    found = done.stdout.splitlines()
    assert len(found) == 2, done.stdout + done.stderr
    for line, (place, kind) in zip(found, (("wrong.py:2", "AlignmentReport"), ("wrong.py:3", "Operation")), strict=True):
        assert place in line
        assert f'has type "{kind}"' in line
