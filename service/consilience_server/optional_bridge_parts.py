"""What of bridges needs packages that a server can do without: onnx, onnxruntime and torch."""

import contextlib
import re

from consilience_server.adapters.bridge_documents import SafetensorsExport
from consilience_server.adapters.training_checkpoints import TrainingFiles
from consilience_server.app.bridge_export import BridgeExport, ExportFormat
from consilience_server.app.caller_head import HeadLoader
from consilience_server.bridges.apply import BridgeRuntime, NumpyBridges
from consilience_server.bridges.training_host import TrainingHost
from consilience_server.core.errors import ExtraMissing
from consilience_server.settings import Settings


def bridge_runtime(settings: Settings) -> BridgeRuntime:
    """What applies bridges; ExtraMissing, DeviceMissing."""
    if settings.bridge_runtime == "numpy":
        return NumpyBridges()
    try:
        from consilience_server.adapters.onnx_bridge import OnnxBridges
    except ImportError as error:
        raise ExtraMissing(
            "bridge_runtime = 'onnxruntime' needs onnx and onnxruntime: pip install 'consilience[onnx]', or set bridge_runtime = 'numpy'",
            extra="onnx",
        ) from error
    return OnnxBridges(settings.effective_threads, settings.device)


def head_loader(settings: Settings) -> HeadLoader | None:
    """What loads heads of callers; None where its packages are not installed."""
    try:
        from consilience_server.adapters.onnx_head import OnnxHeads
    except ImportError:
        return None
    return OnnxHeads(settings.effective_threads)


def bridge_exports() -> dict[ExportFormat, BridgeExport]:
    """The formats whose packages are installed."""
    exports: dict[ExportFormat, BridgeExport] = {"safetensors": SafetensorsExport()}
    with contextlib.suppress(ImportError):
        from consilience_server.adapters.onnx_model import OnnxExport

        exports["onnx"] = OnnxExport()
    return exports


def training_host(settings: Settings, engine_device: str) -> TrainingHost:
    """Where layers are trained: on the engine's device, with what is cut off kept beside the bridges. Torch is imported by the first fit.

    Args:
        settings: device, threads, folder.
        engine_device: of the engine: `cpu`, or a CUDA device's name.
    """
    numbered = re.fullmatch(r"cuda:(\d+)", settings.device)
    device = "cpu" if engine_device == "cpu" else f"cuda:{numbered[1] if numbered else 0}"
    return TrainingHost(device, settings.effective_threads, None if settings.read_only else TrainingFiles(settings.data_dir / "training"))
