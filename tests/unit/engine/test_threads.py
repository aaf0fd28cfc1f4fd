import sys
from types import SimpleNamespace

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from consilience_server.core.errors import InvalidArgument
from consilience_server.engine.blas import load_faiss
from consilience_server.engine.threads import size_openmp_team, size_thread_pools


@pytest.fixture(autouse=True)
def _restored():
    with threadpool_limits():
        team = load_faiss().omp_get_max_threads()
        yield
        load_faiss().omp_set_num_threads(team)


@pytest.mark.parametrize("threads", [1, 2])
def test_one_setting_sizes_every_pool(threads, monkeypatch):
    asked = []
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(set_num_threads=asked.append))
    size_thread_pools(threads)
    assert {pool["num_threads"] for pool in threadpool_info()} == {threads}
    assert load_faiss().omp_get_max_threads() == threads
    assert asked == [threads]


def test_a_calling_thread_gets_its_own_team():
    size_openmp_team(1)
    assert load_faiss().omp_get_max_threads() == 1


def test_no_threads_are_refused():
    with pytest.raises(InvalidArgument, match="threads = 0, but at least 1"):
        size_thread_pools(0)
