"""A server that applies bridges through onnxruntime."""

import numpy as np
import onnxruntime
import pytest
from safetensors import numpy as safetensors

from consilience import Client
from consilience.errors import ConsilienceError
from consilience_server.core.errors import ExtraMissing
from consilience_server.optional_bridge_parts import bridge_runtime
from consilience_server.settings import load_settings

X = np.random.default_rng(3).standard_normal((90, 8), dtype=np.float32)
Y = (X @ np.linalg.qr(np.random.default_rng(4).standard_normal((8, 8)))[0] + 0.3).astype(np.float32)
IDS = [f"i{row:02d}" for row in range(90)]


def test_matches_are_those_of_numpy_to_the_last_bits(tmp_path, monkeypatch):
    with Client.local(tmp_path) as client:
        for space, rows in (("a", X), ("b", Y)):
            client.create_space(space, dim=8)
            client.upsert(space, IDS, rows)
        client.fit_bridge("a", "b", "a-to-b", method="ridge")
        assert client.server_info().bridge_runtime == "numpy"
        plain = client.match(query_ids=IDS, bridge="a-to-b", k=5, correction="csls")
    monkeypatch.setenv("CONSILIENCE_BRIDGE_RUNTIME", "onnxruntime")
    monkeypatch.setenv("CONSILIENCE_DEVICE", "cpu")
    with Client.local(tmp_path) as client:
        assert client.server_info().bridge_runtime == "onnxruntime-cpu"
        found = client.match(query_ids=IDS, bridge="a-to-b", k=5, correction="csls")
        assert np.array_equal(found.ids, plain.ids)
        np.testing.assert_allclose(found.similarities, plain.similarities, atol=1e-5)
        assert client.mutual_pairs("a", "b", bridge="a-to-b").source_ids


def test_without_the_packages_it_does_not_start(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "consilience_server.adapters.onnx_bridge", None)
    with pytest.raises(ExtraMissing, match=r"pip install 'consilience\[onnx\]'"):
        bridge_runtime(load_settings({"bridge_runtime": "onnxruntime"}))
    monkeypatch.setenv("CONSILIENCE_BRIDGE_RUNTIME", "onnxruntime")
    with pytest.raises(ConsilienceError, match="onnxruntime"):
        Client.local(tmp_path).server_info()


def test_models_beyond_a_message_come_in_parts(tmp_path, monkeypatch):
    monkeypatch.setenv("CONSILIENCE_MAX_MESSAGE_BYTES", str(1 << 20))
    monkeypatch.setenv("CONSILIENCE_UPLOAD_BATCH_BYTES", str(1 << 18))
    random = np.random.default_rng(5)
    rows = random.standard_normal((40, 400), dtype=np.float32)
    with Client.local(tmp_path) as client:
        for space in ("a", "b"):
            client.create_space(space, dim=400)
            client.upsert(space, [f"i{row}" for row in range(40)], rows)
        client.fit_bridge("a", "b", "a-to-b", method="mean_shift")
        model = client.export_bridge("a-to-b")
        whole = client.download_bridge("a-to-b")
    # 400 x 400 in float64, in parts of half a MiB.
    assert min(len(model), len(whole)) > 8 * 400 * 400
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    assert session.run(None, {"source": rows})[0].shape == (40, 400)
    assert safetensors.load(whole)["weights"].shape == (400, 400)
