"""`.pt`: a tensor, or a dictionary with ids, vectors and attributes; weights only, so that no code in the file runs."""

import importlib
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from consilience._batches import RowSource
from consilience.errors import InvalidArgumentError, MissingExtraError
from consilience.ingest.columns import source_of_arrays


def open_torch(path: Path, ids: Any, id_column: str, vector_column: str, attribute_columns: Sequence[str] | None) -> RowSource:
    """The rows of a file, whole in memory.

    Raises:
        InvalidArgumentError: it holds more than tensors and plain values, or lacks a column.
        MissingExtraError: torch is not installed.
    """
    try:
        # By name: the SDK never depends on torch, its users may have it.
        torch = importlib.import_module("torch")
    except ImportError as error:
        raise MissingExtraError(f"{path.suffix} files need torch: pip install 'consilience[torch]'", reason="EXTRA_MISSING") from error
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise InvalidArgumentError(f"{path.name} is no file of tensors that loads with weights_only: {error}", field="path") from error
    if isinstance(stored, dict):
        return source_of_arrays({str(name): value for name, value in stored.items()}, ids, id_column, vector_column, attribute_columns)
    return source_of_arrays({vector_column: stored}, ids if ids is not None else [], id_column, vector_column, ())
