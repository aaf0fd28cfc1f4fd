# Generated from _async/bridge_exports.py by client/unasync.py; edit that file.
"""Calls that take bridges out of the server."""

from pathlib import Path
from typing import Any, overload

from consilience import _names
from consilience._sync.base import Calls
from consilience._sync.concurrency import run_blocking
from consilience._fields import argument_called
from consilience._methods import EXPORT_BRIDGE
from consilience._results.bridge import Bridge
from consilience.errors import InvalidArgumentError
from consilience.v1 import bridge_pb2


class BridgeExportCalls(Calls):
    """Bridges for other people's serving stacks."""

    @overload
    def export_bridge(
        self, bridge: str | Bridge, path: None = None, *, side: str = "source", timeout: float | None = None
    ) -> bytes: ...

    @overload
    def export_bridge(
        self, bridge: str | Bridge, path: str | Path, *, side: str = "source", timeout: float | None = None
    ) -> Path: ...

    def export_bridge(
        self, bridge: str | Bridge, path: str | Path | None = None, *, side: str = "source", timeout: float | None = None
    ) -> bytes | Path:
        """A side of a bridge as an ONNX model: float32 rows in, float32 rows of unit length out, any number of them; float64 between.

        The model of the source's side (input `source`, output `mapped`) has all that a query goes through: unit length, minus the mean of
        the fit, unit length, the map. That of the target's side (`target`, `gallery`) has all that an item of the gallery goes through; of
        bridges that lead into their target that is the centring alone. Compare what both yield by cosine. Outputs are those of the server
        to 1e-5 (measured: to the last bits of float32); a row without a direction comes out as zeros. `metadata_props` tell where the
        bridge comes from. The same bridge gives the same bytes.

        Args:
            bridge: the bridge.
            path: where to write the model; None returns it.
            side: `source` for queries, `target` for the gallery.
            timeout: seconds a request may take; None is the client's. Large models take several.

        Returns:
            The model as bytes, or the path.

        Raises:
            NotFoundError: no such bridge.
            InvalidArgumentError: another side; a path that cannot be written; a map too large for an ONNX file (2 GiB).
            FailedPreconditionError: the server lacks the package `onnx`.
        """
        request = bridge_pb2.ExportBridgeRequest(
            name=_names.bridge_name(bridge), side=_names.BRIDGE_SIDES.to_number(side), format=bridge_pb2.EXPORT_FORMAT_ONNX
        )
        return self._fetched(request, "onnx", path, timeout)

    @overload
    def download_bridge(self, bridge: str | Bridge, path: None = None, *, timeout: float | None = None) -> bytes: ...

    @overload
    def download_bridge(self, bridge: str | Bridge, path: str | Path, *, timeout: float | None = None) -> Path: ...

    def download_bridge(self, bridge: str | Bridge, path: str | Path | None = None, *, timeout: float | None = None) -> bytes | Path:
        """The whole bridge as one safetensors file: its map as float64 tensors, all else as JSON under `bridge` of the metadata.

        Args:
            bridge: the bridge.
            path: where to write the file; None returns it.
            timeout: seconds a request may take; None is the client's.

        Returns:
            The file as bytes, or the path.

        Raises:
            NotFoundError: no such bridge.
        """
        request = bridge_pb2.ExportBridgeRequest(name=_names.bridge_name(bridge), format=bridge_pb2.EXPORT_FORMAT_SAFETENSORS)
        return self._fetched(request, "safetensors", path, timeout)

    def _fetched(
        self, request: bridge_pb2.ExportBridgeRequest, field: str, path: str | Path | None, timeout: float | None
    ) -> bytes | Path:
        content = bytearray()
        while True:
            with argument_called(name="bridge"):
                message, _ = self._call(EXPORT_BRIDGE, request, timeout)
            part: Any = getattr(message, field)
            content += part
            if len(content) >= message.total_bytes:
                break
            request.offset, request.uid = len(content), message.uid
        if path is None:
            return bytes(content)
        return run_blocking(lambda: _written(Path(path), bytes(content)))


def _written(path: Path, content: bytes) -> Path:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise InvalidArgumentError(f"{path} cannot be written: {error}", field="path") from error
    return path
