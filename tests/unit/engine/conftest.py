"""Spaces that break a careless engine, and what every table of them must equal."""

import numpy as np
import pytest
from support.engines import available_engines

from consilience_server.core.control import Control
from consilience_server.core.neighbours import nearest, neighbour_sets, self_scores
from consilience_server.engine.faiss_cpu import FaissCpuScan

ENGINES = available_engines()


@pytest.fixture(scope="session")
def cpu_scan():
    return FaissCpuScan(threads=2)


@pytest.fixture(params=sorted(ENGINES))
def engine(request):
    return ENGINES[request.param](2)


@pytest.fixture
def control():
    return Control()


@pytest.fixture
def assert_oracle():
    """Compare a table with the oracle's full scores, to the bit, for several k."""

    def check(table, scores):
        indices, values = nearest(scores, table.indices.shape[1])
        assert np.array_equal(table.indices, indices)
        assert np.array_equal(table.scores, values)
        assert table.indices.dtype == np.int32
        for k in {1, (table.k_max + 1) // 2, table.k_max}:
            assert_same_sets(table.sets(k), neighbour_sets(scores, k))

    return check


@pytest.fixture
def assert_self_join(engine, control, assert_oracle):
    def check(vectors, similarity, k_max):
        keys = np.arange(len(vectors), dtype=np.uint64)
        table = engine.self_join(vectors, similarity, k_max, tie_keys=keys, control=control)
        assert_oracle(table, self_scores(vectors, similarity))
        return table

    return check


def assert_same_sets(found, expected):
    assert found.k == expected.k
    assert found.gallery == expected.gallery
    for name in ("indptr", "indices", "weights", "tied"):
        a, b = getattr(found, name), getattr(expected, name)
        assert a.dtype == b.dtype, name
        assert np.array_equal(a, b), name
