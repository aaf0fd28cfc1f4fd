"""What the machine, or the container around this process, lets it use."""

import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def usable_cores(cgroup: Path = _CGROUP) -> int:
    """Cores this process may run on: its affinity, cut down by the CPU quota of its cgroup; at least 1."""
    cores = len(os.sched_getaffinity(0))
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
        limit = cores if quota == "max" else int(quota) // int(period)
    except (OSError, ValueError):
        limit = cores
    return max(1, min(cores, limit))


def usable_memory_bytes(cgroup: Path = _CGROUP) -> int:
    """Bytes of physical memory, cut down by the memory limit of the cgroup."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = (cgroup / "memory.max").read_text().strip()
        return physical if limit == "max" else min(physical, int(limit))
    except (OSError, ValueError):
        return physical
