"""The torch engine on a real device: the oracle's answers to the bit, and what it does in a server beside FAISS."""

import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.neighbours import nearest, self_scores
from consilience_server.core.similarity import Similarity
from consilience_server.engine.choose import make_engine
from consilience_server.engine.exact_neighbours import ExactNeighbours
from consilience_server.engine.torch_scan import TorchScan, torch_device_count

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(torch_device_count() == 0, reason="no CUDA device")]


@pytest.fixture(scope="module")
def engine():
    return ExactNeighbours(TorchScan("cuda"), 4)


def spaces():
    random = np.random.default_rng(0)
    plain = random.standard_normal((3000, 96)).astype(np.float32)
    copies, huge, near = plain.copy(), plain.copy(), plain.copy()
    copies[:700] = copies[0]
    huge[3, 3] = 1e38
    near[:700] = near[0] + np.float32(1e-6) * near[:700]
    return {
        "plain": plain,
        "copies": copies,
        "near copies": near,
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
    indices, values = nearest(self_scores(x, similarity), 11)
    assert np.array_equal(table.indices, indices)
    assert np.array_equal(table.scores, values)
    assert table.certificate.scan_dtype == "float16"


def test_cpu_and_gpu_agree_to_the_byte_and_few_rows_are_refined(engine):
    x = np.random.default_rng(1).standard_normal((30_000, 256)).astype(np.float32)
    keys = np.arange(len(x), dtype=np.uint64)
    tables = [made.self_join(x, Similarity.COSINE, 10, tie_keys=keys, control=Control()) for made in (engine, make_engine(4, "cpu"))]
    assert tables[0].indices.tobytes() == tables[1].indices.tobytes()
    assert tables[0].scores.tobytes() == tables[1].scores.tobytes()
    assert tables[0].certificate.refined_rows < 300
