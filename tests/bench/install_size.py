"""What `pip install consilience` puts on disk and how long `import consilience` takes; likewise with [server]."""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from report import interleave, number, table

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 9


def sizes(site: Path) -> dict[str, int]:
    """Bytes by top-level folder of site-packages, what pip itself brings left out."""
    found: dict[str, int] = {}
    for entry in site.iterdir():
        name = entry.name.split("-")[0].split(".")[0]
        if name not in {"pip", "setuptools", "_distutils_hack", "pkg_resources", "distutils", "wheel"}:
            files = [entry] if entry.is_file() else [path for path in entry.rglob("*") if path.is_file()]
            found[name] = found.get(name, 0) + sum(path.stat().st_size for path in files if "__pycache__" not in path.parts)
    return found


def install(python: Path, what: str) -> None:
    constraints = ["--constraint", str(ROOT / "deploy" / "constraints.txt")]
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *constraints, what], check=True)


def run_seconds(python: Path, code: str) -> float:
    """Processor seconds that `code` takes in a fresh interpreter whose modules are compiled."""
    measured = f"import time; begin = time.process_time(); {code}; print(time.process_time() - begin)"
    return float(subprocess.run([python, "-c", measured], capture_output=True, text=True, check=True, cwd="/").stdout)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        wheels = Path(folder) / "wheels"
        build = [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--wheel-dir",
            str(wheels),
            str(ROOT),
        ]
        subprocess.run(build, check=True)
        wheel = next(wheels.glob("*.whl"))
        print(f"The wheel: {wheel.stat().st_size / 1e3:.0f} kB.\n")
        print("| install | MB on disk | largest |\n|---|---|---|")
        pythons = {}
        for extra in ("", "[server]"):
            home = Path(folder) / f"venv{extra.strip('[]')}"
            venv.create(home, with_pip=True)
            pythons[extra] = python = home / "bin" / "python"
            install(python, f"{wheel}{extra}")
            found = sizes(next(home.glob("lib/python3*/site-packages")))
            largest = sorted(found.items(), key=lambda each: -each[1])[:5]
            told = ", ".join(f"{name} {number(size / 1e6)}" for name, size in largest)
            print(f"| consilience{extra} | {sum(found.values()) / 1e6:.0f} | {told} |", flush=True)
        base = pythons[""]
        sides = {
            "import grpc, numpy": lambda: run_seconds(base, "import grpc, numpy"),
            "import consilience": lambda: run_seconds(base, "import consilience"),
            "from consilience import Client": lambda: run_seconds(base, "from consilience import Client"),
            "the same with [server] installed": lambda: run_seconds(pythons["[server]"], "from consilience import Client"),
        }
        measured = interleave(ROUNDS, sides)
    print()
    print(table("Import, processor seconds", "s", measured))


if __name__ == "__main__":
    main()
