import numpy as np
import pytest

from consilience_server.core.control import Control
from consilience_server.core.errors import ExtraMissing, FailedPrecondition, InvalidArgument
from consilience_server.core.similarity import Similarity
from consilience_server.engine import choose, native_neighbours
from consilience_server.engine.choose import make_engine
from consilience_server.engine.faiss_cpu import FaissCpuScan
from consilience_server.engine.torch_scan import TorchScan


@pytest.fixture
def sized(monkeypatch):
    asked = []
    monkeypatch.setattr(choose, "size_thread_pools", asked.append)
    return asked


@pytest.mark.parametrize("device", ["cpu", "auto"])
@pytest.mark.parametrize(("name", "backend"), [("faiss", "faiss-cpu"), ("native", "native")])
def test_a_machine_without_a_device_gets_the_cpu(sized, monkeypatch, device, name, backend):
    if name == "native":
        pytest.importorskip("consilience_kernels", reason="the native kernels are not built")
    monkeypatch.setattr(choose, "device_count", lambda: 0)
    engine = make_engine(2, device, name=name)
    assert (engine.backend, engine.device) == (backend, "cpu")
    assert sized == [2]
    x = np.eye(4, dtype=np.float32)
    table = engine.self_join(x, Similarity.COSINE, 2, tie_keys=np.arange(4, dtype=np.uint64), control=Control())
    assert table.indices.tolist() == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]


@pytest.mark.usefixtures("sized")
def test_the_kernels_are_taken_where_they_are_and_missed_aloud_where_not(monkeypatch, caplog):
    monkeypatch.setattr(choose, "device_count", lambda: 0)
    monkeypatch.setattr(choose, "NativeNeighbours", lambda threads, *, kept_bytes: ("native", threads, kept_bytes))
    monkeypatch.setattr(choose, "load_kernels", object)
    assert make_engine(3, "cpu", kept_bytes=7) == ("native", 3, 7)
    assert not caplog.records
    monkeypatch.setattr(choose, "load_kernels", lambda: None)
    assert make_engine(3, "cpu").backend == "faiss-cpu"
    assert "native kernels are not built" in caplog.text


def test_kernels_that_are_not_there_are_refused_by_name(monkeypatch):
    monkeypatch.setattr(native_neighbours, "load_kernels", lambda: None)
    with pytest.raises(ExtraMissing, match=r"pip install ./service/kernels"):
        make_engine(1, "cpu", name="native")


def test_the_kernels_do_not_run_on_a_gpu(monkeypatch):
    monkeypatch.setattr(choose, "device_count", lambda: 1)
    with pytest.raises(FailedPrecondition, match="computes on the CPU"):
        make_engine(1, "cuda", name="native")


def test_an_unknown_engine_is_refused():
    with pytest.raises(InvalidArgument, match="engine = 'annoy', but auto, native, torch or faiss is needed"):
        make_engine(1, "cpu", name="annoy")


@pytest.mark.parametrize(("device", "number"), [("auto", 0), ("cuda", 0), ("cuda:1", 1)])
@pytest.mark.usefixtures("sized")
def test_a_device_that_is_there_is_used(monkeypatch, device, number):
    made = []
    monkeypatch.setattr(choose, "device_count", lambda: 2)
    monkeypatch.setattr(choose, "device_name", lambda number: f"card {number}")
    monkeypatch.setattr(choose, "FaissGpuScan", lambda number, *, name: made.append((number, name)))
    make_engine(1, device, name="faiss")
    assert made == [(number, f"card {number}")]


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(choose, "device_count", lambda: 1)
    with pytest.raises(FailedPrecondition, match=r"device = 'cuda:3', but FAISS sees 1 CUDA devices.*consilience\[server-gpu\]"):
        make_engine(1, "cuda:3")


@pytest.mark.parametrize("device", ["", "gpu", "cuda:", "cuda:-1", "cpu "])
def test_an_unknown_device_is_refused(device):
    with pytest.raises(InvalidArgument, match="auto, cpu, cuda or cuda:<number>"):
        make_engine(1, device)


@pytest.mark.usefixtures("sized")
def test_on_a_device_torch_joins_and_faiss_answers(monkeypatch):
    pytest.importorskip("torch", reason="torch is not installed")
    monkeypatch.setattr(choose, "device_count", lambda: 1)
    monkeypatch.setattr(choose, "device_name", lambda number: "card")
    monkeypatch.setattr(choose, "FaissGpuScan", lambda number, *, name: FaissCpuScan(1))
    monkeypatch.setattr(choose, "torch_device_count", lambda: 1)
    monkeypatch.setattr(choose, "TorchScan", lambda device: TorchScan("cpu"))
    engine = make_engine(1, "cuda")
    assert engine.backend == "torch+faiss-cpu"
    assert engine.device == "cpu"
    x = np.random.default_rng(0).standard_normal((50, 8)).astype(np.float32)
    joined = engine.self_join(x, Similarity.COSINE, 5, tie_keys=np.arange(50, dtype=np.uint64), control=Control())
    asked = engine.query(x, x, Similarity.COSINE, 5, exclude=np.arange(50), control=Control())
    assert (joined.certificate.backend, asked.certificate.backend) == ("torch", "faiss-cpu")
    assert np.array_equal(joined.indices, asked.indices)
    assert np.array_equal(joined.scores, asked.scores)
    assert engine.self_join_bytes(50, 8, 5) > engine.query_bytes(50, 50, 8, 5)
    assert make_engine(1, "cuda", name="torch").backend == "torch"
    assert make_engine(1, "cuda", name="faiss").backend == "faiss-cpu"


@pytest.mark.usefixtures("sized")
def test_on_a_device_that_torch_does_not_see_faiss_does_both_and_says_so(monkeypatch, caplog):
    monkeypatch.setattr(choose, "torch_device_count", lambda: 0)
    monkeypatch.setattr(choose, "device_count", lambda: 1)
    monkeypatch.setattr(choose, "device_name", lambda number: "card")
    monkeypatch.setattr(choose, "FaissGpuScan", lambda number, *, name: FaissCpuScan(1))
    assert make_engine(1, "cuda").backend == "faiss-cpu"
    assert "no torch with CUDA" in caplog.text


@pytest.mark.usefixtures("sized")
def test_torch_computes_on_the_cpu_where_it_is_asked_to():
    pytest.importorskip("torch", reason="torch is not installed")
    engine = make_engine(1, "cpu", name="torch")
    assert (engine.backend, engine.device) == ("torch", "cpu")
