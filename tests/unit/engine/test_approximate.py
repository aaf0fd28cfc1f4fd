"""HNSW and IVF on the CPU against the exact answer: recall, determinism, effort, cancellation, odd galleries."""

import threading
import time

import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled, DeviceMissing
from consilience_server.core.exact_score import exact_scores
from consilience_server.core.similarity import Similarity
from consilience_server.engine import choose_index
from consilience_server.engine.approximate import CPU_INDEXES, EFFORTS, build_bytes, build_cpu_index, build_seconds, cell_count, index_bytes
from consilience_server.engine.choose_index import ApproximateIndexes


def clustered(n, d, seed=0):
    random = np.random.default_rng(seed)
    centres = random.standard_normal((40, d))
    x = centres[random.integers(0, 40, n)] + 0.7 * random.standard_normal((n, d))
    return (x * random.uniform(0.5, 2, (n, 1))).astype(np.float32)


X = clustered(3000, 24)


def recall(rows, queries, gallery, similarity, k):
    best = np.argsort(-exact_scores(queries, gallery, similarity), axis=1, kind="stable")[:, :k]
    return np.mean([len(set(found) & set(right)) / k for found, right in zip(rows, best, strict=True)])


@pytest.mark.parametrize("similarity", list(Similarity))
@pytest.mark.parametrize("name", CPU_INDEXES)
def test_the_default_effort_finds_nearly_all(name, similarity):
    index = build_cpu_index(name, X, similarity, 2, Control())
    rows = index.search(X[:200], 10, EFFORTS[name].default, Control())
    assert (rows.shape, rows.dtype, index.name) == ((200, 10), np.int64, name)
    assert recall(rows, X[:200], X, similarity, 10) > 0.95
    assert index.nbytes == index_bytes(name, 3000, 24, similarity) < build_bytes(name, 3000, 24, similarity)


@pytest.mark.parametrize("name", CPU_INDEXES)
def test_more_effort_finds_more(name):
    x = np.random.default_rng(2).standard_normal((3000, 256)).astype(np.float32)
    index = build_cpu_index(name, x[100:], Similarity.COSINE, 1, Control())
    found = [recall(index.search(x[:100], 5, effort, Control()), x[:100], x[100:], Similarity.COSINE, 5) for effort in (1, 16, 4096)]
    assert found[0] < found[1] < found[2]
    assert found[2] > 0.99


@pytest.mark.parametrize("name", CPU_INDEXES)
def test_the_same_gallery_gives_the_same_index_with_any_threads(name):
    answers = [build_cpu_index(name, X, Similarity.COSINE, threads, Control()).search(X, 10, 2, Control()) for threads in (1, 2, 2)]
    assert np.array_equal(answers[0], answers[1])
    assert np.array_equal(answers[1], answers[2])


@pytest.mark.parametrize("name", CPU_INDEXES)
def test_many_callers_share_an_index(name):
    index = build_cpu_index(name, X, Similarity.COSINE, 1, Control())
    alone = index.search(X[:40], 5, 32, Control())
    answers = [None] * 40

    def ask(row):
        answers[row] = index.search(X[row : row + 1], 5, 32, Control())[0]

    threads = [threading.Thread(target=ask, args=(row,)) for row in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert np.array_equal(np.array(answers), alone)


@pytest.mark.parametrize("name", CPU_INDEXES)
@pytest.mark.parametrize("gallery", [X[:1], X[:3], np.ones((500, 8), np.float32), np.zeros((70, 8), np.float32)], ids=len)
def test_odd_galleries(name, gallery):
    index = build_cpu_index(name, gallery, Similarity.SQUARED_L2, 1, Control())
    count = min(5, len(gallery))
    rows = index.search(gallery[:3], count, EFFORTS[name].limit, Control())
    assert rows.shape == (min(3, len(gallery)), count)
    assert ((rows >= -1) & (rows < len(gallery))).all()
    assert all(len(set(line)) == count for line in rows if (line >= 0).all())


@pytest.mark.parametrize("name", CPU_INDEXES)
def test_a_build_hears_of_cancellation_within_a_second(name):
    gallery = clustered(60_000, 128)
    control = Control()
    cancelled = []

    def cancel():
        cancelled.append(time.perf_counter())
        control.cancel()

    timer = threading.Timer(0.4, cancel)
    timer.start()
    with pytest.raises(Cancelled):
        build_cpu_index(name, gallery, Similarity.COSINE, 1, control)
    assert time.perf_counter() - cancelled[0] < 1.5


@pytest.mark.parametrize("name", CPU_INDEXES)
def test_a_build_tells_how_far_it_is(name):
    told = []
    build_cpu_index(name, X, Similarity.COSINE, 1, Control(told.append))
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)


def test_cells_hold_enough_items():
    assert [cell_count(n) for n in (1, 31, 64, 1000, 100_000)] == [1, 1, 2, 31, 1264]


def test_estimates_grow():
    for name in ("hnsw", "ivf", "cagra", "gpu_flat"):
        assert 0 < build_seconds(name, 1000, 64, 1e10) < build_seconds(name, 10_000, 64, 1e10)
        assert index_bytes(name, 1000, 64, Similarity.COSINE) >= 4 * 1000 * 64


class TestChoice:
    def test_on_a_cpu(self):
        indexes = ApproximateIndexes(1, "cpu")
        assert indexes.names == ("hnsw", "ivf")
        for name in ("cagra", "gpu_flat"):
            with pytest.raises(DeviceMissing, match="start it with the device cuda; or name the index hnsw or ivf") as caught:
                indexes.build(name, X, Similarity.COSINE, Control())
            assert caught.value.field == "index"
        indexes.close()

    def test_without_a_device_that_was_hoped_for(self, monkeypatch):
        monkeypatch.setattr(choose_index, "device_count", lambda: 0)
        with pytest.raises(DeviceMissing, match=r"FAISS sees 0 CUDA devices here.*install consilience\[server-gpu\]"):
            ApproximateIndexes(1, "auto").require("gpu_flat")
        monkeypatch.setattr(choose_index, "device_count", lambda: 1)
        with pytest.raises(DeviceMissing, match="FAISS sees 1 CUDA devices"):
            ApproximateIndexes(1, "cuda:1").require("gpu_flat")
        ApproximateIndexes(1, "cuda:0").require("gpu_flat")

    @pytest.mark.parametrize("has_cagra", [False, True])
    def test_a_build_without_cuvs_has_no_cagra(self, monkeypatch, has_cagra):
        monkeypatch.setattr(choose_index, "device_count", lambda: 1)
        library = type("Faiss", (), {"GpuIndexCagra": object} if has_cagra else {})
        monkeypatch.setattr(choose_index, "load_faiss", lambda: library)
        indexes = ApproximateIndexes(1, "auto")
        assert indexes.names == ("hnsw", "ivf", *(("cagra",) if has_cagra else ()), "gpu_flat")
        if not has_cagra:
            with pytest.raises(DeviceMissing, match="no CAGRA"):
                indexes.require("cagra")
