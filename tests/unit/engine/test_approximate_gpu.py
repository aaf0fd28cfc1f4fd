"""The owner's thread and the swap of device indexes, with FAISS's CPU index in the place of the device's."""

import gc
import threading
import weakref

import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.errors import Cancelled, InvalidK, MemoryBudget
from consilience_server.core.exact_score import exact_scores
from consilience_server.core.similarity import Similarity
from consilience_server.engine.approximate_gpu import DeviceIndexes, DeviceLibrary
from consilience_server.engine.blas import load_faiss

X = np.random.default_rng(0).standard_normal((800, 16)).astype(np.float32)


class Library:
    """Flat indexes that note which threads touch them and how they are asked."""

    def __init__(self):
        self.threads, self.efforts, self.made = set(), [], []
        self.fail = None

    def make(self, name, width):
        library, flat = self, load_faiss().IndexFlatL2(width)

        class Index:
            def add(self, columns):
                library.threads.add(threading.get_ident())
                if library.fail:
                    raise RuntimeError(library.fail)
                flat.add(columns)

            train = add

            def search(self, columns, count, params=None):
                library.threads.add(threading.get_ident())
                library.efforts.append(params)
                return flat.search(columns, count)

        index = Index()
        self.made.append(weakref.ref(index))
        return index

    def parameters(self, name, effort):
        return effort if name == "cagra" else None


@pytest.fixture
def library():
    return Library()


@pytest.fixture
def indexes(library):
    indexes = DeviceIndexes(0, DeviceLibrary(library.make, library.parameters))
    yield indexes
    indexes.close()


@pytest.mark.parametrize("similarity", list(Similarity))
@pytest.mark.parametrize("name", ["cagra", "gpu_flat"])
def test_it_finds_the_nearest(indexes, name, similarity):
    index = indexes.build(name, X, similarity, Control())
    rows = index.search(X[:50], 5, 64, Control())
    best = np.argsort(-exact_scores(X[:50], X, similarity), axis=1, kind="stable")[:, :5]
    assert np.mean([set(found) == set(right) for found, right in zip(rows, best, strict=True)]) > 0.95
    assert (index.name, index.nbytes >= X.nbytes) == (name, True)


def test_one_thread_touches_the_device(indexes, library):
    index = indexes.build("cagra", X, Similarity.COSINE, Control())
    threads = [threading.Thread(target=index.search, args=(X[:4], 3, 64, Control())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(library.threads) == 1
    assert threading.get_ident() not in library.threads


def test_cagra_keeps_candidates_in_steps_and_no_fewer_than_it_answers(indexes, library):
    index = indexes.build("cagra", X, Similarity.COSINE, Control())
    for count, effort in ((3, 1), (3, 100), (200, 64)):
        index.search(X[:1], count, effort, Control())
    assert library.efforts == [32, 128, 224]


@pytest.mark.parametrize(("name", "most"), [("cagra", 512), ("gpu_flat", 2048)])
def test_more_candidates_than_the_kernels_return_are_refused(indexes, name, most):
    index = indexes.build(name, X, Similarity.COSINE, Control())
    with pytest.raises(InvalidK, match=f"at most {most} candidates"):
        index.search(X[:1], most + 1, 64, Control())


def test_an_index_is_swapped_while_searches_run_and_the_old_one_is_freed(indexes, library):
    held = [indexes.build("cagra", X, Similarity.COSINE, Control())]
    stop, wrong = threading.Event(), []

    def ask():
        while not stop.is_set():
            rows = held[0].search(X[:8], 1, 64, Control())[:, 0]
            if not np.array_equal(rows, np.arange(8)):
                wrong.append(rows)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for version in range(1, 6):
        held[0] = indexes.build("cagra", np.vstack([X, X[:version] + 1]), Similarity.COSINE, Control())
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong
    gc.collect()
    # The owner frees in its turn: whatever is asked next comes after it.
    held[0].search(X[:1], 1, 64, Control())
    assert [made() is not None for made in library.made] == [False] * 5 + [True]


def test_a_full_device_is_a_refusal_and_any_other_failure_is_not_hidden(indexes, library):
    library.fail = "Error: cudaMalloc failed: out of memory"
    with pytest.raises(MemoryBudget, match="device's memory does not hold a faiss-cagra index of 800 items") as caught:
        indexes.build("cagra", X, Similarity.COSINE, Control())
    assert caught.value.field == "index"
    library.fail = "illegal address"
    with pytest.raises(RuntimeError, match="illegal address"):
        indexes.build("gpu_flat", X, Similarity.COSINE, Control())


def test_a_caller_who_leaves_does_not_wait_for_the_device(indexes, library):
    index = indexes.build("gpu_flat", X, Similarity.COSINE, Control())
    release, control = threading.Event(), Control()
    indexes._owner.submit(release.wait)
    threading.Timer(0.1, control.cancel).start()
    try:
        with pytest.raises(Cancelled):
            index.search(X[:1], 1, 0, control)
    finally:
        release.set()
