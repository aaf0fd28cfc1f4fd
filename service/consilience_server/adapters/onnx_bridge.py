"""Bridges applied by onnxruntime, on the CPU or a GPU: the models of `adapters/onnx_model.py`, one session a side."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from consilience_server.adapters.onnx_model import side_model
from consilience_server.bridges.space_map import SpaceMap
from consilience_server.core.errors import DeviceMissing

_CUDA, _CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
_ERRORS_ONLY = 3


class OnnxBridges:
    """`BridgeRuntime` of onnxruntime.

    Args:
        threads: of one session on the CPU.
        device: `cpu`; `cuda`; or `auto`, which is the GPU where onnxruntime has its provider.

    Raises:
        DeviceMissing: `cuda`, and onnxruntime has no CUDA provider.
    """

    def __init__(self, threads: int, device: str) -> None:
        available = onnxruntime.get_available_providers()
        if device == "cuda" and _CUDA not in available:
            raise DeviceMissing(
                f"bridge_runtime = 'onnxruntime' with device = 'cuda' needs onnxruntime's CUDA provider, which has {', '.join(available)}: "
                "install onnxruntime-gpu, or set device = 'cpu'"
            )
        on_gpu = device != "cpu" and _CUDA in available
        self._providers = [_CUDA, _CPU] if on_gpu else [_CPU]
        self._threads = threads
        self.name = f"onnxruntime-{'cuda' if on_gpu else 'cpu'}"

    def ready(self, bridge: SpaceMap) -> "SessionMap":
        """A session for either side."""
        return SessionMap(
            len(bridge.source_mean),
            len(bridge.target_mean),
            bridge.width,
            2 * bridge.nbytes,
            run_session(side_model(bridge, "source").SerializeToString(), self._threads, self._providers),
            run_session(side_model(bridge, "target").SerializeToString(), self._threads, self._providers),
        )


@dataclass(frozen=True)
class SessionMap:
    """`ReadyMap` of two sessions. The last bit of a row may depend on how many rows came with it."""

    source_dim: int
    target_dim: int
    width: int
    nbytes: int
    source: onnxruntime.InferenceSession
    target: onnxruntime.InferenceSession

    def map_block(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Through the source's session."""
        return _run(self.source, rows)

    def centre_block(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Through the target's session."""
        return _run(self.target, rows)


def run_session(model: bytes, threads: int, providers: Sequence[str]) -> onnxruntime.InferenceSession:
    """A session that keeps no memory beyond its weights, which the memory budget knows."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    options.log_severity_level = _ERRORS_ONLY
    return onnxruntime.InferenceSession(model, options, providers=list(providers))


def _run(session: onnxruntime.InferenceSession, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    (told,) = session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(rows)})
    found: NDArray[np.float32] = told
    return found
