"""`consilience translate`: vectors of one space as vectors of another."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from consilience._sync.client import Client
from consilience.commands.connected import Answer
from consilience.errors import InvalidArgumentError
from consilience.ingest.npy import load_npy

_BATCH_BYTES = 4 << 20


def translate(
    client: Client,
    bridge: Annotated[str, typer.Argument(help="The bridge; its map must lead into the target space.")],
    vectors: Annotated[Path, typer.Argument(help=".npy file of (n, d) vectors of the source space.")],
    out: Annotated[Path, typer.Argument(help=".npy file to write: (n, d') float32 of unit length.")],
    *,
    side: Annotated[str, typer.Option(help="source; or target, for vectors of the target space, which are centred alike.")] = "source",
    uncentred: Annotated[bool, typer.Option("--uncentred", help="Where they stand in the target space, its mean not subtracted.")] = False,
    source: Annotated[str | None, typer.Option(help="The space that the vectors are of: another bridge is refused.")] = None,
) -> Answer:
    """Bring a file of vectors through a bridge, a few megabytes at a time: neither file is ever in memory whole.

    What is there under the name is replaced once all is written.
    """
    array = load_npy(vectors)
    if array.ndim != 2 or not array.size:
        message = f"{vectors.name} holds an array of shape {array.shape}; it must be (n, d), one row at least"
        raise InvalidArgumentError(message, reason="SHAPE_MISMATCH", field="vectors")
    unfinished = out.with_name(f".{out.name}.unfinished")
    try:
        columns = _write(client.translate(bridge, _batches(array), side=side, centred=not uncentred, source=source), unfinished, len(array))
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)
    told = {"bridge": bridge, "side": side, "centred": not uncentred, "rows": len(array), "columns": columns, "out": os.fspath(out)}
    return Answer(f"{len(array):,} vectors through {bridge} into {out}: {columns:,} columns, float32", told)


def _batches(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    step = max(1, _BATCH_BYTES // max(1, array.itemsize * array.shape[1]))
    for start in range(0, len(array), step):
        yield array[start : start + step]


def _write(blocks: Iterator[NDArray[np.float32]], path: Path, rows: int) -> int:
    """The width of what was written."""
    written = first = None
    start = 0
    for block in blocks:
        if written is None:
            first = block.shape[1]
            written = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(rows, first))
        written[start : start + len(block)] = block
        start += len(block)
    if written is not None:
        written.flush()
    return first or 0
