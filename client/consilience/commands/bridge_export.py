"""`consilience bridge export` and `download`: bridges as files."""

from pathlib import Path
from typing import Annotated

import typer

from consilience._sync.client import Client
from consilience.commands.bridge import NameArgument
from consilience.commands.connected import Answer


def export(
    client: Client,
    name: NameArgument,
    path: Annotated[Path, typer.Argument(help="The ONNX file to write.")],
    *,
    side: Annotated[str, typer.Option(help="source: what queries go through; target: what the gallery goes through.")] = "source",
) -> Answer:
    """Write a side of a bridge as an ONNX model."""
    return _told(client.export_bridge(name, path, side=side), {"bridge": name, "side": side})


def download(
    client: Client,
    name: NameArgument,
    path: Annotated[Path, typer.Argument(help="The safetensors file to write.")],
) -> Answer:
    """Write the whole bridge as one safetensors file, its report and origin in the metadata."""
    return _told(client.download_bridge(name, path), {"bridge": name})


def _told(path: Path, about: dict[str, str]) -> Answer:
    size = path.stat().st_size
    return Answer(f"{path}: {size:,} bytes", {**about, "path": str(path), "bytes": size})
