"""How benchmarks measure and print: sides in turn within each round, least, median and most of each, and the ratio to the first."""

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("consilience", "numpy", "faiss-cpu", "grpcio", "protobuf", "pylance", "pyarrow")


@dataclass(frozen=True)
class Side:
    """One side of a comparison: what was measured, once a round."""

    name: str
    values: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)


def interleave(rounds: int, sides: Mapping[str, Callable[[], float]]) -> list[Side]:
    """Run all sides once a round, in turn, every other round backwards, so that a drift of the machine meets all alike.

    A side returns what it measured: its seconds (see `seconds`), or a rate.
    """
    measured: dict[str, list[float]] = {name: [] for name in sides}
    for round_number in range(rounds):
        names = list(sides) if round_number % 2 == 0 else list(reversed(sides))
        for name in names:
            measured[name].append(sides[name]())
    return [Side(name, values) for name, values in measured.items()]


def seconds(function: Callable[[], object]) -> Callable[[], float]:
    """The function as a side: it returns the seconds that it took."""

    def timed() -> float:
        begin = time.perf_counter()
        function()
        return time.perf_counter() - begin

    return timed


def table(title: str, unit: str, sides: Sequence[Side], *, note: str = "") -> str:
    """Markdown: a row a side, ratio = median over the first side's median."""
    lines = [
        f"### {title}",
        "",
        f"| | min {unit} | median {unit} | max {unit} | rounds | median over the first |",
        "|---|---|---|---|---|---|",
    ]
    for side in sides:
        cells = (number(min(side.values)), number(side.median), number(max(side.values)))
        ratio = side.median / sides[0].median if sides[0].median else float("nan")
        lines.append(f"| {side.name} | {' | '.join(cells)} | {len(side.values)} | {number(ratio)} |")
    return "\n".join([*lines, *(["", note] if note else []), ""])


def number(value: float) -> str:
    """Three significant digits, plainly."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def machine() -> str:
    """What the numbers were measured on, as a Markdown list."""
    cpu = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "unknown"
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return "\n".join(
        [
            f"- {datetime.now(UTC).date().isoformat()}",
            f"- {cpu}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB; load averages at the start {load}",
            f"- {platform.system()} {platform.release()}, Python {platform.python_version()}",
            f"- {', '.join(found)}",
        ]
    )
