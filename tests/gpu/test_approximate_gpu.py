"""CAGRA and the flat index on a real device: built, searched, and swapped while searches run."""

import threading

import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.exact_score import exact_scores
from consilience_server.core.similarity import Similarity
from consilience_server.engine.approximate_ranking import rank_candidates
from consilience_server.engine.choose_index import ApproximateIndexes
from consilience_server.engine.faiss_gpu import device_count

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(device_count() == 0, reason="no CUDA device")]


def clustered(n, d, seed=0):
    random = np.random.default_rng(seed)
    centres = random.standard_normal((100, d))
    return (centres[random.integers(0, 100, n)] + 0.7 * random.standard_normal((n, d))).astype(np.float32)


X = clustered(20_000, 96)


@pytest.fixture(scope="module")
def indexes():
    indexes = ApproximateIndexes(4, "auto")
    yield indexes
    indexes.close()


@pytest.fixture(params=["cagra", "gpu_flat"])
def name(indexes, request):
    if request.param not in indexes.names:
        pytest.skip("no CUDA device for CAGRA: this build of FAISS lacks cuVS")
    return request.param


@pytest.mark.parametrize("similarity", list(Similarity))
def test_built_and_searched(indexes, name, similarity):
    index = indexes.build(name, X, similarity, Control())
    candidates = index.search(X[:100], 32, 128, Control())
    rows, scores, short = rank_candidates(X[:100], X, similarity, candidates, None, 10, 4, Control())
    exact = exact_scores(X[:100], X, similarity)
    assert not short.any()
    assert np.array_equal(scores, np.take_along_axis(exact, rows, axis=1))
    recall = (scores >= -np.sort(-exact, axis=1)[:, 9:10]).mean()
    assert recall > (0.9 if name == "cagra" else 0.999)


def test_swapped_while_searches_run(indexes, name):
    held = [indexes.build(name, X, Similarity.COSINE, Control())]
    stop, wrong, asked = threading.Event(), [], []

    def ask():
        while not stop.is_set():
            rows = held[0].search(X[:16], 10, 128, Control())
            asked.append(len(rows))
            if (rows[:, :1] != np.arange(16)[:, None]).mean() > 0.2:
                wrong.append(rows)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for version in range(3):
        # The new version's items replace the old ones beyond the first thousand.
        held[0] = indexes.build(name, np.vstack([X[:1000], clustered(19_000, 96, seed=version + 1)]), Similarity.COSINE, Control())
    stop.set()
    for thread in threads:
        thread.join()
    assert asked
    assert not wrong
