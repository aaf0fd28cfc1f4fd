"""Run the benchmarks one after the other, each in a process of its own, and print one Markdown page.

make bench                              all of them
make bench ARGS="match upload"          some
"""

import os
import subprocess
import sys
from pathlib import Path

from report import machine

HERE = Path(__file__).resolve().parent
BENCHMARKS = (
    "self_join",
    "lists",
    "alignment",
    "upload",
    "match",
    "corrections",
    "translate",
    "bridge_fits",
    "cached_align",
    "install_size",
)


def main() -> int:
    chosen = sys.argv[1:] or list(BENCHMARKS)
    unknown = sorted(set(chosen) - set(BENCHMARKS))
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE)]), "PYTHONUNBUFFERED": "1"}
    print(f"## Machine\n\n{machine()}\n", flush=True)
    failed = []
    for name in chosen:
        print(f"## {name}\n", flush=True)
        if subprocess.run([sys.executable, str(HERE / f"{name}.py")], env=environment, check=False).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
