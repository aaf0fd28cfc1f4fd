"""Bridges applied by onnxruntime on a real device: the definition to 1e-5."""

import numpy as np
import onnxruntime
import pytest

from consilience_server.adapters.onnx_bridge import OnnxBridges
from consilience_server.bridges.apply import centre_gallery, make_ready, map_vectors
from consilience_server.bridges.chain import ChainMap
from consilience_server.bridges.choose import METHODS
from consilience_server.bridges.fit import fit_map
from consilience_server.core.control import Control

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif("CUDAExecutionProvider" not in onnxruntime.get_available_providers(), reason="no CUDA device"),
]

RANDOM = np.random.default_rng(2)
X = RANDOM.standard_normal((300, 24), dtype=np.float32) + 1
Y = (X @ RANDOM.standard_normal((24, 16)) + 0.1 * RANDOM.standard_normal((300, 16))).astype(np.float32)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_on_the_device_is_the_bridge(method):
    runtime = OnnxBridges(1, "cuda")
    assert runtime.name == "onnxruntime-cuda"
    bridge, _ = fit_map(method, X, Y, [0.01], Control())
    maps = [bridge, ChainMap((fit_map("ridge", Y, X, [0.01], Control())[0], bridge))]
    for of, source in zip(maps, (X, Y), strict=True):
        ready, plain = runtime.ready(of), make_ready(of)
        for apply, rows in ((map_vectors, source), (centre_gallery, Y)):
            for scale in (1e-30, 1.0, 1e30):
                scaled = (rows * np.float32(scale)).astype(np.float32)
                np.testing.assert_allclose(apply(ready, scaled, Control()), apply(plain, scaled, Control()), atol=1e-5)
