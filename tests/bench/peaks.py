"""Peak speed of this processor's multiply-add units, registers only, on all cores at once: what floors are counted from.

python tests/bench/peaks.py
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_SOURCE = Path(__file__).with_name("peaks.cpp")


def peaks(threads: int) -> dict[str, float]:
    """Billions of multiplications and additions a second by unit, of `threads` processes together; empty where they cannot be measured."""
    compiler = shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/peaks"
        flags = ["-O2", "-std=c++17", "-mavx512f"]
        if subprocess.run([compiler, *flags, str(_SOURCE), "-o", program], capture_output=True, check=False).returncode:
            return {}
        running = [subprocess.Popen([program], stdout=subprocess.PIPE, text=True) for _ in range(threads)]
        answers = [one.communicate()[0] for one in running]
    found: dict[str, float] = {}
    for answer in answers:
        for line in answer.splitlines():
            unit, speed = line.split()
            found[unit] = found.get(unit, 0.0) + float(speed)
    return found


def main() -> None:
    threads = len(os.sched_getaffinity(0))
    found = peaks(threads)
    print(f"Peaks of {threads} threads: {', '.join(f'{unit} {speed:,.0f}' for unit, speed in found.items()) or 'not measurable'} Gop/s.\n")


if __name__ == "__main__":
    main()
