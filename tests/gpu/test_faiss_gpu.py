"""The GPU scan on a real device: the same answers as the oracle, to the bit."""

import threading

import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.neighbours import nearest, neighbour_sets, self_scores
from consilience_server.core.similarity import Similarity
from consilience_server.engine.choose import make_engine
from consilience_server.engine.faiss_gpu import device_count

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(device_count() == 0, reason="no CUDA device")]


@pytest.fixture(scope="module")
def engine():
    return make_engine(4, "cuda")


def spaces():
    random = np.random.default_rng(0)
    plain = random.standard_normal((1500, 96)).astype(np.float32)
    copies, huge = plain.copy(), plain.copy()
    copies[:700] = copies[0]
    huge[3, 3] = 1e38
    return {
        "plain": plain,
        "copies": copies,
        "huge coordinate": huge,
        "denormal": np.ldexp(random.integers(1, 50, (1500, 96)), -149).astype(np.float32),
        "one-hot": np.eye(96, dtype=np.float32)[random.integers(0, 96, 1500)],
        "far from the origin": plain + np.float32(1000),
    }


@pytest.mark.parametrize("similarity", list(Similarity))
@pytest.mark.parametrize("name", list(spaces()))
def test_a_self_join_is_the_oracles(engine, name, similarity):
    x = spaces()[name]
    table = engine.self_join(x, similarity, 10, tie_keys=np.arange(len(x), dtype=np.uint64), control=Control())
    scores = self_scores(x, similarity)
    indices, values = nearest(scores, 11)
    assert np.array_equal(table.indices, indices)
    assert np.array_equal(table.scores, values)
    found, expected = table.sets(10), neighbour_sets(scores, 10)
    assert np.array_equal(found.indices, expected.indices)
    assert np.array_equal(found.weights, expected.weights)
    assert table.certificate.backend == "faiss-gpu"


def test_cpu_and_gpu_agree_to_the_byte_and_few_rows_are_refined(engine):
    x = np.random.default_rng(1).standard_normal((20_000, 256)).astype(np.float32)
    keys = np.arange(len(x), dtype=np.uint64)
    tables = [made.self_join(x, Similarity.COSINE, 10, tie_keys=keys, control=Control()) for made in (engine, make_engine(4, "cpu"))]
    assert tables[0].indices.tobytes() == tables[1].indices.tobytes()
    assert tables[0].scores.tobytes() == tables[1].scores.tobytes()
    assert tables[0].certificate.refined_rows < 200


def test_the_largest_k_of_the_contract(engine):
    x = np.random.default_rng(2).standard_normal((5000, 16)).astype(np.float32)
    table = engine.self_join(x, Similarity.SQUARED_L2, 2048, tie_keys=np.arange(5000, dtype=np.uint64), control=Control())
    indices, values = nearest(self_scores(x, Similarity.SQUARED_L2), 2049)
    assert np.array_equal(table.indices, indices)
    assert np.array_equal(table.scores, values)


def test_many_callers_share_the_device(engine):
    gallery = np.random.default_rng(3).standard_normal((5000, 64)).astype(np.float32)
    gallery.flags.writeable = False
    alone = engine.query(gallery[:64], gallery, Similarity.COSINE, 5, control=Control()).indices
    answers = [None] * 64

    def ask(row):
        answers[row] = engine.query(gallery[row : row + 1], gallery, Similarity.COSINE, 5, control=Control()).indices[0]

    threads = [threading.Thread(target=ask, args=(row,)) for row in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert np.array_equal(np.array(answers), alone)
