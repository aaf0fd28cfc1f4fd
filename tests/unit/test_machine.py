import os

import pytest

from consilience_server.machine import usable_cores, usable_memory_bytes


@pytest.fixture
def cgroup(tmp_path):
    def write(**files):
        for name, text in files.items():
            (tmp_path / name.replace("_", ".")).write_text(text)
        return tmp_path

    return write


def test_without_a_cgroup_the_machine_counts(tmp_path):
    assert usable_cores(tmp_path) == len(os.sched_getaffinity(0))
    assert usable_memory_bytes(tmp_path) == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_no_limit_is_no_limit(cgroup, tmp_path):
    folder = cgroup(cpu_max="max 100000\n", memory_max="max\n")
    assert usable_cores(folder) == len(os.sched_getaffinity(0))
    assert usable_memory_bytes(folder) == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(("quota", "cores"), [("50000 100000", 1), ("100000 100000", 1), ("199999 100000", 1)])
def test_a_quota_counts_whole_cores_and_one_at_least(cgroup, quota, cores):
    assert usable_cores(cgroup(cpu_max=quota)) == cores


def test_a_memory_limit_below_the_machine_counts(cgroup):
    assert usable_memory_bytes(cgroup(memory_max="1048576\n")) == 1 << 20
    assert usable_memory_bytes(cgroup(memory_max=str(2**62))) < 2**62


def test_nonsense_is_no_limit(cgroup):
    folder = cgroup(cpu_max="what", memory_max="what")
    assert usable_cores(folder) >= 1
    assert usable_memory_bytes(folder) > 0
