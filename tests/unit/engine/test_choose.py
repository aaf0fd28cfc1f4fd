import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.errors import FailedPrecondition, InvalidArgument
from consilience_server.core.similarity import Similarity
from consilience_server.engine import choose
from consilience_server.engine.choose import make_engine


@pytest.fixture
def sized(monkeypatch):
    asked = []
    monkeypatch.setattr(choose, "size_thread_pools", asked.append)
    return asked


@pytest.mark.parametrize("device", ["cpu", "auto"])
def test_a_machine_without_a_device_gets_the_cpu(sized, monkeypatch, device):
    monkeypatch.setattr(choose, "device_count", lambda: 0)
    engine = make_engine(2, device)
    assert (engine.backend, engine.device) == ("faiss-cpu", "cpu")
    assert sized == [2]
    x = np.eye(4, dtype=np.float32)
    table = engine.self_join(x, Similarity.COSINE, 2, tie_keys=np.arange(4, dtype=np.uint64), control=Control())
    assert table.indices.tolist() == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]


@pytest.mark.parametrize(("device", "number"), [("auto", 0), ("cuda", 0), ("cuda:1", 1)])
@pytest.mark.usefixtures("sized")
def test_a_device_that_is_there_is_used(monkeypatch, device, number):
    made = []
    monkeypatch.setattr(choose, "device_count", lambda: 2)
    monkeypatch.setattr(choose, "device_name", lambda number: f"card {number}")
    monkeypatch.setattr(choose, "FaissGpuScan", lambda number, *, name: made.append((number, name)))
    make_engine(1, device)
    assert made == [(number, f"card {number}")]


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(choose, "device_count", lambda: 1)
    with pytest.raises(FailedPrecondition, match=r"device = 'cuda:3', but FAISS sees 1 CUDA devices.*consilience\[server-gpu\]"):
        make_engine(1, "cuda:3")


@pytest.mark.parametrize("device", ["", "gpu", "cuda:", "cuda:-1", "cpu "])
def test_an_unknown_device_is_refused(device):
    with pytest.raises(InvalidArgument, match="auto, cpu, cuda or cuda:<number>"):
        make_engine(1, device)
