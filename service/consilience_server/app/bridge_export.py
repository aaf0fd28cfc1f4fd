"""Bridges out of the server: as ONNX models, or whole as they are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from consilience_server.app.call import Call
from consilience_server.app.derived_vectors import DerivedVectors
from consilience_server.bridges.artefact import BridgeArtefact
from consilience_server.bridges.steps import SideName
from consilience_server.core.errors import BridgeNotFound, ExtraMissing, InvalidArgument

ExportFormat = Literal["onnx", "safetensors"]


class BridgeExport(Protocol):
    """One format."""

    def model(self, artefact: BridgeArtefact, side: SideName) -> bytes:
        """The bridge in this format, the same bytes whenever it is asked; MessageTooLarge where the format cannot hold it."""
        ...


@dataclass(frozen=True)
class ExportQuery:
    """What to export.

    Attributes:
        bridge: the bare id.
        side: whose way to where both meet; of no meaning for a format that has both.
        format: of the answer.
        offset: bytes to leave out: where the part before ended.
        uid: of the bridge that the part before came from; empty for the first.
    """

    bridge: str
    side: SideName = "source"
    format: ExportFormat = "onnx"
    offset: int = 0
    uid: str = ""


@dataclass(frozen=True)
class ExportPart:
    """Some of the bytes, from the offset on, and how many there are in all."""

    content: bytes
    total: int
    uid: str


class BridgeExports:
    """The use case of ExportBridge.

    Args:
        derived: reads bridges, keeps what was written.
        exports: the formats whose packages are installed.
        part_bytes: most bytes of one answer.
    """

    def __init__(self, derived: DerivedVectors, exports: Mapping[ExportFormat, BridgeExport], part_bytes: int) -> None:
        self._derived = derived
        self._exports = exports
        self._part_bytes = part_bytes

    async def export(self, call: Call, query: ExportQuery) -> ExportPart:
        """A part of the bridge in the format asked; parts of one bridge fit together, whenever each is asked.

        Raises:
            BridgeNotFound: no such bridge, or another than that of the part before.
            ExtraMissing: the server has no package for the format.
            InvalidArgument: an offset beyond the end.
            MessageTooLarge, MemoryBudget, Overloaded.
        """
        export = self._exports.get(query.format)
        if export is None:
            raise ExtraMissing(
                f"the server cannot write {query.format}: its host lacks the package (pip install 'consilience[onnx]')",
                field="format",
                extra="onnx",
            )
        artefact = await self._derived.bridge(call, query.bridge)
        if query.uid not in ("", artefact.uid):
            raise BridgeNotFound(f"bridge {query.bridge!r} was deleted and made anew meanwhile; ask again", field="name")
        key = ("export", query.format, query.side, artefact.uid)
        written = await self._derived.kept(
            call,
            "encode",
            key,
            lambda: np.frombuffer(export.model(artefact, query.side), dtype=np.uint8),
            3 * artefact.map.nbytes,
            "tables",
        )
        if query.offset >= len(written):
            raise InvalidArgument(f"offset is {query.offset:,}; there are {len(written):,} bytes", field="offset")
        return ExportPart(written[query.offset : query.offset + self._part_bytes].tobytes(), len(written), artefact.uid)
