"""What of bridges needs packages that a server can do without: onnx and onnxruntime."""

import contextlib

from consilience_server.adapters.bridge_documents import SafetensorsExport
from consilience_server.app.bridge_export import BridgeExport, ExportFormat
from consilience_server.app.caller_head import HeadLoader
from consilience_server.bridges.apply import BridgeRuntime, NumpyBridges
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
